package preflight

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/tcptest"
)

// TestGreetings: an IMAP server that refuses before anybody has logged in is gone, as one that refuses connections.
func TestGreetings(t *testing.T) {
	own, leaf := certificate(t, time.Now().AddDate(1, 0, 0), false)
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	for _, c := range []struct{ greeting, want string }{
		{"* OK ready\r\n", ""},
		{"* OK [CAPABILITY IMAP4rev2 STARTTLS] ready\r\n", ""},
		{"* PREAUTH hello\r\n", ""},
		{"* BYE [UNAVAILABLE] being upgraded\r\n", "refuses everybody: BYE [UNAVAILABLE] being upgraded"},
		{"* bye \x1b[2Jcome later\r\n", "refuses everybody: bye"},
		{"", "without a greeting: EOF"},
		{"* OK", "without a greeting: EOF"},
		{"* BYE " + strings.Repeat("x", 100_000), "without a greeting: EOF"},
	} {
		greet := func(conn net.Conn) { _, _ = io.WriteString(conn, c.greeting) }
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []string{"imap://" + tcptest.Serve(t, greet), "imaps://" + tcptest.ServeOn(t, l, greet)} {
			log := new(Log)
			if err := (Server{URL: at, Key: "target.mail.imap", Reason: fault.TargetUnavailable, Roots: roots}).Reach()(t.Context(), log); err != nil {
				t.Fatal(err)
			}
			found := log.Findings()
			if c.want == "" {
				if log.failed() {
					t.Errorf("%.60q at %s: %+v", c.greeting, at, found)
				}
				continue
			}
			if len(found) != 1 || found[0].Reason != fault.TargetUnavailable || !strings.Contains(found[0].What, c.want) || found[0].Do == "" ||
				strings.Contains(found[0].What, "\x1b") || len(found[0].What) > 1000 {
				t.Errorf("%.60q at %s: %+v", c.greeting, at, found)
			}
		}
	}
}

// TestNoGreeting: a server that says nothing is not waited for once the run ends.
func TestNoGreeting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	at := tcptest.Serve(t, func(conn net.Conn) {
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	})
	log := new(Log)
	if err := (Server{URL: "imap://" + at, Reason: fault.TargetUnavailable}).Reach()(ctx, log); err == nil {
		t.Errorf("it came to an end: %+v", log.Findings())
	}
	for _, f := range log.Findings() {
		if strings.Contains(f.What, "greeting") {
			t.Errorf("the end of the run is taken for the server's fault: %+v", f)
		}
	}
}

package preflight

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// certificate makes one for 127.0.0.1, signed by itself or by an authority that is forgotten.
func certificate(t *testing.T, until time.Time, byOther bool) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().AddDate(0, -2, 0), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true}
	parent, signer := template, key
	if byOther {
		if signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
		parent = &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

// server serves TLS with a configuration until the test ends, and returns its host and port.
func server(t *testing.T, c *tls.Config, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what is tested
	s.TLS = c
	if c == nil {
		s.Start()
	} else {
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func reached(t *testing.T, at string) []Finding {
	t.Helper()
	l := new(Log)
	if err := (Server{URL: at, Key: "target.files.webdav", Reason: fault.TargetUnavailable}).Reach()(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return l.Findings()
}

func TestHandshakesThatFail(t *testing.T) {
	year := time.Now().AddDate(1, 0, 0)
	own, _ := certificate(t, year, false)
	foreign, _ := certificate(t, year, true)
	old := &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	nobody := func(http.ResponseWriter, *http.Request) {}
	for name, c := range map[string]struct{ at, want string }{
		"self-signed":  {"https://" + server(t, &tls.Config{Certificates: []tls.Certificate{own}}, nobody), "is self-signed"},
		"authority":    {"https://" + server(t, &tls.Config{Certificates: []tls.Certificate{foreign}}, nobody), "an authority that this machine does not trust"},
		"old TLS":      {"https://" + server(t, old, nobody), "speaks no TLS from version 1.2 on"},
		"no TLS":       {"https://" + server(t, nil, nobody), "does not speak TLS on this port"},
		"IMAP":         {"imaps://" + server(t, &tls.Config{Certificates: []tls.Certificate{own}}, nobody), "is self-signed"},
		"no URL":       {"https://", "is no URL"},
		"no such name": {"imaps://mail.invalid", "the name mail.invalid does not resolve"},
	} {
		found := reached(t, c.at)
		if len(found) != 1 || found[0].Level != Error || !strings.Contains(found[0].What, c.want) || found[0].Do == "" || found[0].Why == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

func TestCertificatesAndTheirEnd(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		end   time.Duration
		level Level
		want  string
	}{{-day, Error, "is not valid today"}, {10 * day, Warning, "ends on"}, {100 * day, OK, ""}} {
		_, leaf := certificate(t, time.Now().Add(c.end), false)
		l := new(Log)
		roots := x509.NewCertPool()
		roots.AddCert(leaf)
		_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, DNSName: "127.0.0.1", CurrentTime: time.Now()})
		if err != nil {
			what, do, _ := httpx.TLSTrouble(err, "127.0.0.1")
			l.Refuse(fault.TargetUnavailable, what, do)
		} else {
			ending(l, leaf, "127.0.0.1")
		}
		found := l.Findings()
		if c.level == OK {
			if len(found) > 0 {
				t.Errorf("%v before its end: %+v", c.end, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Level != c.level || !strings.Contains(found[0].What, c.want) {
			t.Errorf("%v before its end: %+v", c.end, found)
		}
	}
}

func TestClocks(t *testing.T) {
	for _, c := range []struct {
		ahead time.Duration
		want  string
	}{{0, ""}, {20 * time.Second, ""}, {-2 * time.Hour, "is 2h0m0s behind this machine's"}, {time.Hour, "is 1h0m0s ahead of this machine's"}} {
		at := server(t, nil, func(w http.ResponseWriter, r *http.Request) {
			if _, _, ok := r.BasicAuth(); ok || r.Header.Get("Authorization") != "" {
				t.Error("credentials were sent")
			}
			w.Header().Set("Date", time.Now().Add(c.ahead).UTC().Format(http.TimeFormat))
		})
		found := reached(t, "http://"+at)
		if got := found[0]; c.want == "" && got.Level != OK || c.want != "" && (got.Level != Warning || !strings.Contains(got.What, c.want)) {
			t.Errorf("ahead by %v: %+v", c.ahead, found)
		}
	}
	if _, apart := Apart(30*time.Second, -20*time.Second); apart {
		t.Error("50 s are no difference")
	}
	if f, apart := Apart(50*time.Second, -50*time.Second); !apart || f.Level != Warning {
		t.Error("100 s are a difference")
	}
}

func TestWithoutTLS(t *testing.T) {
	found := reached(t, "http://cloud.invalid")
	if len(found) != 2 || found[0].Level != Warning || !strings.Contains(found[0].What, "without TLS") || found[1].Level != Error {
		t.Errorf("%+v", found)
	}
}

// TestFailuresOfTheServerItself asks for a path: that of a server in maintenance mode fails for everybody. What a path answers beside is no
// matter, since no credentials are sent, and without a path nothing of it is asked.
func TestFailuresOfTheServerItself(t *testing.T) {
	for _, c := range []struct {
		path   string
		status int
		level  Level
	}{
		{"/dav/files/ada/", http.StatusServiceUnavailable, Error},
		{"/dav/files/ada/", http.StatusBadGateway, Error},
		{"/dav/files/ada/", http.StatusUnauthorized, OK},
		{"/dav/files/ada/", http.StatusNotFound, OK},
		{"", http.StatusServiceUnavailable, OK},
	} {
		at := server(t, nil, func(w http.ResponseWriter, r *http.Request) {
			if want := cmp.Or(c.path, "/"); r.URL.Path != want {
				t.Errorf("asked for %s, want %s", r.URL.Path, want)
			}
			w.WriteHeader(c.status)
		})
		l := new(Log)
		s := Server{URL: "http://" + at, Path: c.path, Key: "target.files.webdav", Reason: fault.TargetUnavailable}
		if err := s.Reach()(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if f := l.Findings()[0]; f.Level != c.level || f.Level == Error && (f.Reason != fault.TargetUnavailable || !strings.Contains(f.Do, "maintenance")) {
			t.Errorf("%s answers %d: %+v", c.path, c.status, f)
		}
	}
}

// TestTheProvidersOwnAddress stands in no job file: the remedy does not send anybody there.
func TestTheProvidersOwnAddress(t *testing.T) {
	l := new(Log)
	if err := (Server{URL: "https://graph.invalid", Reason: fault.SourceUnavailable}).Reach()(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if f := l.Findings()[0]; !strings.Contains(f.Do, "this machine's network") || strings.Contains(f.Do, "job file") {
		t.Errorf("%+v", f)
	}
}

package httpx

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx/tlstest"
)

// TestWhatTLSRefuses names cause and cure, also where a library kept the text of the error alone.
func TestWhatTLSRefuses(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	roots, err := Roots(authority.PEM())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config    *tls.Config
		what, do  string
		untrusted bool
	}{
		"wrong name":  {authority.Config(t, tlstest.WrongName), "the certificate is not for 127.0.0.1", "write the name", false},
		"expired":     {authority.Config(t, tlstest.Expired), "the certificate of 127.0.0.1 is not valid today", "renew", false},
		"self-signed": {authority.Config(t, tlstest.SelfSigned), "is self-signed", "target.ca", false},
		"unknown":     {authority.Config(t, tlstest.Good), "signed by an authority that this machine does not trust", "target.ca", true},
		"TLS 1.1":     {authority.Config(t, tlstest.Old), "speaks no TLS from version 1.2 on", "TLS 1.2 or 1.3", false},
		"plain":       {nil, "does not speak TLS on this port", "scheme and port", false},
	} {
		s := httptest.NewUnstartedServer(http.NotFoundHandler())
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		if s.TLS = c.config; c.config == nil {
			s.Start()
		} else {
			s.StartTLS()
		}
		transport := NewTransport()
		if !c.untrusted {
			transport.TLSClientConfig = TLS(roots)
		}
		res, err := (&http.Client{Transport: transport}).Get("https://" + s.Listener.Addr().String())
		if err == nil {
			_ = res.Body.Close()
		}
		what, do, ok := TLSTrouble(err, "")
		if !ok || !strings.Contains(what, c.what) || !strings.Contains(do, c.do) {
			t.Errorf("%s: %q, %q, %v", name, what, do, err)
		}
		if err != nil {
			c.what, _, _ = strings.Cut(strings.ReplaceAll(c.what, "127.0.0.1 is", "HOST is"), "is self-signed")
			what, _, ok := TLSTrouble(errors.New(err.Error()), "HOST")
			if !ok || !strings.Contains(what, strings.ReplaceAll(c.what, "127.0.0.1", "HOST")) {
				t.Errorf("%s, by its text: %q", name, what)
			}
		}
		transport.CloseIdleConnections()
		s.Close()
	}
	if _, _, ok := TLSTrouble(errors.New("connection refused"), ""); ok {
		t.Error("a refused connection is no trouble of TLS")
	}
	if _, _, ok := TLSTrouble(nil, ""); ok {
		t.Error("no error is no trouble")
	}
}

func TestRoots(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	roots, err := Roots(authority.PEM())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = authority.Config(t, tlstest.Good)
	s.StartTLS()
	defer s.Close()
	transport := NewTransport()
	transport.TLSClientConfig = TLS(roots)
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.TLS.Version < tls.VersionTLS12 {
		t.Errorf("version %x", res.TLS.Version)
	}
	for _, text := range []string{"", "no certificate", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := Roots([]byte(text)); err == nil {
			t.Errorf("%q is taken for authorities", text)
		}
	}
}

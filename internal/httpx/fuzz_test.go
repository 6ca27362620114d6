package httpx

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"7", "-7", "1e400", "NaN", "inf", "Fri, 27 Nov 2026 12:00:00 GMT", "x", "0x10"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 27, 11, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if d := RetryAfter(http.Header{"Retry-After": {value}}, now); d < 0 || d > maxRetryAfter {
			t.Errorf("%q: %v", value, d)
		}
	})
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\r\nb\x00\x1b[31m\xff")
	f.Add(strings.Repeat("ä", 400))
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		if len(got) > maxText+len("…") || strings.ContainsAny(got, "\r\n\x00\x1b") || !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		if OneLine(got) != got && len(got) <= maxText {
			t.Errorf("%q is not one line yet", got)
		}
	})
}

// FuzzSecureURL: secrets go over TLS or to this machine.
func FuzzSecureURL(f *testing.F) {
	for _, s := range []string{"https://example.org/", "http://127.0.0.1:80/", "http://localhost/", "http://127.0.0.1.example.org/", "http://[::1]/", "https://a@b/", "http:\\\\127.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := SecureURL(raw)
		if err == nil && (u.User != nil || u.Host == "" || u.Scheme != "https" && !Loopback(u.Hostname())) {
			t.Errorf("%q is secure as %v", raw, u)
		}
		if red, err := url.Parse(RedactURL(raw)); err == nil && (red.User != nil || red.RawQuery != "" || red.Fragment != "") {
			t.Errorf("%q is redacted as %v", raw, red)
		}
	})
}

package httpx

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{
		" a\r\nb\x1b[2Jc\x7f\u0085d ": "a  b [2Jc  d",
		"\xff":                        "�",
		"":                            "",
	} {
		if got := OneLine(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	long := OneLine(strings.Repeat("é", 1000))
	if len(long) > maxText+len("…") || !utf8.ValidString(long) {
		t.Errorf("a long text came back with %d bytes", len(long))
	}
}

func TestSecureURL(t *testing.T) {
	for raw, want := range map[string]bool{
		"https://example.org/x":      true,
		"http://127.0.0.1:80/":       true,
		"http://[::1]:80/":           true,
		"http://localhost:80":        true,
		"http://example.org/":        false,
		"http://127.0.0.1.nip.io/":   false,
		"https://user@example.org/":  false,
		"ftp://127.0.0.1/":           false,
		"/path":                      false,
		"https://example.org\x00/":   false,
		"http://localhost@evil.org/": false,
	} {
		if _, err := SecureURL(raw); (err == nil) != want {
			t.Errorf("%q: got error %v", raw, err)
		}
	}
}

package httpx

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// maxText bounds texts of the other side in errors, in bytes.
const maxText = 300

// OneLine returns a text of the other side as one bounded line of printable characters, fit for an error or a log.
func OneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return strings.TrimSpace(s)
}

// SecureURL parses an absolute URL to which secrets may be sent: https, or on a loopback address, and without a user part.
func SecureURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("not an absolute URL without user part")
	}
	if u.Scheme == "https" || u.Scheme == "http" && Loopback(u.Hostname()) {
		return u, nil
	}
	return nil, fmt.Errorf("%s://%s is neither https nor on a loopback address", u.Scheme, u.Host)
}

// Loopback reports whether the host, a name or an address without port, is this machine by its form.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

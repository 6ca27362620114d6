// Package davtest looks at a DAV server past the sinks, for their tests.
package davtest

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path"
	"testing"
)

// Client is a user of a server.
type Client struct {
	// Home is the URL against which addresses are resolved.
	Home, User, Password string
	// Header goes with each request.
	Header http.Header
}

// Send sends one request without any of the sinks' code, and returns the answer's body and status.
func (c Client) Send(tb testing.TB, method, href string, body []byte) ([]byte, int) {
	tb.Helper()
	home, err := url.Parse(c.Home)
	if err != nil {
		tb.Fatal(err)
	}
	target, err := home.Parse(href)
	if err != nil {
		tb.Fatal(err)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, target.String(), bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for name, values := range c.Header {
		req.Header[name] = values
	}
	req.SetBasicAuth(c.User, c.Password)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return got, resp.StatusCode
}

// Edit replaces the first old text of an object by a new one, as its user would.
func (c Client) Edit(tb testing.TB, href, old, changed string) {
	tb.Helper()
	body, _ := c.Send(tb, http.MethodGet, href, nil)
	edited := bytes.Replace(body, []byte(old), []byte(changed), 1)
	if bytes.Equal(body, edited) {
		tb.Fatalf("nothing to edit in %q", body)
	}
	if _, status := c.Send(tb, http.MethodPut, href, edited); status/100 != 2 {
		tb.Fatalf("the user's edit was refused with %d", status)
	}
}

// Copy puts a copy of an object beside it, with a UID of its own, as its user would.
func (c Client) Copy(tb testing.TB, href string) {
	tb.Helper()
	body, _ := c.Send(tb, http.MethodGet, href, nil)
	folder, name := path.Split(href)
	if _, status := c.Send(tb, http.MethodPut, folder+"copy-"+name, bytes.ReplaceAll(body, []byte("\nUID:"), []byte("\nUID:copy-"))); status/100 != 2 {
		tb.Fatalf("the user's copy was refused with %d", status)
	}
}

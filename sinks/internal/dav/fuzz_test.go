package dav

import (
	"net/url"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// FuzzMultistatus: responses are read one by one, and what a server says of an address stays on this server.
func FuzzMultistatus(f *testing.F) {
	const begin = `<d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:a="urn:ietf:params:xml:ns:carddav">`
	f.Add([]byte(begin + `<d:response><d:href>/home/c/x.ics</d:href><d:propstat><d:prop><d:getetag>"1"</d:getetag><c:calendar-data>BEGIN:VCALENDAR</c:calendar-data>` +
		`</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`))
	f.Add([]byte(begin + `<d:response><d:href>https://elsewhere.example/x</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>` +
		`<d:response><d:propstat><d:prop><d:resourcetype><d:collection/><c:calendar/></d:resourcetype><c:supported-calendar-component-set><c:comp name="VTODO"/>` +
		`</c:supported-calendar-component-set><a:max-resource-size>7</a:max-resource-size></d:prop></d:propstat></d:response></d:multistatus>`))
	f.Add([]byte(`<a><b><c></a>`))
	f.Add([]byte(begin + strings.Repeat("<d:response>", 70)))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "b">]>` + begin + `<d:response><d:href>&a;</d:href></d:response></d:multistatus>`))
	c := &Client{Home: &url.URL{Scheme: "https", Host: "dav.example", Path: "/home/"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := eachResponse(&rationed{r: strings.NewReader(string(data)), total: maxListing}, func(r Response) error {
			n++
			_ = r.Found()
			if u, err := c.Resolve(r.Href); err == nil && (u.Host != "dav.example" && !strings.EqualFold(u.Host, "dav.example") || u.Scheme != "https" || u.User != nil) {
				t.Errorf("%q leads to %v", r.Href, u)
			}
			if p, err := c.Path(r.Href); err == nil && !strings.HasPrefix(p, "/") {
				t.Errorf("%q has the path %q", r.Href, p)
			}
			return nil
		})
		if most := strings.Count(string(data), "response"); n > most || err == nil && len(data) == 0 {
			t.Errorf("%d responses in %q, %v", n, data, err)
		}
	})
}

// FuzzSaid: what is repeated of an error page is short, one line, and without the password.
func FuzzSaid(f *testing.F) {
	f.Add("hunter22", `<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>no hunter22</s:message></d:error>`)
	f.Add("hunter22", `<html>hunter22`+strings.Repeat("hunter22", 100))
	f.Add("a<b>c&d", `<d:error xmlns:d="DAV:"><d:responsedescription>a&lt;b&gt;c&amp;d</d:responsedescription></d:error>`)
	f.Fuzz(func(t *testing.T, password, body string) {
		if len(password) < 4 || strings.Contains(httpx.Masked, password) || strings.ContainsFunc(password, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return
		}
		w := readWords([]byte(body), httpx.BasicMask("ada", password))
		s := w.Said([]byte(body))
		for part := range strings.SplitSeq(s, httpx.Masked) {
			if strings.Contains(part, password) && strings.Contains(body, password) && len(w.names) == 0 {
				t.Errorf("%q stands in %q", password, s)
			}
		}
		if len(s) > 300 || strings.ContainsAny(s, "\r\n\x00\x1b") {
			t.Errorf("%q", s)
		}
	})
}

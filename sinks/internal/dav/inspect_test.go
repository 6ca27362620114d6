package dav

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
)

// TestCompare judges objects by digests, versions and what this program wrote into them.
func TestCompare(t *testing.T) {
	written := Object{Full: "f", Meaning: "m", Core: "c", Written: "f"}
	rewritten := Object{Full: "g", Meaning: "m", Written: "f"}
	edited := Object{Full: "h", Meaning: "n", Core: "d", Written: "f"}
	of := func(o Object, version string) sinks.Object {
		return sinks.Object{Location: "/x", Version: version, Digest: o.digest(), Twin: o.Written, State: o.Core}
	}
	proof := func(digest, version, state string) sinks.Proof {
		return sinks.Proof{Receipt: sinks.Receipt{Location: "/x", Version: version, State: state}, Digest: digest}
	}
	for name, c := range map[string]struct {
		o    sinks.Object
		p    sinks.Proof
		want sinks.Verdict
	}{
		"as written":                         {of(written, "1"), proof(written.digest(), "1", ""), sinks.Same},
		"as written, with another version":   {of(written, "2"), proof(written.digest(), "1", ""), sinks.Same},
		"rewritten":                          {of(rewritten, "2"), proof(written.digest(), "1", ""), sinks.Same},
		"as it was rewritten at once":        {of(rewritten, "1"), proof(rewritten.digest(), "1", ""), sinks.Same},
		"edited":                             {of(edited, "2"), proof(written.digest(), "1", ""), sinks.Touched},
		"edited in silence":                  {of(edited, "1"), proof(written.digest(), "1", ""), sinks.Differs},
		"edited where there are no versions": {of(edited, ""), proof(written.digest(), "", ""), sinks.Touched},
		"unread":                             {sinks.Object{Version: "1"}, proof(written.digest(), "1", ""), sinks.Alike},
		"unread, with another version":       {sinks.Object{Version: "2"}, proof(written.digest(), "1", ""), sinks.Touched},
		"no object any more":                 {sinks.Object{Version: "1", Digest: "raw:x"}, proof(written.digest(), "1", ""), sinks.Differs},
		"by its own word":                    {of(written, "2"), proof("", "1", ""), sinks.Same},
		"by nothing":                         {of(edited, "1"), proof("", "1", ""), sinks.Alike},
		"edited, by its own word":            {of(edited, "2"), proof("", "1", ""), sinks.Touched},
		"kept":                               {of(edited, "1"), proof(edited.keptDigest(), "1", Kept), sinks.Same},
		"kept, with another version":         {of(edited, "2"), proof(edited.keptDigest(), "1", Kept), sinks.Same},
		"kept and changed":                   {of(written, "2"), proof(edited.keptDigest(), "1", Kept), sinks.Touched},
		"kept, and nothing is known":         {of(written, "2"), proof("", "", Kept), sinks.Same},
		"at its times":                       {timed(of(written, "1"), "a1"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Same},
		"at other times":                     {timed(of(written, "1"), "a2"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Mistimed},
		"rewritten to other times":           {timed(of(rewritten, "1"), "a2"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Mistimed},
		"at other times since":               {timed(of(rewritten, "2"), "a2"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Touched},
		"edited, at other times":             {timed(of(edited, "1"), "a2"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Differs},
		"at times that nobody told":          {timed(of(written, "1"), "a2"), proof(written.digest(), "1", ""), sinks.Same},
		"at times that cannot be told":       {of(written, "1"), proof(WithTimes(written.digest(), "a1"), "1", ""), sinks.Same},
	} {
		if v := Compare(c.o, c.p); v != c.want {
			t.Errorf("%s: %v, want %v", name, v, c.want)
		}
		if e := Expect(c.p); e.Foreign != (c.p.Receipt.State == Kept) || !e.Foreign && c.p.Digest != "" && e.Twin != "f" {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// timed is an object that was expanded.
func timed(o sinks.Object, times string) sinks.Object {
	o.Digest = WithTimes(o.Digest, times)
	return o
}

// TestWithTimes adds nothing to what is no object of this program's.
func TestWithTimes(t *testing.T) {
	for _, c := range []struct{ digest, times, want string }{
		{"object:f:m", "a1", "object:f:m:times-a1"}, {"object:f:m:e", "a1", "object:f:m:e:times-a1"}, {"object:f:m", "", "object:f:m"},
		{"kept:c", "a1", "kept:c"}, {"raw:x", "a1", "raw:x"}, {"", "a1", ""},
	} {
		got := WithTimes(c.digest, c.times)
		if without, with := readDigest(c.digest), readDigest(got); got != c.want || without.full != with.full || without.meaning != with.meaning || without.stamp != with.stamp {
			t.Errorf("%q, %q: %q", c.digest, c.times, got)
		}
	}
}

// plainFormat has texts for objects, which are not to hold a question.
func plainFormat() Format {
	return Format{
		Noun: "text", Data: func(p Prop) string { return p.Calendar },
		Multiget: func(hrefs string) string { return "<x>" + hrefs + "</x>" },
		Read: func(data []byte) (Object, error) {
			if strings.Contains(string(data), "?") {
				return Object{}, errors.New("a question")
			}
			return Object{Full: DigestOf(data), Meaning: "m", Title: string(data[:min(len(data), 1000)])}, nil
		},
	}
}

// hostile answers with what cannot be read: XML that breaks off, an object without an end, one that is none, an address elsewhere.
func hostile(w http.ResponseWriter, r *http.Request) {
	const head = `<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">`
	response := func(href, prop string) string {
		return "<response><href>" + href + "</href><propstat><prop>" + prop + "</prop><status>HTTP/1.1 200 OK</status></propstat></response>"
	}
	switch {
	case r.Method == "PROPFIND":
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, head+response("/home/c/", "<displayname>C</displayname>")+response("mailto:x", "")+response("http://elsewhere.example/x", ""))
		for _, name := range []string{"good", "endless", "none", "gone", "secret"} {
			_, _ = io.WriteString(w, response("/home/c/"+name, `<getetag>"1"</getetag>`))
		}
		_, _ = io.WriteString(w, response("/home/c/sub/", "")+"</multistatus>")
	case r.Method == "REPORT":
		w.WriteHeader(http.StatusMultiStatus)
		_, _ = io.WriteString(w, head+response("/home/c/good", `<getetag>W/"2"</getetag><C:calendar-data>Good</C:calendar-data>`)+"<response><href>\x01")
	case strings.HasSuffix(r.URL.Path, "/endless"):
		chunk := strings.Repeat("x", 1<<20)
		for range maxAnswer>>20 + 2 {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
	case strings.HasSuffix(r.URL.Path, "/none"):
		_, _ = io.WriteString(w, "???")
	case strings.HasSuffix(r.URL.Path, "/secret"):
		w.WriteHeader(http.StatusForbidden)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func hostileStore(t *testing.T, h http.HandlerFunc) *Store {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := NewClient(Options{URL: server.URL + "/home/", Protocol: "CalDAV", Collection: "calendar"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return &Store{Client: c, Format: plainFormat(), Path: "/home/c/"}
}

// TestListGoesOnBehindBadObjects of a server that nobody controls.
func TestListGoesOnBehindBadObjects(t *testing.T) {
	s := hostileStore(t, hostile)
	got := map[string]string{}
	for o, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got[o.Location] = fmt.Sprint(o.Title, o.Version, o.Digest != "")
	}
	want := map[string]string{"/home/c/good": `Good"2"true`, "/home/c/endless": `"1"false`, "/home/c/none": `"1"false`, "/home/c/secret": `"1"false`}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	if o, err := s.Read(t.Context(), sinks.Object{Location: "/home/c/none"}); err != nil || o.Digest == "" || o.Twin != "" {
		t.Errorf("what is no object is read as %+v, %v", o, err)
	}
	if names, err := s.Clear(t.Context()); err != nil || len(names) > 0 {
		t.Errorf("cleared %q, %v", names, err)
	}
}

// TestListFailsWhenTheServerDoes so that nobody takes half of a collection for the whole.
func TestListFailsWhenTheServerDoes(t *testing.T) {
	for status, method := range map[int]string{503: "PROPFIND", 500: "REPORT", 401: "PROPFIND"} {
		s := hostileStore(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == method {
				w.WriteHeader(status)
				return
			}
			hostile(w, r)
		})
		var last error
		for _, err := range s.List(t.Context(), "") {
			last = err
		}
		if Status(last) != status {
			t.Errorf("%s fails with %d: %v", method, status, last)
		}
	}
}

// TestClear removes a collection of this program's alone, and only if nothing at all lies in it.
func TestClear(t *testing.T) {
	for name, c := range map[string]struct {
		path, inside string
		want         string
	}{
		"empty":                {"/home/repatriate-1/", "", "[C]"},
		"not ours":             {"/home/personal/", "", "[]"},
		"an object":            {"/home/repatriate-1/", "/home/repatriate-1/x.ics", "[]"},
		"a collection":         {"/home/repatriate-1/", "/home/repatriate-1/x/", "[]"},
		"an address elsewhere": {"/home/repatriate-1/", "mailto:x", "[]"},
	} {
		removed := false
		s := hostileStore(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				removed = true
				return
			}
			w.WriteHeader(http.StatusMultiStatus)
			_, _ = io.WriteString(w, `<multistatus xmlns="DAV:"><response><href>`+c.path+`</href><propstat><prop><displayname>C</displayname></prop></propstat></response>`)
			if c.inside != "" {
				_, _ = io.WriteString(w, `<response><href>`+c.inside+`</href></response>`)
			}
			_, _ = io.WriteString(w, `</multistatus>`)
		})
		s.Path = c.path
		names, err := s.Clear(t.Context())
		if err != nil || fmt.Sprint(names) != c.want || removed != (c.want != "[]") {
			t.Errorf("%s: cleared %q, removed %v, %v", name, names, removed, err)
		}
	}
}

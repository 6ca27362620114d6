package dav

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// endless is a text without an end.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	e.read += int64(len(p))
	return len(p), nil
}

func TestEndlessResponseStaysOutOfMemory(t *testing.T) {
	for _, head := range []string{"", `<d:response xmlns:d="DAV:"><d:href>`, "<!--", "<d:x y='"} {
		body := new(endless)
		r := &rationed{r: io.MultiReader(strings.NewReader(`<d:multistatus xmlns:d="DAV:">`+head), body), total: maxListing}
		err := eachResponse(r, func(Response) error { return nil })
		if !errors.Is(err, errListing) || !r.exhausted || body.read > maxResponse {
			t.Errorf("after %q: %d bytes were read, %v", head, body.read, err)
		}
	}
}

func TestListingIsAsLongAsItIs(t *testing.T) {
	one := `<d:response xmlns:d="DAV:"><d:href>/` + strings.Repeat("x", 1<<20) + `</d:href></d:response>`
	n := 0
	count := maxResponse/len(one) + 10
	r := &rationed{total: maxListing, r: strings.NewReader(`<d:multistatus xmlns:d="DAV:">` + strings.Repeat(one, count) + `</d:multistatus>`)}
	if err := eachResponse(r, func(Response) error { n++; return nil }); err != nil || n != count {
		t.Errorf("%d of %d responses, %v", n, count, err)
	}
}

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"/a%40b/": "/a@b/", "/a@b/": "/a@b/", "/%c3%bc": "/%C3%BC", "/ü": "/%C3%BC", "/a%2fb": "/a%2fb", "/a%20b": "/a%20b",
	} {
		u, err := url.Parse(in)
		if err != nil || Canonical(u) != want {
			t.Errorf("%s: %s, want %s", in, Canonical(u), want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add([]byte(`<D:error xmlns:D="DAV:"><C:no-uid-conflict xmlns:C="x"><D:href>/x</D:href></C:no-uid-conflict></D:error>`))
	f.Add([]byte("<html>\x00"))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := readWords(body, httpx.Mask{})
		if s := w.Said(body); len(s) > 310 || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("%q", s)
		}
	})
}

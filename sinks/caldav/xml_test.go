package caldav

import (
	"errors"
	"io"
	"strings"
	"testing"
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
		err := eachResponse(r, func(response) error { return nil })
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
	if err := eachResponse(r, func(response) error { n++; return nil }); err != nil || n != count {
		t.Errorf("%d of %d responses, %v", n, count, err)
	}
}

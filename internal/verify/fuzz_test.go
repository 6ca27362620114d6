package verify

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzPart: a body is taken only if it begins at or before the place that was asked for.
func FuzzPart(f *testing.F) {
	f.Add(206, "bytes 5-9/10", int64(5))
	f.Add(206, "bytes -5-9/10", int64(5))
	f.Add(206, "bytes 99999999999999999999-/1", int64(5))
	f.Add(206, "items 5-9", int64(0))
	f.Add(416, "bytes */10", int64(5))
	f.Fuzz(func(t *testing.T, status int, header string, offset int64) {
		if offset < 0 {
			return
		}
		res := &http.Response{StatusCode: status, Header: http.Header{"Content-Range": {header}}, Body: io.NopCloser(strings.NewReader("x"))}
		body, at, err := Part(res, offset)
		if (body == nil) != (err != nil) || err == nil && (at < 0 || at > offset || status != 200 && status != 206) {
			t.Errorf("%d, %q from %d: %d, %v", status, header, offset, at, err)
		}
		if err != nil && len(err.Error()) > 700 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	})
}

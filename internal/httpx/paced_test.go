package httpx_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/pace"
)

// TestPaced reads an answer of a megabyte at 100 kB/s, by a clock of its own.
func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := httpx.RoundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 1_000_000)))}, nil
		})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.org/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := httpx.Paced(next, pace.New(100_000)).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		n, err := io.Copy(io.Discard, res.Body)
		if took := time.Since(begin); n != 1_000_000 || err != nil || took < 9900*time.Millisecond || took > 10*time.Second {
			t.Errorf("%d bytes in %v, %v", n, took, err)
		}
	})
}

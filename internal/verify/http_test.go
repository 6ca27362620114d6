package verify_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/verify"
)

// get returns an opener over HTTP.
func get(c *http.Client, url string) verify.OpenAt {
	return func(ctx context.Context, offset int64) (io.ReadCloser, int64, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, 0, err
		}
		if v := verify.Range(offset); v != "" {
			req.Header.Set("Range", v)
		}
		resp, err := c.Do(req)
		if err != nil {
			return nil, 0, err
		}
		return verify.Part(resp, offset)
	}
}

func TestRangeOverHTTP(t *testing.T) {
	data := random(1 << 20)
	var requests atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 1 {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
			return
		}
		w.Header().Set("Content-Length", "1048576")
		_, _ = w.Write(data[:400_000])
		panic(http.ErrAbortHandler)
	}))
	defer srv.Close()
	r, err := verify.Open(t.Context(), verify.Want{Size: 1 << 20, SHA256: sha(data)}, get(srv.Client(), srv.URL), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(got, data) || requests.Load() != 2 {
		t.Errorf("got %d bytes in %d requests, %v", len(got), requests.Load(), err)
	}
}

func TestPart(t *testing.T) {
	tests := []struct {
		name   string
		status int
		rng    string
		at     int64
		ok     bool
	}{
		{"whole", 200, "", 0, true},
		{"part", 206, "bytes 5-9/10", 5, true},
		{"earlier part", 206, "bytes 3-9/10", 3, true},
		{"later part", 206, "bytes 6-9/10", 0, false},
		{"part without a range", 206, "", 0, false},
		{"negative", 206, "bytes -5-9/10", 0, false},
		{"huge", 206, "bytes 99999999999999999999-/1", 0, false},
		{"not satisfiable", 416, "bytes */4", 0, false},
		{"no content", 204, "", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := &http.Response{StatusCode: tt.status, Header: http.Header{"Content-Range": {tt.rng}}, Body: io.NopCloser(bytes.NewReader(nil))}
			body, at, err := verify.Part(resp, 5)
			if (err == nil) != tt.ok || (body != nil) != tt.ok || at != tt.at {
				t.Errorf("got body %v at %d, %v", body != nil, at, err)
			}
			if err != nil && fault.Of(err).Reason != fault.SourceBrokenBody {
				t.Errorf("error %v", err)
			}
		})
	}
}

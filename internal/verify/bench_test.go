package verify_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/verify"
)

// BenchmarkReader reads a large body over loopback, plain and verified, as io.Copy and as a request body is read.
func BenchmarkReader(b *testing.B) {
	const size = 256 << 20
	block := random(1 << 20)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range size / len(block) {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	open := get(&http.Client{Transport: httpx.NewTransport()}, srv.URL)
	run := func(name string, read func() (io.ReadCloser, error), hide bool) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				r, err := read()
				if err != nil {
					b.Fatal(err)
				}
				var src io.Reader = r
				if hide {
					src = struct{ io.Reader }{r}
				}
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, src, make([]byte, 32<<10)); n != size || err != nil {
					b.Fatal(n, err)
				}
				_ = r.Close()
			}
		})
	}
	plain := func() (io.ReadCloser, error) { r, _, err := open(b.Context(), 0); return r, err }
	proven := func() (io.ReadCloser, error) {
		return verify.Open(b.Context(), verify.Want{Size: size}, open, verify.Options{})
	}
	run("plain", plain, true)
	run("sha256/Read", proven, true)
	run("sha256/WriteTo", proven, false)
}

package google

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// BenchmarkMailFetch reads messages from a simulated provider in the same process; its share of the time is in the figure.
func BenchmarkMailFetch(b *testing.B) {
	for _, size := range []int{2 << 10, 26 << 10, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			d := tenantData(b)
			var all []string
			for i := range 50 {
				raw := append(mailOf(i), bytes.Repeat([]byte("0123456789 abcdef\r\n"), size/19)...)
				all = append(all, added(b)(d.ImportMail(alice, raw, "INBOX")))
			}
			server := sim.New(d, sim.Options{})
			h := httptest.NewServer(server)
			defer h.Close()
			defer server.Close()
			transport := httpx.NewTransport()
			defer transport.CloseIdleConnections()
			c, err := New(b.Context(), Options{Credentials: server.KeyFile(h.URL), Admin: alice, Endpoint: h.URL, Tier: "unlimited", Transport: transport})
			must(b, err)
			s := Mail(c, alice, MailOptions{})
			var n atomic.Int64
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					it, err := s.Fetch(b.Context(), all[int(n.Add(1))%len(all)])
					if err != nil {
						b.Error(err)
						return
					}
					r, err := it.Content.Body.Open(b.Context())
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, r)
					_ = r.Close()
					it.Release()
				}
			})
		})
	}
}

package google

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// discard is an http.ResponseWriter that keeps nothing, so that the figures are the simulator's own.
type discard struct {
	header http.Header
	n      int64
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { d.n += int64(len(p)); return len(p), nil }

func benchmark(b *testing.B, s *Server, path func(i int) string) {
	s.tokens["t"] = session{"user0001@example.org", ReadOnlyScopes(), time.Now().Add(time.Hour)}
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := httptest.NewRequest("GET", path(i), nil)
		r.Header.Set("Authorization", "Bearer t")
		s.ServeHTTP(w, r)
	}
	b.SetBytes(w.n / int64(b.N))
}

func BenchmarkMessagesGet(b *testing.B) {
	data := Generate(organisation.Spec{Users: 1, Mail: 2000})
	ids := data.Messages("user0001@example.org")
	s := New(data, Options{})
	benchmark(b, s, func(i int) string {
		return "/gmail/v1/users/me/messages/" + ids[i%len(ids)].ID + "?format=raw&fields=raw,labelIds,internalDate,threadId,historyId"
	})
}

func BenchmarkFilesList(b *testing.B) {
	s := New(Generate(organisation.Spec{Users: 1, Files: 1000}), Options{})
	benchmark(b, s, func(int) string {
		return "/drive/v3/files?pageSize=1000&q=%27me%27+in+owners+and+trashed%3Dfalse&fields=nextPageToken,files(id,name,mimeType,parents,size,md5Checksum,sha256Checksum,createdTime,modifiedTime,trashed,ownedByMe,shortcutDetails,exportLinks,capabilities(canDownload))"
	})
}

func BenchmarkDownload(b *testing.B) {
	data := NewData("example.org")
	_ = data.AddUser(User{Email: "user0001@example.org"})
	id, _ := data.AddFile("user0001@example.org", File{Name: "f", Content: cloudsim.Generated(1, 500<<20)})
	s := New(data, Options{})
	benchmark(b, s, func(int) string { return "/drive/v3/files/" + id + "?alt=media" })
}

func BenchmarkGenerate(b *testing.B) {
	for i := 0; b.Loop(); i++ {
		Generate(organisation.Spec{Users: 1, Mail: 10_000, Files: 5_000, Events: 500, Seed: int64(i)})
	}
}

func BenchmarkChecksums(b *testing.B) {
	for _, size := range []int64{100 << 10, 5 << 30} {
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				(&cloudsim.Checksums{}).Of(cloudsim.Generated(uint64(i), size))
			}
		})
	}
}

package webdav_test

import (
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/hostile"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// TestHostileServers: whatever a server answers, the error is named and short, and memory stays small.
func TestHostileServers(t *testing.T) {
	for name, answer := range hostile.XML() {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			hostile.Bounded(t, 256<<20, func() {
				k, err := webdav.Open(t.Context(), webdav.Options{URL: s.URL + "/files/", User: "ada", Password: "secret"})
				if err == nil {
					_ = k.Close()
					t.Fatal("no error")
				}
				f := fault.Of(err)
				if f.Reason != fault.TargetBadAnswer && f.Reason != fault.TargetUnavailable || len(err.Error()) > 1000 {
					t.Errorf("%s: %.300v (%d bytes)", f.Reason, err, len(err.Error()))
				}
			})
		})
	}
}

package google

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/hostile"
)

// TestHostileServers: whatever is answered, as a document, as an error or instead of a token, the error is named and short, and memory
// stays bounded by the largest document that is read.
func TestHostileServers(t *testing.T) {
	server := sim.New(tenantData(t), sim.Options{})
	defer server.Close()
	for _, status := range []int{200, 403} {
		for name, answer := range hostile.JSON(status) {
			for _, path := range []string{"/token", ""} {
				t.Run(fmt.Sprint(name, status, path), func(t *testing.T) {
					h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/token" && path == "" {
							server.ServeHTTP(w, r)
							return
						}
						answer(w, r)
					}))
					defer h.Close()
					c, err := New(t.Context(), Options{Credentials: server.KeyFile(h.URL), Endpoint: h.URL, Tier: "unlimited"})
					must(t, err)
					hostile.Bounded(t, 8*maxAnswer, func() { err = profile(t.Context(), c, alice) })
					if err == nil && name == "other types" && status == 200 && path == "" {
						return // of a profile, none of them counts
					}
					if f := fault.Of(err); err == nil || f.Reason == "" || len(err.Error()) > 1000 {
						t.Errorf("%.300v", err)
					}
				})
			}
		}
	}
}

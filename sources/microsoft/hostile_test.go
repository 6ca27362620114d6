package microsoft

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/hostile"
)

// TestHostileServers: whatever Graph or the token service answers, as a document or as an error, the error is named and short, and memory
// stays bounded by the largest document that is read.
func TestHostileServers(t *testing.T) {
	for _, status := range []int{200, 403} {
		answers := hostile.JSON(status)
		answers["nulls"] = func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"value":[null,{},null],"error":null,"responses":[null],"access_token":null}`)
		}
		for name, answer := range answers {
			t.Run(fmt.Sprint(name, status), func(t *testing.T) {
				_, c := newTenant(t, answer)
				hostile.Bounded(t, 8*maxAnswer, func() {
					found, err := accountsOf(t.Context(), c)
					if err == nil && name == "nulls" && len(found) == 0 {
						return
					}
					if f := fault.Of(err); err == nil || f.Reason == "" || len(err.Error()) > 1000 {
						t.Errorf("%.300v", err)
					}
				})
			})
			t.Run(fmt.Sprint("token ", name, status), func(t *testing.T) {
				s, c := newTenant(t, func(http.ResponseWriter, *http.Request) { t.Error("a request without a token") })
				s.refuse = nil
				s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/token") {
						answer(w, r)
						return
					}
					s.ServeHTTP(w, r)
				})
				hostile.Bounded(t, 8*maxAnswer, func() {
					_, err := accountsOf(t.Context(), c)
					if f := fault.Of(err); err == nil || f.Reason == "" || len(err.Error()) > 1000 {
						t.Errorf("%.300v", err)
					}
				})
			})
		}
	}
}

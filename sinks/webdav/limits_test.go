package webdav_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// TestLimits: the room that a server tells (RFC 4331), none where it tells none or, as Nextcloud does, a negative number, and nothing is
// written to find out.
func TestLimits(t *testing.T) {
	for quota, want := range map[string]int64{
		"<d:quota-available-bytes>12345</d:quota-available-bytes>": 12345, "<d:quota-available-bytes> 0 </d:quota-available-bytes>": 0,
		"<d:quota-available-bytes>-3</d:quota-available-bytes>": -1, "": -1, "<d:quota-available-bytes>lots</d:quota-available-bytes>": -1,
		"<d:quota-available-bytes>99999999999999999999</d:quota-available-bytes>": -1,
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != "PROPFIND" {
				if r.Method != http.MethodGet {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusMultiStatus)
			fmt.Fprintf(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>%s</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>%s</d:prop>`+
				`<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, r.URL.Path, quota)
		}))
		t.Cleanup(s.Close)
		got, err := webdav.Limits(t.Context(), webdav.Options{URL: s.URL + "/files/", User: "u1", Password: "secret"})
		if err != nil || got != (preflight.Limits{Room: want}) {
			t.Errorf("%s: %+v, %v", quota, got, err)
		}
	}
}

func TestLimitsOfWhoMayNotLogIn(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(s.Close)
	got, err := webdav.Limits(t.Context(), webdav.Options{URL: s.URL, User: "u1", Password: "secret"})
	if fault.Of(err).Reason != fault.TargetAuth || got != preflight.NoLimits {
		t.Errorf("%+v, %v", got, err)
	}
}

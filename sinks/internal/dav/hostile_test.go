package dav

import (
	"net/http/httptest"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	hostileanswers "codeberg.org/repatriate/repatriate/internal/hostile"
)

// TestHostileServers: whatever a server answers to what calendars and address books are looked for with, the error is named and short,
// and memory stays small.
func TestHostileServers(t *testing.T) {
	for name, answer := range hostileanswers.XML() {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(answer)
			defer s.Close()
			c, err := NewClient(Options{URL: s.URL + "/home/", User: "ada", Password: "secret", Protocol: "CalDAV", Collection: "calendar"})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			hostileanswers.Bounded(t, 8*maxResponse, func() {
				err = c.Multistatus(t.Context(), "PROPFIND", "/home/", "1", "<x/>", func(Response) error { return nil })
			})
			f := fault.Of(err)
			if err == nil || f.Reason != fault.TargetBadAnswer && f.Reason != fault.TargetUnavailable || len(err.Error()) > 1000 {
				t.Fatalf("%.300v", err)
			}
			hostileanswers.Bounded(t, 8*maxResponse, func() {
				a, err := c.Do(t.Context(), "GET", "/home/x", nil, nil)
				if err == nil {
					err = c.Fault(a)
				}
				if len(err.Error()) > 1000 {
					t.Errorf("%.300v", err)
				}
			})
		})
	}
}

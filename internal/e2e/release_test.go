package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// meetings gives each of two users a meeting with the other as guest.
func meetings(t *testing.T) *sim.Data {
	data := tenantData(t, "anna@example.org", "ben@example.org")
	for _, pair := range [][2]string{{"anna@example.org", "ben@example.org"}, {"ben@example.org", "anna@example.org"}} {
		value(data.AddEvent(pair[0], pair[0], json.RawMessage(fmt.Sprintf(`{"summary": "Meeting", "start": {"dateTime": "2031-05-04T10:00:00Z"},
			"end": {"dateTime": "2031-05-04T11:00:00Z"}, "organizer": {"email": %q, "self": true}, "attendees": [{"email": %q}]}`, pair[0], pair[1]))))(t)
	}
	return data
}

// TestRelease lets organizers invite again after the move, and a later pass finds nothing to do.
func TestRelease(t *testing.T) {
	s := realServers(t)
	people := []person{{source: "anna@example.org", target: fresh(t)}, {source: "ben@example.org", target: fresh(t)}}
	w := newWorld(t, meetings(t), sim.Options{}, urls{calendar: s.calendar.CalendarsURL("{user}")}, people...)
	first := w.run(0)
	suppressed := func() (n int) {
		for _, p := range people {
			for _, collection := range hrefs(t, s.calendar.CalendarsURL(p.target), p.target) {
				for _, object := range hrefs(t, collection, p.target) {
					if strings.Contains(fetch(t, http.MethodGet, object, p.target, ""), "SCHEDULE-AGENT") {
						n++
					}
				}
			}
		}
		return n
	}
	if n := suppressed(); n != 2 {
		t.Fatalf("%d events are suppressed before the release, want 2", n)
	}
	for _, step := range []struct {
		args         []string
		released, is int
	}{{[]string{"--dry-run"}, 1, 2}, {nil, 1, 0}, {nil, 0, 0}} {
		r := w.start(append([]string{"calendars", "release", w.job()}, step.args...)...).wait()
		if r.exit != 0 {
			t.Fatalf("exit code %d: %s%s", r.exit, r.stdout, r.stderr)
		}
		for _, p := range people {
			if want := fmt.Sprintf("%s %d 0\n", p.source, step.released); !strings.Contains(strings.Join(strings.Fields(r.stdout), " ")+"\n", strings.TrimSpace(want)) {
				t.Errorf("%v:\n%s", step.args, r.stdout)
			}
		}
		if n := suppressed(); n != step.is {
			t.Errorf("%v: %d events are suppressed, want %d", step.args, n, step.is)
		}
	}
	settledButListed(t, w.run(0), first)
}

// TestReleaseRefused by a server that would tell the guests.
func TestReleaseRefused(t *testing.T) {
	server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true, Accounts: realserver.Accounts{Count: 2, Password: password}})
	w := newWorld(t, meetings(t), sim.Options{}, urls{calendar: server.CalendarsURL("{user}")},
		person{source: "anna@example.org", target: server.User(1).User}, person{source: "ben@example.org", target: server.User(2).User})
	w.run(0)
	r := w.start("calendars", "release", w.job()).wait()
	if r.exit != 4 || !strings.Contains(r.stderr, "nothing was released") || !strings.Contains(r.stderr, "turn its scheduling off") {
		t.Errorf("exit code %d: %s%s", r.exit, r.stdout, r.stderr)
	}
}

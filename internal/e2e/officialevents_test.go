package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// officialEvent is what an event of Google is compared by.
type officialEvent struct {
	Summary    string
	Start, End struct {
		Date     string
		DateTime time.Time
	}
	Recurrence []string
	Birthday   *struct{ Contact string } `json:"birthdayProperties"`
}

// TestOfficialEventsOfGoogle moves each event of the shared data, and compares when it takes place with its own description.
func TestOfficialEventsOfGoogle(t *testing.T) {
	const anna = "anna@example.org"
	for name, server := range peopleServers(t) {
		t.Run(name, func(t *testing.T) {
			data := tenantData(t, anna)
			var want []string
			for _, path := range sharedData(t, "google-json/*-event-*.json") {
				raw := readFile(t, path)
				value(data.AddEvent(anna, "", raw))(t)
				want = append(want, officialTimes(t, raw)...)
			}
			user := server.User(3).User
			w := newWorld(t, data, sim.Options{Strict: value(sim.ModuleSchema(t.Context()))(t)}, urls{calendar: server.CalendarsURL("{user}")},
				person{source: anna, target: user, kinds: "calendar"})
			r := w.run(0)
			var got []string
			for _, objects := range readCalendars(t, server.CalendarsURL(user), user) {
				for name, body := range objects {
					parseByOthers(t, name, body)
					got = append(got, expandObject(t, body)...)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) || len(want) < 7 {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			silent(t, w.verify(), r)
		})
	}
}

// officialTimes says when an event takes place; never, if Google makes it from a contact.
func officialTimes(t *testing.T, raw []byte) []string {
	t.Helper()
	var e officialEvent
	must(t, json.Unmarshal(raw, &e))
	if e.Birthday != nil && e.Birthday.Contact != "" {
		return nil
	}
	if len(e.Recurrence) > 0 {
		t.Fatalf("a series: %s", e.Summary)
	}
	if e.Start.Date == "" {
		return []string{fmt.Sprintf("%s +%v %s", e.Start.DateTime.UTC().Format(time.RFC3339), e.End.DateTime.Sub(e.Start.DateTime), e.Summary)}
	}
	start := day(t, e.Start.Date)
	return []string{fmt.Sprintf("%s +%v %s", e.Start.Date, day(t, e.End.Date).Sub(start), e.Summary)}
}

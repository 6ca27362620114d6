package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
)

// weekly is a series of ten Wednesdays from 2024-03-06.
const weekly = `{"id":"weekly","summary":"Weekly","start":{"dateTime":"2024-03-06T09:00:00+01:00","timeZone":"Europe/Berlin"},
	"end":{"dateTime":"2024-03-06T10:00:00+01:00","timeZone":"Europe/Berlin"},"recurrence":["RRULE:FREQ=WEEKLY;COUNT=10"]}`

func single(title string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":%q,"summary":%q,"start":{"dateTime":"2024-03-18T09:00:00+01:00","timeZone":"Europe/Berlin"},
		"end":{"dateTime":"2024-03-18T10:00:00+01:00","timeZone":"Europe/Berlin"},"reminders":{"useDefault":true},"colorId":"11"}`,
		strings.ReplaceAll(strings.ToLower(title), " ", ""), title))
}

// diary is an organisation whose Alice has a series with a moved and a cancelled day, an imported series and three single
// events, one of them deleted.
func diary(t testing.TB) *sim.Data {
	d := tenantData(t)
	add := added(t)
	add(d.AddEvent(alice, "", json.RawMessage(weekly)))
	must(t, d.ChangeOccurrence(alice, "", "weekly", "2024-03-20T09:00:00+01:00", json.RawMessage(
		`{"start":{"dateTime":"2024-03-21T09:00:00+01:00","timeZone":"Europe/Berlin"},"end":{"dateTime":"2024-03-21T10:00:00+01:00","timeZone":"Europe/Berlin"}}`)))
	must(t, d.CancelOccurrence(alice, "", "weekly", "2024-03-27T09:00:00+01:00"))
	add(d.AddEvent(alice, "", json.RawMessage(`{"id":"_imported","iCalUID":"from@elsewhere.example","summary":"Imported",
		"start":{"date":"2024-04-01"},"end":{"date":"2024-04-02"},"recurrence":["RRULE:FREQ=DAILY;COUNT=3"]}`)))
	must(t, d.CancelOccurrence(alice, "", "_imported", "2024-04-02"))
	add(d.AddEvent(alice, "", single("Lunch")))
	add(d.AddEvent(alice, "", single("Dinner")))
	add(d.AddEvent(alice, "", single("Gone")))
	must(t, d.CancelEvent(alice, "", "gone"))
	return d
}

// complete fetches what was listed as a stub.
func complete(t testing.TB, s sources.Source[sources.Event], items []sources.Item[sources.Event]) map[string]sources.Item[sources.Event] {
	t.Helper()
	out := map[string]sources.Item[sources.Event]{}
	for _, it := range items {
		if it.Stub {
			var err error
			it, err = s.Fetch(t.Context(), it.ID)
			must(t, err)
		}
		out[it.ID] = it
	}
	return out
}

func TestCalendarListing(t *testing.T) {
	d := diary(t)
	c, server := simulated(t, d, sim.Options{})
	s := Calendar(c, alice, alice)
	page, err := s.Changes(t.Context(), "")
	must(t, err)
	if !page.Listing || !page.ListingDone || page.More {
		t.Errorf("page %+v", page)
	}
	got := ids(page.Items)
	slices.Sort(got)
	if want := []string{"_imported", "dinner", "lunch", "weekly"}; !slices.Equal(got, want) {
		t.Fatalf("listed %q, want %q", got, want)
	}
	w := byTitle(t, page.Items, "Weekly").Content
	if w.UID != "weekly@google.com" || w.Master == nil || len(w.Exceptions) != 1 || len(w.Cancelled) != 1 {
		t.Fatalf("series %+v", w)
	}
	at := func(s string) time.Time { v, _ := time.Parse(time.RFC3339, s); return v }
	if e := w.Exceptions[0]; !e.OriginalStart.Time.Equal(at("2024-03-20T09:00:00+01:00")) || !e.Start.Time.Equal(at("2024-03-21T09:00:00+01:00")) || e.Start.Zone != "Europe/Berlin" {
		t.Errorf("moved day %+v", e)
	}
	if !w.Cancelled[0].Time.Equal(at("2024-03-27T09:00:00+01:00")) || w.Cancelled[0].Zone != "Europe/Berlin" {
		t.Errorf("cancelled day %+v", w.Cancelled[0])
	}
	if i := byTitle(t, page.Items, "Imported").Content; i.UID != "from@elsewhere.example" || len(i.Cancelled) != 1 || i.Cancelled[0].Date != "2024-04-02" {
		t.Errorf("imported series %+v", i)
	}
	l := byTitle(t, page.Items, "Lunch").Content.Master
	if l == nil || l.Color != "#dc2127" || !slices.Equal(l.Reminders, []sources.Reminder{{Method: "popup", Before: 10 * time.Minute}}) {
		t.Errorf("single event %+v", l)
	}
	for _, it := range page.Items {
		fetched, err := s.Fetch(t.Context(), it.ID)
		if err != nil || fetched.Version != it.Version || fetched.Stub {
			t.Errorf("%s: fetched version %q, %v, listed %q", it.ID, fetched.Version, err, it.Version)
		}
	}
	for id, requests := range map[string]int{"weekly": 1, "lunch": 1, "_imported": 2} {
		server.ResetCounts()
		if _, err := s.Fetch(t.Context(), id); err != nil || server.Requests() != requests {
			t.Errorf("%s was fetched by %v, %v", id, server.Counts(), err)
		}
	}
	if _, err := s.Fetch(t.Context(), "gone"); !errors.Is(err, sources.ErrGone) {
		t.Errorf("fetched a deleted event: %v", err)
	}
	if _, err := s.Fetch(t.Context(), "unheard"); !errors.Is(err, sources.ErrGone) {
		t.Errorf("fetched an unknown event: %v", err)
	}

	server.ResetCounts()
	again, _ := pass(t, Calendar(c, alice, alice), page.Next)
	if len(again) != 0 || server.Requests() > 3 {
		t.Errorf("a second pass took %v for the items %q", server.Counts(), ids(again))
	}
}

func TestCalendarPagesGiveTheSameEvents(t *testing.T) {
	d := diary(t)
	c, _ := simulated(t, d, sim.Options{})
	whole, _ := pass(t, Calendar(c, alice, alice), "")
	want := complete(t, Calendar(c, alice, alice), whole)
	for size := 1; size <= 6; size++ {
		c, _ := simulated(t, d, sim.Options{PageSize: size})
		s := Calendar(c, alice, alice)
		items, next := pass(t, s, "")
		got := complete(t, s, items)
		if len(got) != len(want) {
			t.Errorf("pages of %d: %q", size, ids(items))
		}
		for id, it := range got {
			if it.Version != want[id].Version || it.Deleted {
				t.Errorf("pages of %d: %s has version %q, want %q", size, id, it.Version, want[id].Version)
			}
		}
		if again, _ := pass(t, s, next); len(again) != 0 {
			t.Errorf("pages of %d: %q again", size, ids(again))
		}
	}
}

func TestCalendarChanges(t *testing.T) {
	d := diary(t)
	c, _ := simulated(t, d, sim.Options{})
	s := Calendar(c, alice, alice)
	items, next := pass(t, s, "")
	known := complete(t, s, items)
	patch := func(s string) json.RawMessage { return json.RawMessage(s) }
	steps := []struct {
		name    string
		change  func() error
		want    []string
		stub    bool
		changed bool
	}{
		{"move a single event", func() error {
			return d.UpdateEvent(alice, "", "lunch", patch(`{"start":{"dateTime":"2024-03-19T12:00:00+01:00","timeZone":"Europe/Berlin"}}`))
		}, []string{"lunch"}, false, true},
		{"reminders", func() error {
			return d.UpdateEvent(alice, "", "lunch", patch(`{"reminders":{"useDefault":false,"overrides":[{"method":"email","minutes":5}]}}`))
		}, []string{"lunch"}, false, true},
		{"rename a series", func() error { return d.UpdateEvent(alice, "", "weekly", patch(`{"summary":"Wednesdays"}`)) }, []string{"weekly"}, true, true},
		{"cancel a day", func() error { return d.CancelOccurrence(alice, "", "weekly", "2024-04-03T09:00:00+02:00") }, []string{"weekly"}, true, true},
		{"change a day of an imported series", func() error {
			return d.ChangeOccurrence(alice, "", "_imported", "2024-04-03", patch(`{"summary":"Other"}`))
		}, []string{"_imported"}, true, true},
		{"delete a single event", func() error { return d.CancelEvent(alice, "", "dinner") }, []string{"-dinner"}, false, false},
		{"delete a series", func() error { return d.CancelEvent(alice, "", "weekly") }, []string{"-weekly"}, false, false},
		{"add", func() error { _, err := d.AddEvent(alice, "", single("Supper")); return err }, []string{"supper"}, false, true},
	}
	for _, step := range steps {
		must(t, step.change())
		items, next = pass(t, s, next)
		if !slices.Equal(ids(items), step.want) {
			t.Fatalf("%s: %q, want %q", step.name, ids(items), step.want)
		}
		it := items[0]
		if it.Stub != step.stub {
			t.Errorf("%s: stub %v", step.name, it.Stub)
		}
		if !step.changed {
			continue
		}
		if it.Version == known[it.ID].Version || it.Version == "" {
			t.Errorf("%s: %+v", step.name, it)
		}
		now := complete(t, s, items)[it.ID]
		if now.Version == known[it.ID].Version {
			t.Errorf("%s: the version is as before", step.name)
		}
		known[it.ID] = now
	}
}

func TestCalendarDeletedSeriesAcrossPages(t *testing.T) {
	d := diary(t)
	c, _ := simulated(t, d, sim.Options{PageSize: 1})
	s := Calendar(c, alice, alice)
	_, next := pass(t, s, "")
	must(t, d.CancelEvent(alice, "", "weekly"))
	items, _ := pass(t, s, next)
	if last := items[len(items)-1]; last.ID != "weekly" || !last.Deleted {
		t.Errorf("changes %q", ids(items))
	}
	for _, it := range items {
		if !it.Stub {
			continue
		}
		if _, err := s.Fetch(t.Context(), it.ID); !errors.Is(err, sources.ErrGone) {
			t.Errorf("fetched a deleted series: %v", err)
		}
	}
}

func TestCalendarOrphanedOccurrence(t *testing.T) {
	d := tenantData(t)
	added(t)(d.AddEvent(alice, "", json.RawMessage(`{"id":"elsewhere_20240320T080000Z","recurringEventId":"elsewhere","iCalUID":"elsewhere@google.com","summary":"One of many",
		"originalStartTime":{"dateTime":"2024-03-20T09:00:00+01:00","timeZone":"Europe/Berlin"},
		"start":{"dateTime":"2024-03-20T09:00:00+01:00"},"end":{"dateTime":"2024-03-20T10:00:00+01:00"}}`)))
	added(t)(d.AddEvent(alice, "", json.RawMessage(`{"id":"remnant_20240320T080000Z","recurringEventId":"remnant","status":"cancelled",
		"originalStartTime":{"dateTime":"2024-03-20T09:00:00+01:00"}}`)))
	c, _ := simulated(t, d, sim.Options{})
	s := Calendar(c, alice, alice)
	items, _ := pass(t, s, "")
	if len(items) != 1 || items[0].ID != "elsewhere" || items[0].Content.Master != nil || len(items[0].Content.Exceptions) != 1 || items[0].Content.UID != "elsewhere@google.com" {
		t.Fatalf("items %+v", items)
	}
	if it, err := s.Fetch(t.Context(), "elsewhere"); err != nil || it.Version != items[0].Version {
		t.Errorf("fetched %+v, %v", it, err)
	}
}

// TestCalendarOrphansOfOthers are single occurrences of series that were made elsewhere: their UIDs do not follow from their ids. They are
// found among changes, and by a source that has seen no page, as when one that failed is tried again.
func TestCalendarOrphansOfOthers(t *testing.T) {
	d := tenantData(t)
	c, _ := simulated(t, d, sim.Options{})
	s := Calendar(c, alice, alice)
	_, cursor := pass(t, s, "")
	added(t)(d.AddEvent(alice, "", json.RawMessage(`{"id":"_6dj3ac9g_20240320T080000Z","recurringEventId":"_6dj3ac9g","iCalUID":"series@example.net","summary":"One of many",
		"originalStartTime":{"dateTime":"2024-03-20T09:00:00+01:00","timeZone":"Europe/Berlin"},
		"start":{"dateTime":"2024-03-20T09:00:00+01:00"},"end":{"dateTime":"2024-03-20T10:00:00+01:00"}}`)))
	items, _ := pass(t, s, cursor)
	if len(items) != 1 || items[0].ID != "_6dj3ac9g" {
		t.Fatalf("items %+v", items)
	}
	for _, source := range []sources.Source[sources.Event]{s, Calendar(c, alice, alice)} {
		it, err := source.Fetch(t.Context(), "_6dj3ac9g")
		if err != nil || it.Content.UID != "series@example.net" || len(it.Content.Exceptions) != 1 {
			t.Errorf("fetched %+v, %v", it, err)
		}
		if _, err := source.Fetch(t.Context(), "_unheard"); !errors.Is(err, sources.ErrGone) {
			t.Errorf("one that there never was: %v", err)
		}
	}
}

func TestCalendarExpiry(t *testing.T) {
	d := diary(t)
	c, _ := simulated(t, d, sim.Options{PageSize: 3})
	s := Calendar(c, alice, alice)
	first, err := s.Changes(t.Context(), "")
	must(t, err)
	_, next := pass(t, s, first.Next)
	d.ExpirePageTokens()
	if _, err := s.Changes(t.Context(), first.Next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("expired page token: %v", err)
	}
	must(t, d.ExpireSyncTokens(alice, alice))
	if _, err := s.Changes(t.Context(), next); !errors.Is(err, sources.ErrCursorExpired) {
		t.Errorf("expired sync token: %v", err)
	}
	for _, junk := range []sources.Cursor{"x", "{}", "null", `{"sync":1}`} {
		if _, err := s.Changes(t.Context(), junk); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("cursor %q: %v", junk, err)
		}
	}
}

func TestCalendars(t *testing.T) {
	d := tenantData(t)
	team := added(t)(d.AddCalendar(alice, sim.Calendar{Summary: "Team", SummaryOverride: "Our team", Description: "All of us", TimeZone: "Europe/Paris", ColorID: "3", Hidden: true}))
	others := added(t)(d.AddCalendar(bob, sim.Calendar{Summary: "Bob's"}))
	must(t, d.Subscribe(alice, bob, others, "owner"))
	must(t, d.Subscribe(alice, bob, bob, "reader"))
	holidays := added(t)(d.AddCalendar(alice, sim.Calendar{ID: "en.german#holiday@group.v.calendar.google.com", Summary: "Holidays"}))
	c, _ := simulated(t, d, sim.Options{PageSize: 2})
	got, err := Calendars(t.Context(), c, alice)
	must(t, err)
	want := []sources.Collection{
		{ID: alice, Name: alice, Primary: true, Color: "#9fe1e7", TimeZone: "UTC"},
		{ID: team, Name: "Our team", Description: "All of us", Color: "#f83a22", TimeZone: "Europe/Paris"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("calendars %+v, want %+v; not %s, %s", got, want, others, holidays)
	}
}

func TestCalendarThrottled(t *testing.T) {
	d := diary(t)
	for _, f := range []cloudsim.Fault{{Kind: "429"}, {Kind: "403", Reason: "rateLimitExceeded"}, {Kind: "403", Reason: "quotaExceeded"}} {
		c, _ := simulated(t, d, sim.Options{Behaviour: cloudsim.Behaviour{Hook: func(_ *http.Request, method string) (cloudsim.Fault, bool) {
			return f, method == "calendar.events.list"
		}}})
		if _, err := Calendar(c, alice, alice).Changes(t.Context(), ""); fault.Of(err).Action != fault.Retry || fault.Of(err).Reason != fault.SourceThrottled {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

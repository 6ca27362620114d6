package google_test

import (
	"encoding/json"
	"slices"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"google.golang.org/api/calendar/v3"
)

// events gives the ids and states of all events since a sync token, and the next token.
func events(t *testing.T, c clients, id, token string) (map[string]*calendar.Event, string) {
	t.Helper()
	out, next := map[string]*calendar.Event{}, ""
	list := c.calendar.Events.List(id).SingleEvents(false).MaxResults(4)
	if token == "" {
		list.ShowDeleted(false)
	} else {
		list.SyncToken(token)
	}
	err := list.Pages(t.Context(), func(page *calendar.Events) error {
		for _, e := range page.Items {
			out[e.Id] = e
		}
		if (page.NextPageToken == "") == (page.NextSyncToken == "") {
			t.Error("a page has both tokens or none")
		}
		next = page.NextSyncToken
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, next
}

func TestCalendarList(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	var names []string
	err := c.calendar.CalendarList.List().ShowHidden(true).MinAccessRole("owner").MaxResults(2).Pages(t.Context(), func(l *calendar.CalendarList) error {
		for _, e := range l.Items {
			names = append(names, e.Summary)
		}
		return nil
	})
	if want := []string{anna, "Old projects", "Workshop rota"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("calendars %v, want %v: %v", names, want, err)
	}
	visible, err := connect(t, s, h, carla).calendar.CalendarList.List().Do()
	if err != nil || len(visible.Items) != 2 || visible.Items[1].AccessRole != "freeBusyReader" {
		t.Fatalf("Carla's calendars: %v", err)
	}
	one, err := c.calendar.Calendars.Get("primary").Do()
	if err != nil || one.TimeZone != "Europe/Berlin" || one.Id != anna {
		t.Errorf("primary calendar: %v %+v", err, one)
	}
	if entry, err := c.calendar.CalendarList.Get(anna).Do(); err != nil || !entry.Primary || len(entry.DefaultReminders) != 2 {
		t.Errorf("entry: %v", err)
	}
	if colors, err := c.calendar.Colors.Get().Do(); err != nil || len(colors.Calendar) != 24 || len(colors.Event) != 11 {
		t.Errorf("colours: %v", err)
	}
	_, err = c.calendar.Calendars.Get("nobody@example.org").Do()
	wantReason(t, err, 404, "notFound")
}

func TestEvents(t *testing.T) {
	s, h := start(t, exampleData(t), sim.Options{})
	c := connect(t, s, h, anna)
	got, _ := events(t, c, "primary", "")
	if len(got) != 15 {
		t.Errorf("%d events, want 15", len(got))
	}
	cancelled := got["standup_20240403T070000Z"]
	if cancelled == nil || cancelled.Status != "cancelled" || cancelled.OriginalStartTime == nil || cancelled.Start != nil || cancelled.ICalUID != "" {
		t.Errorf("a cancelled occurrence: %+v", cancelled)
	}
	if e := got["planning2024"]; len(e.Attendees) != 5 || e.Attendees[3].AdditionalGuests != 2 || e.ICalUID != "planning2024@google.com" {
		t.Errorf("event with guests: %+v", e)
	}
	busy, _ := events(t, connect(t, s, h, carla), "workshop@group.calendar.google.com", "")
	if e := busy["rota2"]; e == nil || e.Summary != "" || len(e.Recurrence) != 2 {
		t.Errorf("what a free/busy reader sees: %+v", e)
	}
	byUID, err := c.calendar.Events.List("primary").ICalUID("standup@google.com").Do()
	if err != nil || len(byUID.Items) != 3 || byUID.NextSyncToken != "" { // with the cancelled day of the living series
		t.Errorf("by UID: %v, %+v", err, byUID)
	}
	if e, err := c.calendar.Events.Get("primary", "rent_20240430").Do(); err != nil || e.RecurringEventId != "rent" {
		t.Errorf("one event: %v", err)
	}
	_, err = c.calendar.Events.Get("primary", "nothing").Do()
	wantReason(t, err, 404, "notFound")
}

func TestEventChanges(t *testing.T) {
	data := exampleData(t)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, anna)
	_, token := events(t, c, "primary", "")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(data.UpdateEvent(anna, "", "dentist2024", json.RawMessage(`{"summary":"Dentist, again","visibility":null}`)))
	must(data.CancelEvent(anna, "", "planning2024"))
	must(data.CancelOccurrence(anna, "", "standup", "2024-05-06T09:00:00+02:00"))
	must(data.ChangeOccurrence(anna, "", "rent", "2024-06-30", json.RawMessage(`{"start":{"date":"2024-06-28"},"end":{"date":"2024-06-29"}}`)))
	must(data.MoveEvent(anna, "", "focus1", "workshop@group.calendar.google.com"))
	added, err := data.AddEvent(anna, "", json.RawMessage(`{"summary":"New","start":{"date":"2024-08-01"},"end":{"date":"2024-08-02"}}`))
	must(err)

	got, next := events(t, c, "primary", token)
	states := map[string]string{}
	for id, e := range got {
		states[id] = e.Status
	}
	want := map[string]string{"dentist2024": "confirmed", "planning2024": "cancelled", "standup_20240506T070000Z": "cancelled",
		"rent_20240630": "confirmed", "focus1": "cancelled", added: "confirmed"}
	if len(states) != len(want) {
		t.Errorf("changes %v, want %v", states, want)
	}
	for id, status := range want {
		if states[id] != status {
			t.Errorf("%s is %q, want %q", id, states[id], status)
		}
	}
	if e := got["dentist2024"]; e.Summary != "Dentist, again" || e.Visibility != "" || e.Sequence != 1 {
		t.Errorf("updated event: %+v", e)
	}
	if again, _ := events(t, c, "primary", next); len(again) != 0 {
		t.Errorf("changes after the last token: %v", again)
	}
	if there, _ := events(t, c, "workshop@group.calendar.google.com", ""); there["focus1"] == nil {
		t.Error("a moved event did not arrive")
	}
	must(data.CancelEvent(anna, "", "standup"))
	if gone, _ := events(t, c, "primary", next); gone["standup"].Status != "cancelled" || gone["standup_20240320T080000Z"].Status != "cancelled" {
		t.Errorf("a deleted series: %v", gone)
	}
	full, _ := events(t, c, "primary", "")
	for id := range full {
		if id == "standup_20240403T070000Z" {
			t.Error("an occurrence of a deleted series is listed")
		}
	}
	must(data.ExpireSyncTokens(anna, "primary"))
	_, err = c.calendar.Events.List("primary").SyncToken(next).Do()
	wantReason(t, err, 410, "fullSyncRequired")
	_, fresh := events(t, c, "primary", "")
	if again, _ := events(t, c, "primary", fresh); len(again) != 0 {
		t.Errorf("changes after a new full listing: %v", again)
	}
}

// A cancelled occurrence is found by its series' iCalUID, though nobody wrote it there.
func TestCancelledOccurrenceHasTheUID(t *testing.T) {
	data := exampleData(t)
	id, err := data.AddEvent(anna, "", json.RawMessage(`{"id": "series", "iCalUID": "series@example.net", "recurrence": ["RRULE:FREQ=DAILY;COUNT=3"],
		"start": {"dateTime": "2024-03-18T09:00:00Z"}, "end": {"dateTime": "2024-03-18T10:00:00Z"}}`))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := data.AddEvent(anna, "", json.RawMessage(`{"id": "series_20240319T090000Z", "recurringEventId": "series", "status": "cancelled",
		"originalStartTime": {"dateTime": "2024-03-19T09:00:00Z"}}`))
	if err != nil {
		t.Fatal(err)
	}
	s, h := start(t, data, sim.Options{})
	found, err := connect(t, s, h, anna).calendar.Events.List("primary").ICalUID("series@example.net").ShowDeleted(true).Do()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range found.Items {
		ids = append(ids, e.Id)
	}
	if want := []string{id, gone}; !slices.Equal(ids, want) {
		t.Errorf("found %q, want %q", ids, want)
	}
}

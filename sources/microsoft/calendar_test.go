package microsoft

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/repatriate/repatriate/fault"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
)

// theEvent adds an event and returns what the source makes of it.
func theEvent(t *testing.T, p *provider, body string, more func(id string)) sources.Item[sources.Event] {
	t.Helper()
	id := added(t)(p.data.AddEvent(alice, "", []byte(body)))
	if more != nil {
		more(id)
	}
	it, err := Calendar(p.client(t), alice, p.data.Calendars(alice)[0]).Fetch(t.Context(), id)
	must(t, err)
	if it.Problem != nil {
		t.Fatal(it.Problem)
	}
	return it
}

func at(day string, zone string) string {
	return fmt.Sprintf(`{"dateTime": %q, "timeZone": %q}`, day, zone)
}

const weekly = `"recurrence": {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["wednesday"], "firstDayOfWeek": "monday"},
	"range": {"type": "endDate", "startDate": "2026-03-18", "endDate": "2026-04-15", "recurrenceTimeZone": "W. Europe Standard Time"}}`

func TestASeriesKeepsItsZoneAndItsDays(t *testing.T) {
	p := newProvider(t)
	const zone = "W. Europe Standard Time"
	it := theEvent(t, p, `{"subject": "standup", `+weekly+`, "start": `+at("2026-03-18T09:00:00", zone)+`, "end": `+at("2026-03-18T09:15:00", zone)+`}`, func(id string) {
		must(t, p.data.ChangeOccurrence(alice, id, "2026-04-01", []byte(`{"start": `+at("2026-04-02T11:00:00", zone)+`, "end": `+at("2026-04-02T11:15:00", zone)+`}`)))
		must(t, p.data.CancelOccurrence(alice, id, "2026-04-08"))
	})
	e := it.Content
	got := []string{e.Master.Start.Zone, e.Master.Start.Time.Format("15:04 MST"), e.Exceptions[0].OriginalStart.Time.Format("01-02 15:04 MST"),
		e.Exceptions[0].OriginalStart.Zone, e.Exceptions[0].Start.Time.Format("01-02 15:04 MST"), e.Cancelled[0].Time.UTC().Format("01-02 15:04"), e.Master.Recurrence[0]}
	want := []string{"Europe/Berlin", "08:00 UTC", "04-01 07:00 UTC", "Europe/Berlin", "04-02 09:00 UTC", "04-08 07:00",
		"RRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=WE;WKST=MO;UNTIL=20260415T215959Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAllDayIsADateWhereverItWasMade(t *testing.T) {
	p := newProvider(t)
	for _, zone := range []string{"UTC", "Tokyo Standard Time", "Hawaiian Standard Time", "W. Europe Standard Time"} {
		it := theEvent(t, p, `{"subject": "holiday", "isAllDay": true, "start": `+at("2026-07-01T00:00:00", zone)+`, "end": `+at("2026-07-03T00:00:00", zone)+`}`, nil)
		m := it.Content.Master
		if m.Start.Date != "2026-07-01" || m.End.Date != "2026-07-03" {
			t.Errorf("%s: from %+v to %+v", zone, m.Start, m.End)
		}
	}
}

func TestWhatAnEventSaysComesAlong(t *testing.T) {
	p := newProvider(t)
	it := theEvent(t, p, `{"subject": "plan", "start": `+at("2026-07-01T10:00:00", "Customized Time Zone")+`, "end": `+at("2026-07-01T11:00:00", "tzone://Microsoft/Custom")+`,
		"sensitivity": "personal", "importance": "high", "location": {"displayName": "Here", "coordinates": {"latitude": 52.5, "longitude": -13.25}}, "showAs": "oof", "categories": ["Blue", "Red, green"], "hideAttendees": true, "isReminderOn": true, "reminderMinutesBeforeStart": 45,
		"locations": [{"displayName": "Here"}, {"displayName": "There"}], "onlineMeeting": {"joinUrl": "https://meet.example/1", "conferenceId": "12 3", "tollNumber": "+49 (30) 1"}, "isOrganizer": false,
		"organizer": {"emailAddress": {"name": "Bob", "address": "bob@example.org"}},
		"attendees": [
			{"type": "required", "status": {"response": "tentativelyAccepted"}, "emailAddress": {"name": "Alice", "address": "ALICE@example.org"}},
			{"type": "optional", "status": {"response": "none"}, "emailAddress": {"name": "Old", "address": "/o=ExchangeLabs/cn=Recipients/cn=old"}},
			{"type": "resource", "status": {"response": "accepted"}, "emailAddress": {"name": "Room", "address": "room@example.org"}}]}`, func(id string) {
		must(t, p.data.AddAttachment(alice, id, sim.Attachment{Name: "plan.pdf", MimeType: "application/pdf", Content: []byte("x")}))
	})
	m := it.Content.Master
	got := []any{m.Visibility, m.Busy, m.Categories, m.GuestsHidden, m.Reminders[0].Before.String(), m.Location, m.ConferenceLink, m.Organizer.Email, m.Organizer.Self,
		m.Attendees[0].Response, m.Attendees[0].Self, m.Attendees[1].Email, m.Attendees[1].Optional, m.Attendees[2].Resource, m.Attachments[0].Title, string(m.Attachments[0].Data), m.Start.Zone, m.Importance, m.Geo.Latitude, m.Geo.Longitude,
		m.ConferenceWays}
	want := []any{"private", "oof", []string{"Blue", "Red, green"}, true, "45m0s", "Here; There", "https://meet.example/1", "bob@example.org", false,
		"tentative", true, "/o=ExchangeLabs/cn=Recipients/cn=old", true, true, "plan.pdf", "x", "Customized Time Zone", "high", 52.5, -13.25,
		[]sources.ConferenceWay{{Kind: "phone", URL: "tel:+49301", Label: "+49 (30) 1", Codes: []string{"Conference ID: 12 3"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOwnCalendarsOnly(t *testing.T) {
	p := newProvider(t)
	must(t, p.data.ChangeUser(alice, func(u *sim.User) { u.TimeZone = "Romance Standard Time" }))
	added(t)(p.data.AddCalendar(alice, sim.Calendar{Name: "Sport", Color: "#A0B1C2"}))
	added(t)(p.data.AddCalendar(alice, sim.Calendar{Name: "Birthdays", ReadOnly: true}))
	added(t)(p.data.AddCalendar(alice, sim.Calendar{Name: "Bob", Owner: "bob@example.org"}))
	list, err := Calendars(t.Context(), p.client(t), alice)
	must(t, err)
	if len(list) != 2 || !list[0].Primary || list[1].Name != "Sport" || list[1].Color != "#a0b1c2" || list[1].TimeZone != "Europe/Paris" {
		t.Errorf("got %+v", list)
	}
}

// TestAnUnchangedCalendarCostsOneRequest for each page of its keys, and a change one more.
func TestAnUnchangedCalendarCostsOneRequest(t *testing.T) {
	p := newProvider(t)
	p.serve(t, sim.Options{})
	for range 12 {
		p.addEvent(t)
	}
	s := Calendar(p.client(t), alice, p.data.Calendars(alice)[0])
	page, err := s.Changes(t.Context(), "")
	must(t, err)
	if page.More || !page.ListingDone || len(page.Items) != 12 {
		t.Fatalf("got %d items, more %v", len(page.Items), page.More)
	}
	p.server.ResetCounts()
	page, err = s.Changes(t.Context(), page.Next)
	must(t, err)
	if len(page.Items) != 0 || p.server.Requests() != 1 {
		t.Errorf("%d items by %v", len(page.Items), p.server.Counts())
	}
	var series string
	for _, e := range p.data.Events(alice, "") {
		if len(e.Exceptions) > 0 {
			series = e.ID
		}
	}
	must(t, p.data.CancelOccurrence(alice, series, "2026-05-25"))
	p.server.ResetCounts()
	page, err = s.Changes(t.Context(), page.Next)
	must(t, err)
	if len(page.Items) != 1 || page.Items[0].ID != series || len(page.Items[0].Content.Cancelled) != 2 || p.server.Counts()["event.get"] != 1 {
		t.Errorf("%d items by %v", len(page.Items), p.server.Counts())
	}
}

// An event that was moved is none of its old calendar any more, by whatever way one asks for it.
func TestAMovedEventIsGoneFromItsCalendar(t *testing.T) {
	p := newProvider(t)
	id := added(t)(p.data.AddEvent(alice, "", []byte(`{"subject": "moved", "start": `+at("2026-07-01T10:00:00", "UTC")+`, "end": `+at("2026-07-01T11:00:00", "UTC")+`}`)))
	to := added(t)(p.data.AddCalendar(alice, sim.Calendar{Name: "Sport"}))
	must(t, p.data.MoveEvent(alice, id, to))
	if _, err := Calendar(p.client(t), alice, p.data.Calendars(alice)[0]).Fetch(t.Context(), id); fault.Of(err).Reason != fault.SourceGone {
		t.Errorf("in its old calendar: %v", err)
	}
	it, err := Calendar(p.client(t), alice, to).Fetch(t.Context(), id)
	must(t, err)
	if it.Title != "moved" {
		t.Errorf("in its new calendar: %+v", it)
	}
}

package mapping

import (
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestPeopleWithoutAddress stay in the event under their names, as organizer and as guest, and the loss names each.
func TestPeopleWithoutAddress(t *testing.T) {
	const dn = "/o=ExchangeLabs/ou=Exchange Administrative Group/cn=Recipients/cn=old"
	for _, c := range []struct {
		email, name    string
		address, shown string // empty: nobody is left
		lost           bool
	}{
		{"a@example.org", "Ann", "mailto:a@example.org", "Ann", false},
		{"a@example.org", "", "mailto:a@example.org", "", false},
		{"mailto:a@example.org", "Ann", "mailto:a@example.org", "Ann", false},
		{"SMTP:a@example.org", "", "mailto:a@example.org", "", false},
		{"jürgen+x/y@example.org", "", "mailto:j%C3%BCrgen+x%2Fy@example.org", "", false},
		{dn, "Old", "invalid:nomail", "Old", true},
		{dn, "", "invalid:nomail", dn, true},
		{"EX:" + dn, "", "invalid:nomail", "EX:" + dn, true},
		{"C=de;A=x400;S=Old", "", "invalid:nomail", "C=de;A=x400;S=Old", true},
		{"", "Only a name", "invalid:nomail", "Only a name", true},
		{"invalid:nomail", "Ann", "invalid:nomail", "Ann", true},
		{"nobody", "", "invalid:nomail", "nobody", true},
		{"a@b@example.org", "", "invalid:nomail", "a@b@example.org", true},
		{"a@example.org\r\nATTENDEE:mailto:b@example.org", "", "invalid:nomail", "a@example.orgATTENDEE:mailto:b@example.org", true},
		{"", "", "", "", false},
		{" ", "", "", "", false},
	} {
		who := sources.Attendee{Email: c.email, Name: c.name}
		known := sources.Attendee{Email: "known@example.org"}
		for _, role := range []struct {
			property string
			o        sources.Occurrence
		}{
			{"ORGANIZER", sources.Occurrence{Organizer: &who, Attendees: []sources.Attendee{known}}},
			{"ATTENDEE", sources.Occurrence{Organizer: &known, Attendees: []sources.Attendee{who, who}}},
		} {
			o := role.o
			o.ID, o.Start = "1", sources.EventTime{Time: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC), Zone: "UTC"}
			o.End = sources.EventTime{Time: o.Start.Time.Add(time.Hour), Zone: "UTC"}
			out, losses, err := EventRules{}.Event(sources.Event{UID: "u", Master: &o})
			if err != nil {
				t.Fatal(err)
			}
			readEverywhere(t, out.Data)
			p := onlyPerson(t, out.Data, role.property)
			if p.Value != c.address || p.Param("CN") != c.shown {
				t.Errorf("%q as %s: %v", c.email, role.property, p)
			}
			if named := len(losses) == 1 && losses[0].Reason == EventAttendeeAddress && strings.Contains(losses[0].Detail, c.shown); named != c.lost || !c.lost && len(losses) > 0 {
				t.Errorf("%q as %s: losses %v", c.email, role.property, losses)
			}
		}
	}
}

// onlyPerson returns the one person of a role, or nobody.
func onlyPerson(t *testing.T, data []byte, property string) icalendar.Property {
	t.Helper()
	c, err := icalendar.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	list := c.Children("VEVENT")[0].All(property)
	if len(list) > 1 {
		t.Errorf("%d of %s", len(list), property)
	}
	return append(list, icalendar.Property{})[0]
}

// TestSeveralGuestsWithoutAddress are all kept.
func TestSeveralGuestsWithoutAddress(t *testing.T) {
	start := sources.EventTime{Time: time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC), Zone: "UTC"}
	o := sources.Occurrence{ID: "1", Start: start, End: sources.EventTime{Time: start.Time.Add(time.Hour), Zone: "UTC"}, AttendeesOmitted: true, GuestsHidden: true,
		Organizer: &sources.Attendee{Email: "a@example.org"}, Attendees: []sources.Attendee{{Name: "One"}, {Name: "Two"}, {Name: "One"}}}
	out, losses, err := EventRules{}.Event(sources.Event{UID: "u", Master: &o})
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, l := range losses {
		reasons = append(reasons, l.Reason)
	}
	if n := strings.Count(string(out.Data), "invalid:nomail"); n != 2 || strings.Join(reasons, " ") != "event.attendees_omitted event.guests_hidden event.attendee_address" {
		t.Errorf("%d guests, %v\n%s", n, losses, out.Data)
	}
}

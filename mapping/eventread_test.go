package mapping

import (
	"bytes"
	"strings"
	"testing"

	ics "github.com/arran4/golang-ical"
	goical "github.com/emersion/go-ical"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// readEverywhere reads an object with parsers that are not ours, and returns what one of them understood.
func readEverywhere(t testing.TB, data []byte) *goical.Calendar {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(data, []byte("\r\n"), nil), []byte("\n")) {
		t.Fatal("a bare line feed in the object")
	}
	for _, line := range bytes.Split(data, []byte("\r\n")) {
		if len(line) > 75 {
			t.Fatalf("a line of %d octets", len(line))
		}
	}
	c, err := goical.NewDecoder(bytes.NewReader(data)).Decode()
	if err != nil {
		t.Fatalf("go-ical: %v\n%s", err, data)
	}
	other, err := ics.ParseCalendar(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("golang-ical: %v\n%s", err, data)
	}
	own, err := icalendar.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	events := own.Children("VEVENT")
	if a, b := len(c.Events()), len(other.Events()); a != len(events) || b != len(events) || a == 0 {
		t.Fatalf("%d, %d and %d events in\n%s", a, b, len(events), data)
	}
	for i, e := range c.Events() {
		got, err := e.Props.Text(goical.PropSummary)
		want, _ := events[i].Get("SUMMARY")
		if err != nil || got != want.Text() {
			t.Fatalf("summary %q, %v; want %q", got, err, want.Text())
		}
		for _, p := range append(events[i].All("ATTENDEE"), events[i].All("ORGANIZER")...) {
			if p.Param("SCHEDULE-AGENT") != "CLIENT" || !strings.HasPrefix(p.Value, "mailto:") && p.Value != noAddress {
				t.Fatalf("a server could mail %v", p)
			}
		}
	}
	return c
}

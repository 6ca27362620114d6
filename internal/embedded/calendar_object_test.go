package embedded

import (
	"errors"
	"strings"
	"testing"
)

const berlin = "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19961027T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"

const head = "UID:1\nDTSTAMP:20260101T000000Z\n"

func TestParseCalendarObject(t *testing.T) {
	series := "BEGIN:VEVENT\n" + head + "DTSTART;TZID=Europe/Berlin:20260102T100000\nRRULE:FREQ=WEEKLY;COUNT=3\nEND:VEVENT\n"
	override := "BEGIN:VEVENT\n" + head + "RECURRENCE-ID;TZID=Europe/Berlin:20260109T100000\nDTSTART;TZID=Europe/Berlin:20260109T110000\nEND:VEVENT\n"
	simple := func(more string) string {
		return "BEGIN:VEVENT\n" + head + "DTSTART:20260102T100000Z\n" + more + "END:VEVENT\n"
	}
	tests := []struct {
		name, components string
		want             string // precondition; empty: valid
	}{
		{"series with override", berlin + series + override, ""},
		{"all day", "BEGIN:VEVENT\n" + head + "DTSTART;VALUE=DATE:20260102\nEND:VEVENT", ""},
		{"quoted parameter", simple("ATTENDEE;CN=\"Doe, J: x\";PARTSTAT=ACCEPTED:mailto:j@example.org\n"), ""},
		{"folded", simple("DESCRIPTION:one\n  two\n"), ""},
		{"alarm", simple("BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT10M\nEND:VALARM\n"), ""},
		{"nothing", "X-WR-CALNAME:x", "valid-calendar-object-resource"},
		{"only a zone", berlin, "valid-calendar-object-resource"},
		{"no zone", series, "valid-calendar-object-resource"},
		{"zone twice", berlin + berlin + series, "valid-calendar-object-resource"},
		{"no master", berlin + override, "valid-calendar-object-resource"},
		{"two masters", simple("") + simple(""), "valid-calendar-object-resource"},
		{"override twice", berlin + series + override + override, "valid-calendar-object-resource"},
		{"two UIDs", simple("") + strings.ReplaceAll(simple(""), "UID:1", "UID:2"), "valid-calendar-object-resource"},
		{"two kinds", simple("") + strings.ReplaceAll(simple(""), "VEVENT", "VTODO"), "valid-calendar-object-resource"},
		{"method", "METHOD:REQUEST\n" + simple(""), "valid-calendar-object-resource"},
		{"no UID", "BEGIN:VEVENT\nDTSTAMP:20260101T000000Z\nDTSTART:20260102T100000Z\nEND:VEVENT", "valid-calendar-data"},
		{"no start", "BEGIN:VEVENT\n" + head + "END:VEVENT", "valid-calendar-data"},
		{"two summaries", simple("SUMMARY:a\nSUMMARY:b\n"), "valid-calendar-data"},
		{"end and duration", simple("DTEND:20260102T110000Z\nDURATION:PT1H\n"), "valid-calendar-data"},
		{"date without VALUE", "BEGIN:VEVENT\n" + head + "DTSTART:20260102\nEND:VEVENT", "valid-calendar-data"},
		{"bad time", simple("DTEND:2026-01-02\n"), "valid-calendar-data"},
		{"bad rule", simple("RRULE:INTERVAL=2\n"), "valid-calendar-data"},
		{"until and count", simple("RRULE:FREQ=DAILY;COUNT=2;UNTIL=20270101T000000Z\n"), "valid-calendar-data"},
		{"alarm without trigger", simple("BEGIN:VALARM\nACTION:DISPLAY\nEND:VALARM\n"), "valid-calendar-data"},
		{"not ended", "BEGIN:VEVENT\n" + head, "valid-calendar-data"},
		{"no colon", simple("SUMMARY\n"), "valid-calendar-data"},
		{"open quotation", simple("SUMMARY;X=\"a:b\n"), "valid-calendar-data"},
		{"control character", simple("SUMMARY:a\x01b\n"), "valid-calendar-data"},
		{"not UTF-8", simple("SUMMARY:\xff\n"), "valid-calendar-data"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseCalendarObject(vcalendar(test.components))
			var invalid *invalid
			switch errors.As(err, &invalid); {
			case test.want == "" && (err != nil || got.uid != "1" || got.kind != "VEVENT"):
				t.Errorf("%+v, %v", got, err)
			case test.want != "" && (invalid == nil || invalid.precondition != test.want):
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	if _, err := parseCalendarObject(strings.ReplaceAll(vcalendar(simple("")), "\r\n", "\n")); err == nil {
		t.Error("bare LF was taken")
	}
}

func TestParseTask(t *testing.T) {
	const start = "DTSTART:20260102T100000Z\n"
	tests := []struct {
		name, lines string
		valid       bool
	}{
		{"bare", "", true},
		{"due", "DUE:20260102T100000Z\n", true},
		{"due day", "DTSTART;VALUE=DATE:20260102\nDUE;VALUE=DATE:20260102\n", true},
		{"duration", start + "DURATION:P1DT2H\n", true},
		{"done", "STATUS:COMPLETED\nCOMPLETED:20260102T100000Z\nPERCENT-COMPLETE:100\n", true},
		{"repeated", start + "RRULE:FREQ=DAILY\n", true},
		{"alarm", start + "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT10M\nEND:VALARM\n", true},
		{"due and duration", start + "DUE:20260103T100000Z\nDURATION:PT1H\n", false},
		{"duration without start", "DURATION:PT1H\n", false},
		{"repeated without start", "DUE:20260102T100000Z\nRRULE:FREQ=DAILY\n", false},
		{"due before start", start + "DUE:20260101T100000Z\n", false},
		{"due day of a time", start + "DUE;VALUE=DATE:20260103\n", false},
		{"two dues", "DUE:20260102T100000Z\nDUE:20260103T100000Z\n", false},
		{"bad due", "DUE:tomorrow\n", false},
		{"bad duration", start + "DURATION:1H\n", false},
		{"empty duration", start + "DURATION:PT\n", false},
		{"end", start + "DTEND:20260103T100000Z\n", false},
		{"an event's status", "STATUS:CONFIRMED\n", false},
		{"done on a day", "COMPLETED;VALUE=DATE:20260102\n", false},
		{"done at two times", "COMPLETED:20260102T100000Z\nCOMPLETED:20260102T100000Z\n", false},
		{"too much", "PERCENT-COMPLETE:101\n", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseCalendarObject(task("1", test.lines))
			var invalid *invalid
			switch errors.As(err, &invalid); {
			case test.valid && (err != nil || got.uid != "1" || got.kind != "VTODO"):
				t.Errorf("%+v, %v", got, err)
			case !test.valid && (invalid == nil || invalid.precondition != "valid-calendar-data"):
				t.Errorf("%v, want valid-calendar-data", err)
			}
		})
	}
	if _, err := parseCalendarObject(vcalendar("BEGIN:VTODO\nUID:1\nSUMMARY:x\nEND:VTODO")); err == nil {
		t.Error("a to-do without DTSTAMP was taken")
	}
	if _, err := parseCalendarObject(event("1", "DUE:20260103T100000Z\n")); err == nil {
		t.Error("an event with DUE was taken")
	}
}

func FuzzParseComponents(f *testing.F) {
	f.Add(vcalendar(berlin))
	f.Add("BEGIN:A\r\nX;P=\"q\",r:v\r\nEND:A\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		roots, err := parseComponents(text)
		if err == nil && len(roots) == 0 {
			t.Error("neither components nor an error")
		}
		if _, err := parseCalendarObject(text); err == nil && !strings.HasPrefix(strings.ToUpper(text), "BEGIN:VCALENDAR") {
			t.Error("a calendar without its beginning is valid")
		}
	})
}

package recur_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
)

// object returns an event in Berlin of some lines, with a VTIMEZONE or without one.
func object(t testing.TB, described bool, lines ...string) string {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := icalendar.New("VCALENDAR")
	if described {
		c.Components = append(c.Components, icalendar.Timezone(berlin, time.Date(2024, 3, 18, 8, 0, 0, 0, time.UTC), time.Time{}))
	}
	return strings.Replace(string(c.Bytes()), "END:VCALENDAR", "BEGIN:VEVENT\r\nUID:u\r\n"+strings.Join(lines, "\r\n")+"\r\nEND:VEVENT\r\nEND:VCALENDAR", 1)
}

// weekly is a series of three mondays, the second an hour later and the third after the clocks were set.
var weekly = []string{"DTSTART;TZID=Europe/Berlin:20240318T090000", "DTEND;TZID=Europe/Berlin:20240318T100000", "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/Berlin:20240408T090000"}

const override = "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nRECURRENCE-ID;TZID=Europe/Berlin:20240325T090000\r\nDTSTART;TZID=Europe/Berlin:20240325T100000\r\nDURATION:PT30M"

func TestObject(t *testing.T) {
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2024, month, day, hour, 0, 0, 0, time.UTC)
	}
	times := recur.NewTimes(recur.Instants, at(3, 18, 8), time.Hour)
	for _, s := range []time.Time{at(3, 25, 8), at(4, 1, 7), at(4, 8, 7)} {
		times.Add(s)
	}
	times.Take(at(4, 8, 7))
	times.Change(at(3, 25, 8), at(3, 25, 9), 30*time.Minute)
	want := times.Digest()
	with := append(append([]string{}, weekly...), override)
	for _, c := range []struct{ name, data string }{
		{"described", object(t, true, with...)},
		{"by the machine's zone", object(t, false, with...)},
		{"an exception in UTC", strings.Replace(object(t, true, with...), "EXDATE;TZID=Europe/Berlin:20240408T090000", "EXDATE:20240408T070000Z", 1)},
		{"by dates", strings.Replace(object(t, true, with...), "RRULE:FREQ=WEEKLY;COUNT=4", "RDATE;TZID=Europe/Berlin:20240325T090000,20240401T090000", 1)},
		{"until", strings.Replace(object(t, true, with...), "COUNT=4", "UNTIL=20240408T070000Z", 1)},
	} {
		if got := recur.Object([]byte(c.data)); got != want {
			t.Errorf("%s: %q, want %q\n%s", c.name, got, want, c.data)
		}
	}
	for _, c := range []struct{ name, old, changed string }{
		{"another offset in summer", "TZOFFSETTO:+0200", "TZOFFSETTO:+0300"},
		{"no summer", "BYMONTH=3;BYDAY=-1SU", "BYMONTH=5;BYDAY=-1SU"},
		{"another end of the rule", "COUNT=4", "COUNT=5"},
		{"another length", "PT30M", "PT45M"},
		{"an exception less", "EXDATE;TZID=Europe/Berlin:20240408T090000\r\n", ""},
		{"floating", ";TZID=Europe/Berlin", ""},
	} {
		data := object(t, true, with...)
		changed := strings.ReplaceAll(data, c.old, c.changed)
		if got := recur.Object([]byte(changed)); changed == data || got == want || got == "" {
			t.Errorf("%s: %q\n%s", c.name, got, changed)
		}
	}
}

// TestObjectsThatCannotBeTold are not compared, and cost no more than others.
func TestObjectsThatCannotBeTold(t *testing.T) {
	zone := func(lines string) string {
		return "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\n" + lines + "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n" +
			strings.TrimPrefix(object(t, false, weekly...), "BEGIN:VCALENDAR\r\n")
	}
	const offsets = "DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n"
	for _, c := range []struct{ name, data string }{
		{"nothing", ""},
		{"no event", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
		{"an override alone", object(t, true, "DTSTART:20240101T000000Z", "RECURRENCE-ID:20240101T000000Z")},
		{"two masters", object(t, true, "DTSTART:20240101T000000Z", "END:VEVENT", "BEGIN:VEVENT", "DTSTART:20240101T000000Z")},
		{"no start", object(t, true, "SUMMARY:x")},
		{"an unknown zone", object(t, true, "DTSTART;TZID=Atlantis:20240101T000000")},
		{"each second", object(t, true, "DTSTART:20240101T000000Z", "RRULE:FREQ=SECONDLY")},
		{"many rules", object(t, true, "DTSTART:20240101T000000Z"+strings.Repeat("\r\nRRULE:FREQ=DAILY", 1000))},
		{"a date for a time", object(t, true, "DTSTART:20240101T000000Z", "RDATE;VALUE=DATE:20240102")},
		{"a zone that begins later", zone(strings.Replace(offsets, "1970", "2030", 1))},
		{"a zone of each second", zone(offsets + "RRULE:FREQ=SECONDLY")},
		{"a zone that changes too often", zone(offsets + strings.Repeat("RDATE:20000101T000000\r\n", 5000))},
		{"a zone of many rules", zone(offsets + strings.Repeat("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n", 5000))},
		{"a zone without offsets", zone("DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+01:00")},
	} {
		if got := recur.Object([]byte(c.data)); got != "" {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// TestZones reads each wall clock by the VTIMEZONE as the zone database does.
func TestZones(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "Europe/Dublin", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kolkata"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2008, 1, 1, 2, 30, 0, 0, time.UTC)
		for hour := range 24 {
			line := fmt.Sprintf("DTSTART;TZID=%s:20080101T%02d3000", name, hour)
			plain := object(t, false, line, "RRULE:FREQ=DAILY")
			described := strings.Replace(plain, "BEGIN:VEVENT", string(icalendar.Timezone(loc, start, time.Time{}).Bytes())+"BEGIN:VEVENT", 1)
			if a, b := recur.Object([]byte(plain)), recur.Object([]byte(described)); a == "" || a != b {
				t.Errorf("%s at %d: %q by the database, %q by the object", name, hour, a, b)
			}
		}
	}
}

// TestRulesThatTheLibraryFailsOn end, and do nothing else.
func TestRulesThatTheLibraryFailsOn(t *testing.T) {
	for _, value := range []string{"FREQ=MONTHLY;BYDAY=20SA", "FREQ=YEARLY;BYMONTH=10;BYDAY=20SA", "FREQ=YEARLY;BYMONTH=2;BYDAY=-50MO"} {
		r, err := icalendar.ParseRule(value)
		if err != nil {
			t.Fatal(err)
		}
		walls, ok := recur.Walls(r, time.Date(2022, 10, 10, 0, 0, 0, 0, time.UTC))
		if !ok {
			continue
		}
		for w := range walls {
			t.Errorf("%s: %v", value, w)
			break
		}
	}
	if _, ok := recur.Walls(icalendar.Rule{}, time.Time{}); ok {
		t.Error("no rule is expanded")
	}
}

func FuzzObject(f *testing.F) {
	f.Add(object(f, true, append(append([]string{}, weekly...), override)...))
	f.Add(object(f, false, "DTSTART;VALUE=DATE:20240229", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "EXRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO"))
	f.Fuzz(func(t *testing.T, data string) {
		if a, b := recur.Object([]byte(data)), recur.Object([]byte(data)); a != b || a != "" && len(a) != 32 {
			t.Errorf("%q, %q", a, b)
		}
	})
}

func BenchmarkObject(b *testing.B) {
	for _, c := range []struct{ name, rule string }{{"weekly", "RRULE:FREQ=WEEKLY"}, {"once", "SUMMARY:x"}} {
		data := []byte(object(b, true, "DTSTART;TZID=Europe/Berlin:20240318T090000", c.rule))
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if recur.Object(data) == "" {
					b.Fatal("cannot be told")
				}
			}
		})
	}
}

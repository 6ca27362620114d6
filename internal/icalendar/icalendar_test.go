package icalendar

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/seeds"
)

func TestWriteCannotBeEscapedFrom(t *testing.T) {
	evil := "a\r\nATTENDEE:mailto:x@example.org\n\x00b"
	c := New("VEVENT")
	c.Add(Raw("URL", evil), Text("SUMMARY", evil), Raw("X-\r\nA:B", "v", P("CN\r\n", evil)), Raw("ATTENDEE", "mailto:a@example.org", P("CN", evil+`"; :,^`)))
	for _, line := range bytes.Split(bytes.TrimSuffix(c.Bytes(), []byte("\r\n")), []byte("\r\n")) {
		if bytes.ContainsAny(line, "\r\n\x00") {
			t.Errorf("control characters in %q", line)
		}
		if bytes.HasPrefix(line, []byte("ATTENDEE:")) {
			t.Errorf("a value made a line of its own: %q", line)
		}
	}
	back, err := Parse(append(append([]byte("BEGIN:VCALENDAR\r\n"), c.Bytes()...), "END:VCALENDAR\r\n"...))
	if err != nil {
		t.Fatal(err)
	}
	event := back.Components[0]
	if got := len(event.Properties); got != 4 {
		t.Fatalf("%d properties, want 4", got)
	}
	summary, _ := event.Get("SUMMARY")
	if got, want := summary.Text(), "a\nATTENDEE:mailto:x@example.org\nb"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
	attendee, _ := event.Get("ATTENDEE")
	if got, want := attendee.Param("CN"), "a\nATTENDEE:mailto:x@example.org\nb\"; :,^"; got != want {
		t.Errorf("CN %q, want %q", got, want)
	}
}

func TestFold(t *testing.T) {
	for _, s := range []string{"", strings.Repeat("a", 75), strings.Repeat("a", 76), strings.Repeat("ü", 200), strings.Repeat("😀", 99)} {
		b := Text("DESCRIPTION", s).Append(nil)
		for _, line := range strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n") {
			if len(line) > lineOctets || !utf8.ValidString(line) {
				t.Errorf("line of %d octets, valid %v", len(line), utf8.ValidString(line))
			}
		}
		if got := strings.ReplaceAll(string(b), "\r\n ", ""); got != "DESCRIPTION:"+s+"\r\n" {
			t.Errorf("unfolded %q", got)
		}
	}
}

func TestParseTolerates(t *testing.T) {
	data := "\uFEFFbegin:vcalendar\nversion:2.0\nBEGIN:VEVENT\nthis is no line\nsummary;LANGUAGE=de;X-A=\"b;c\",d:Ei\n ns\n\n" +
		"DTSTART;TZID=\"W. Europe Standard Time\":20240101T000000\nEND:VTODO\nEND:VCALENDAR\nBEGIN:VEVENT\nUID:outside\nEND:VEVENT\n"
	c, err := Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Components) != 1 {
		t.Fatalf("%d components", len(c.Components))
	}
	p, _ := c.Components[0].Get("SUMMARY")
	if p.Value != "Eins" || !reflect.DeepEqual(p.Params, []Param{P("LANGUAGE", "de"), {"X-A", []string{"b;c", "d"}}}) {
		t.Errorf("%+v", p)
	}
	if p, _ := c.Components[0].Get("DTSTART"); p.Param("TZID") != "W. Europe Standard Time" {
		t.Errorf("%+v", p)
	}
}

func TestParseIsBounded(t *testing.T) {
	if _, err := Parse([]byte("BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 100))); err == nil {
		t.Error("components nested without end")
	}
	if _, err := Parse(make([]byte, MaxSize+1)); err == nil {
		t.Error("data beyond the bound")
	}
	if _, err := Parse([]byte("hello")); err != ErrNotCalendar {
		t.Errorf("no calendar: %v", err)
	}
}

func TestRule(t *testing.T) {
	for in, want := range map[string]string{
		"freq=weekly;byday=mo,we":                               "FREQ=WEEKLY;BYDAY=MO,WE",
		"INTERVAL=2;FREQ=MONTHLY;BYDAY=-1FR":                    "FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR",
		"FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;UNTIL=20241231":   "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;UNTIL=20241231",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;WKST=SU;":          "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;WKST=SU",
		"RSCALE=GREGORIAN;FREQ=YEARLY;SKIP=FORWARD":             "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=FORWARD",
		"FREQ=WEEKLY;UNTIL=20240101T000000Z;COUNT=3;INTERVAL=1": "FREQ=WEEKLY;UNTIL=20240101T000000Z;COUNT=3;INTERVAL=1",
		"":                                "",
		"FREQ=FOO":                        "",
		"BYDAY=MO":                        "",
		"FREQ=DAILY;COUNT=x":              "",
		"FREQ=DAILY;COUNT=+3":             "",
		"FREQ=DAILY;COUNT=0":              "",
		"FREQ=WEEKLY;BYDAY=1MO":           "",
		"FREQ=DAILY;BYSETPOS=1":           "",
		"FREQ=DAILY;FREQ=DAILY":           "",
		"FREQ=DAILY\r\nATTENDEE:x":        "",
		"FREQ=MONTHLY;BYMONTHDAY=32":      "",
		"FREQ=YEARLY;BYDAY=54MO":          "",
		"FREQ=DAILY;X-UNKNOWN=1":          "",
		"FREQ=DAILY;UNTIL=20240101T00000": "",
	} {
		r, err := ParseRule(in)
		if (err != nil) != (want == "") || err == nil && r.String() != want {
			t.Errorf("%q: %q, %v; want %q", in, r, err, want)
		}
	}
	r, _ := ParseRule("FREQ=DAILY;COUNT=2")
	if got := r.With("COUNT", "").With("UNTIL", "20240101").String(); got != "FREQ=DAILY;UNTIL=20240101" || r.Get("COUNT") != "2" {
		t.Errorf("With: %s", got)
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"PT10M": 10 * time.Minute, "-P1DT2H": -26 * time.Hour, "P2W": 14 * day, "+PT0S": 0, "PT1H30M5S": 5405 * time.Second,
	} {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
		if got, err := ParseDuration(FormatDuration(want)); err != nil || got != want {
			t.Errorf("%s: written as %s", in, FormatDuration(want))
		}
	}
	for _, in := range []string{"", "P", "10M", "PT10", "PTM", "P999999999W", "PT10M5"} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

// FuzzWrite writes any strings at every place of a line and reads the line back.
func FuzzWrite(f *testing.F) {
	f.Add("SUMMARY", "CN", "Doe, \"John\"; x", "a\r\nb:c", 3)
	f.Add("X\n", "", "^n^'", "\\n,;", 0)
	f.Add("A", "B", "\xff\u2028", strings.Repeat("é", 100), 1)
	f.Fuzz(func(t *testing.T, name, param, value, text string, n int) {
		c, event := New("VCALENDAR"), New("VEVENT")
		event.Add(Text(name, text, Param{param, []string{value, value}}), Raw(name, text), TextList(name, []string{text, value}))
		c.Components = append(c.Components, event)
		b := c.Bytes()
		for _, line := range bytes.Split(b, []byte("\r\n")) {
			if len(line) > lineOctets || bytes.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("line %q", line)
			}
		}
		back, err := Parse(b)
		if err != nil || len(back.Components) != 1 {
			t.Fatalf("%v in %q", err, b)
		}
		props := back.Components[0].Properties
		if token(name) == "BEGIN" || token(name) == "END" || strings.EqualFold(name, "BEGIN") || strings.EqualFold(name, "END") {
			return
		}
		if len(props) != 3 {
			t.Fatalf("%d properties in %q", len(props), b)
		}
		want := printable(UnescapeText(EscapeText(text)))
		if got := props[0].Text(); got != strings.ReplaceAll(wantText(text), "\x00", "") && got != want {
			t.Fatalf("text %q, want %q", got, wantText(text))
		}
		if got := props[0].Params[0].Values; len(got) != 2 || got[0] != wantParam(value) {
			t.Fatalf("parameter %q, want %q", got, wantParam(value))
		}
		if got := len(props[2].List()); got != 2 {
			t.Fatalf("list of %d", got)
		}
	})
}

// wantText is what a text is after a legal iCalendar line: line breaks are line feeds, other controls are gone.
func wantText(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if isControl(r) && r != '\n' {
			return -1
		}
		return r
	}, s)
}

// wantParam is the same for a parameter.
func wantParam(s string) string { return wantText(s) }

func FuzzParse(f *testing.F) {
	seeds.Shared(f, "ical", ".ics", func(data []byte) { f.Add(data) })
	seeds.Shared(f, "vcard", ".vcf", func(data []byte) { f.Add(data) })
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=\"a\":20240101T000000\r\n x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nA;B=\"c:d\nE;F\nG;H=,=\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(data)
		if err != nil {
			return
		}
		again, err := Parse(c.Bytes())
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if a, b := c.Bytes(), again.Bytes(); len(c.Components) != len(again.Components) || len(c.Properties) != len(again.Properties) {
			t.Fatalf("%q became %q", a, b)
		}
	})
}

func FuzzRule(f *testing.F) {
	f.Add("FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20240101T000000Z")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRule(s)
		if err != nil {
			return
		}
		if again, err := ParseRule(r.String()); err != nil || again.String() != r.String() || r.String() != printable(r.String()) {
			t.Fatalf("%q became %q: %v", s, r.String(), err)
		}
	})
}

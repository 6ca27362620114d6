package icalendar

import (
	"archive/zip"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// goroot is where the compiler lies; empty if it does not tell.
func goroot() string {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// zoneNames returns all names of the zone database that stands beside the compiler, or a choice of hard ones.
func zoneNames(t testing.TB) []string {
	names := []string{
		"Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata",
		"Africa/Casablanca", "Africa/Cairo", "Asia/Gaza", "Asia/Jerusalem", "America/Nuuk", "America/Santiago",
		"Pacific/Apia", "Asia/Tehran", "America/Caracas", "Asia/Kathmandu", "Etc/GMT+5", "Pacific/Chatham", "Europe/Moscow",
		"Antarctica/Troll", "America/Asuncion", "Africa/Juba",
	}
	r, err := zip.OpenReader(filepath.Join(goroot(), "lib", "time", "zoneinfo.zip"))
	if err != nil || testing.Short() {
		return names
	}
	defer func() { _ = r.Close() }()
	for _, f := range r.File {
		if !strings.HasSuffix(f.Name, "/") && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// readZone returns the changes that a VTIMEZONE describes up to end, by expanding its rules with another library. It is
// what a reader without a zone database knows.
func readZone(t testing.TB, zone *Component, end time.Time) []change {
	var all []change
	for _, o := range zone.Components {
		start, err := ParseMoment(o.Value("DTSTART"))
		if err != nil {
			t.Fatal(err)
		}
		kind := changeKind{from: parseOffset(t, o.Value("TZOFFSETFROM")), to: parseOffset(t, o.Value("TZOFFSETTO"))}
		walls := []time.Time{start.Wall}
		if rule := o.Value("RRULE"); rule != "" {
			r, err := rrule.StrToRRule("DTSTART:" + FormatUTC(start.Wall) + "\nRRULE:" + rule)
			if err != nil {
				t.Fatal(err)
			}
			walls = r.Between(start.Wall, end, true)
			if len(walls) == 0 || !walls[0].Equal(start.Wall) {
				t.Fatalf("DTSTART %v is no occurrence of %s", start.Wall, rule)
			}
		}
		for _, p := range o.All("RDATE") {
			for _, v := range p.List() {
				m, err := ParseMoment(v)
				if err != nil {
					t.Fatal(err)
				}
				walls = append(walls, m.Wall)
			}
		}
		for _, w := range walls {
			all = append(all, change{at: w.Add(-time.Duration(kind.from) * time.Second), wall: w, kind: kind})
		}
	}
	slices.SortFunc(all, func(a, b change) int { return a.at.Compare(b.at) })
	return all
}

func parseOffset(t testing.TB, s string) int {
	var h, m, sec int
	if n, err := fmt.Sscanf(s[1:]+"00", "%02d%02d%02d", &h, &m, &sec); err != nil || n != 3 {
		t.Fatalf("offset %q: %v", s, err)
	}
	offset := h*3600 + m*60 + sec
	if s[0] == '-' {
		return -offset
	}
	return offset
}

// TestTimezoneTellsEveryOffset compares what a VTIMEZONE says with the zone database at each change, just before and
// just after it, and once a month.
func TestTimezoneTellsEveryOffset(t *testing.T) {
	spans := []struct{ from, to string }{
		{"2024-03-18", ""}, {"1975-06-01", ""}, {"2024-03-18", "2024-03-18"}, {"2004-10-01", "2008-05-01"}, {"2036-01-01", ""},
	}
	for _, name := range zoneNames(t) {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range spans {
			from, _ := time.Parse(time.DateOnly, span.from)
			to, _ := time.Parse(time.DateOnly, span.to)
			end := to
			if span.to == "" {
				to, end = time.Time{}, time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC)
				if !regular(loc) {
					end = time.Date(horizon-1, 12, 1, 0, 0, 0, 0, time.UTC)
				}
			}
			t.Run(fmt.Sprintf("%s/%s-%s", name, span.from, span.to), func(t *testing.T) {
				compareZone(t, loc, Timezone(loc, from, to), from.AddDate(-1, 0, 0), end)
			})
		}
	}
}

// regular reports whether the zone follows one rule, or none, after the horizon as before it.
func regular(loc *time.Location) bool {
	changes := changesOf(loc, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	_, rules := splitChanges(changes)
	return len(rules) > 0 || len(changes) <= 1
}

func compareZone(t *testing.T, loc *time.Location, zone *Component, from, end time.Time) {
	t.Helper()
	changes := readZone(t, zone, end.AddDate(1, 0, 0))
	probes := []time.Time{}
	for p := from; p.Before(end); p = p.AddDate(0, 1, 0) {
		probes = append(probes, p)
	}
	for _, c := range changesOf(loc, from) {
		if c.at.After(from) && c.at.Before(end) {
			probes = append(probes, c.at, c.at.Add(-time.Second))
		}
	}
	for _, p := range probes {
		i := slices.IndexFunc(changes, func(c change) bool { return c.at.After(p) })
		if i < 0 {
			i = len(changes)
		}
		if i == 0 {
			t.Fatalf("nothing says what the offset is at %v\n%s", p, zone.Bytes())
		}
		if _, want := p.In(loc).Zone(); changes[i-1].kind.to != want {
			t.Fatalf("offset at %v: %d, want %d\n%s", p, changes[i-1].kind.to, want, zone.Bytes())
		}
	}
}

func TestTimezoneForms(t *testing.T) {
	for _, c := range []struct {
		zone, want string
	}{
		{"Europe/Berlin", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"},
		{"America/New_York", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU"},
		{"Africa/Cairo", "RRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=1;BYDAY=FR"},
		{"Asia/Kolkata", "DTSTART:19451015T000000"},
		{"Etc/GMT+5", "DTSTART:16010101T000000"},
	} {
		loc, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := string(Timezone(loc, time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), time.Time{}).Bytes())
		if !strings.Contains(got, c.want+"\r\n") {
			t.Errorf("%s: no %q in\n%s", c.zone, c.want, got)
		}
	}
}

// TestNoSummerTimeOfADay: where a country changed sides of the date line, the clocks went on by 24 hours.
func TestNoSummerTimeOfADay(t *testing.T) {
	moved := 0
	for _, name := range append(zoneNames(t), "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Kiritimati", "Pacific/Fakaofo") {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range Timezone(loc, time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC), time.Time{}).Components {
			if parseOffset(t, o.Value("TZOFFSETTO"))-parseOffset(t, o.Value("TZOFFSETFROM")) < 24*60*60 {
				continue
			}
			if moved++; o.Name != "STANDARD" {
				t.Errorf("%s: a day is left out as %s", name, o.Name)
			}
		}
	}
	if moved < 4 {
		t.Errorf("%d changes of the date line", moved)
	}
}

func TestInstant(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ wall, want string }{
		{"2024-03-31T02:30:00Z", "2024-03-31T01:30:00Z"}, // in the gap: by the offset before
		{"2024-10-27T02:30:00Z", "2024-10-27T00:30:00Z"}, // twice: the first
		{"2024-07-01T12:00:00Z", "2024-07-01T10:00:00Z"},
	} {
		wall, _ := time.Parse(time.RFC3339, c.wall)
		if got := Instant(wall, berlin).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %s, want %s", c.wall, got, c.want)
		}
	}
	second := time.Date(2024, 10, 27, 1, 30, 0, 0, time.UTC).In(berlin)
	if !Ambiguous(second) || Ambiguous(second.Add(-time.Hour)) || Ambiguous(second.Add(time.Hour)) {
		t.Error("only the second of two equal wall clocks is ambiguous")
	}
}

func BenchmarkTimezone(b *testing.B) {
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		Timezone(loc, time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), time.Time{})
	}
}

package mapping

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/graphrecur/graphrecurtest"
	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// seriesZones lie in both hemispheres, have halves and quarters of hours, and changed their rules between 1970 and today.
var seriesZones = []string{
	"Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul", "Atlantic/Reykjavik", "America/New_York",
	"America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo", "America/Santiago", "America/Caracas", "America/Havana", "America/Godthab",
	"Africa/Cairo", "Africa/Casablanca", "Africa/Windhoek", "Africa/Johannesburg", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Jerusalem",
	"Asia/Gaza", "Asia/Pyongyang", "Asia/Tokyo", "Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe", "Australia/Eucla", "Pacific/Auckland",
	"Pacific/Chatham", "Pacific/Apia", "Pacific/Kiritimati", "Pacific/Norfolk", "Etc/UTC",
}

// seriesCount is how many generated series are proven; a variable of the environment asks for another number than the usual one.
func seriesCount(t *testing.T, variable string, usual int) int {
	n, err := strconv.Atoi(os.Getenv(variable))
	if os.Getenv(variable) == "" {
		return usual
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestGeneratedSeries proves series at random, the same in every run: rules as Google writes them, and patterns as Graph does, from 1970
// to 2100. The number of each is its seed.
func TestGeneratedSeries(t *testing.T) {
	for i := range seriesCount(t, "REPATRIATE_SERIES", 2000) {
		g, start, zone := newSeries(t, i)
		if icalendar.Ambiguous(start) {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			if i%2 == 0 {
				prove(t, seriesEvent(t, start, zone, g.rule(start)), EventRules{})
				return
			}
			proveGraph(t, g.recurrence(start), start, zone)
		})
	}
}

type seriesGenerator struct{ *rand.Rand }

// newSeries returns where and when series i begins, and what makes the rest of it.
func newSeries(t *testing.T, i int) (g *seriesGenerator, start time.Time, zone string) {
	g = &seriesGenerator{rand.New(rand.NewPCG(2026, uint64(i)))}
	zone = pick(g, seriesZones)
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return g, time.Date(1970+g.IntN(130), time.Month(1+g.IntN(12)), 1+g.IntN(31), g.IntN(24), 5*g.IntN(12), 0, 0, loc), zone
}

func pick[V any](g *seriesGenerator, list []V) V { return list[g.IntN(len(list))] }

// rule makes a line by RFC 5545.
func (g *seriesGenerator) rule(start time.Time) string {
	days := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	g.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
	some := days[:1+g.IntN(4)]
	parts := pick(g, [][]string{
		{"FREQ=DAILY"}, {"FREQ=WEEKLY"}, {"FREQ=WEEKLY", "BYDAY=" + strings.Join(some, ","), "WKST=" + pick(g, days)}, {"FREQ=MONTHLY"},
		{"FREQ=MONTHLY", fmt.Sprintf("BYMONTHDAY=%d", pick(g, []int{1, 15, 28, 29, 30, 31, -1, -3}))},
		{"FREQ=MONTHLY", fmt.Sprintf("BYDAY=%d%s", pick(g, []int{1, 2, 3, 4, 5, -1, -2}), days[0])},
		{"FREQ=MONTHLY", "BYDAY=" + strings.Join(some, ","), fmt.Sprintf("BYSETPOS=%d", pick(g, []int{1, 2, -1}))},
		{"FREQ=YEARLY"}, {"FREQ=YEARLY", fmt.Sprintf("BYMONTH=%d", 1+g.IntN(12)), fmt.Sprintf("BYDAY=%d%s", pick(g, []int{1, 3, -1}), days[0])},
		{"FREQ=YEARLY", "BYMONTH=2", "BYMONTHDAY=29"},
	})
	if n := 1 + g.IntN(5); n > 1 {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", n))
	}
	switch g.IntN(4) {
	case 0:
		parts = append(parts, fmt.Sprintf("COUNT=%d", 1+g.IntN(200)))
	case 1:
		parts = append(parts, "UNTIL="+start.AddDate(g.IntN(3), g.IntN(12), 0).UTC().Format("20060102T150405Z"))
	case 2:
		parts = append(parts, "UNTIL="+start.AddDate(g.IntN(3), g.IntN(12), 0).Format("20060102"))
	}
	return "RRULE:" + strings.Join(parts, ";")
}

// recurrence makes one of Graph's six patterns with one of its three ranges.
func (g *seriesGenerator) recurrence(start time.Time) graphrecur.Recurrence {
	days := []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	first := pick(g, days)
	g.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
	p := graphrecur.Pattern{
		Type:     pick(g, []string{"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"}),
		Interval: 1 + g.IntN(4),
	}
	switch p.Type {
	case "weekly":
		p.DaysOfWeek, p.FirstDayOfWeek = days[:1+g.IntN(4)], first
	case "absoluteMonthly", "absoluteYearly":
		p.DayOfMonth = pick(g, []int{1, 15, 28, 29, 30, 31})
	case "relativeMonthly", "relativeYearly":
		p.DaysOfWeek, p.Index = days[:1+g.IntN(4)], pick(g, []string{"first", "second", "third", "fourth", "last"})
	}
	if strings.HasSuffix(p.Type, "Yearly") {
		p.Month = 1 + g.IntN(12)
	}
	r := graphrecur.Range{Type: pick(g, []string{"noEnd", "numbered", "endDate"})}
	switch r.Type {
	case "numbered":
		r.NumberOfOccurrences = 1 + g.IntN(100)
	case "endDate":
		r.EndDate = start.AddDate(1+g.IntN(3), g.IntN(12), 0).Format(time.DateOnly)
	}
	return graphrecur.Recurrence{Pattern: p, Range: r}
}

// proveGraph compares the days that Graph's description gives, one day at a time, with the instants of the produced object.
func proveGraph(t *testing.T, r graphrecur.Recurrence, start time.Time, zone string) {
	t.Helper()
	e, want, why := graphSeries(t, r, start, zone)
	if why != "" {
		t.Skip(why)
	}
	out, _, err := EventRules{}.Event(e)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range expandTarget(t, out.Data) {
		got = append(got, i.start)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v from %s in %s: the object has %d instances, Graph %d\ngot  %.300v\nwant %.300v\n%s", r, start, zone, len(got), len(want), got, want, out.Data)
	}
}

// graphSeries returns the event that a source makes of a recurrence, and the instants by Graph's description; why says why there is nothing to
// compare.
func graphSeries(t *testing.T, r graphrecur.Recurrence, start time.Time, zone string) (e sources.Event, want []string, why string) {
	t.Helper()
	loc := start.Location()
	days := graphrecurtest.Days(r, time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, time.UTC))
	if len(days) == 0 {
		return e, nil, "the series has no day within ten years"
	}
	rule, err := graphrecur.Rule(r, loc, false)
	if err != nil {
		t.Fatal(err)
	}
	on := func(day string) time.Time {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		return icalendar.Instant(d.Add(sinceMidnight(start)), loc)
	}
	begin := on(days[0])
	if icalendar.Ambiguous(begin) || begin.Hour() != start.Hour() || begin.Minute() != start.Minute() {
		return e, nil, "it begins in an hour that the clocks show twice or leave out, and Graph tells the instant alone"
	}
	limit := begin.UTC().AddDate(expandYears, 0, 0)
	for _, day := range days {
		if at := on(day); at.Before(limit) && len(want) < maxInstances {
			want = append(want, at.UTC().Format(time.RFC3339))
		}
	}
	at := func(s time.Time) sources.EventTime { return sources.EventTime{Time: s.UTC(), Zone: zone} }
	master := sources.Occurrence{ID: "m", Start: at(begin), End: at(begin.Add(time.Hour)), Summary: "s", Recurrence: []string{"RRULE:" + rule}}
	return sources.Event{UID: "u@example.org", Master: &master}, want, ""
}

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
	"codeberg.org/repatriate/repatriate/sinks"
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

// TestGeneratedSeries proves series at random, the same in every run: rules as Google writes them, and patterns as Graph does, with changed
// and cancelled occurrences, as times and as whole days, from 1970 to 2100. The number of each is its seed.
func TestGeneratedSeries(t *testing.T) {
	count, told := seriesCount(t, "REPATRIATE_SERIES", 2000), 0
	for i := range count {
		s, ok := newSeries(t, i)
		if !ok {
			continue
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			prove := func() sinks.Event { return prove(t, s.google(t), EventRules{}) }
			if i%2 == 1 {
				prove = func() sinks.Event { return proveGraph(t, s) }
			}
			if out := prove(); out.Times != "" {
				told++
			}
		})
	}
	if told < count*9/10 {
		t.Errorf("verify would compare when %d of %d series take place", told, count)
	}
}

// generatedSeries is where and when one begins, and what makes the rest of it.
type generatedSeries struct {
	*rand.Rand
	start  time.Time
	zone   string
	allDay bool // the start is midnight in UTC then
	dates  bool // it has dates of its own, and dates that are taken away
}

// newSeries returns series i; false if it would begin at a time that only UTC can tell.
func newSeries(t *testing.T, i int) (s *generatedSeries, ok bool) {
	s = &generatedSeries{Rand: rand.New(rand.NewPCG(2026, uint64(i))), allDay: i%6 >= 4, dates: i%6 == 2}
	s.zone = pick(s, seriesZones)
	loc, err := time.LoadLocation(s.zone)
	if err != nil {
		t.Fatal(err)
	}
	s.start = time.Date(1970+s.IntN(130), time.Month(1+s.IntN(12)), 1+s.IntN(31), s.IntN(24), 5*s.IntN(12), 0, 0, loc)
	if s.allDay {
		s.start = dayOf(s.start)
	}
	return s, !icalendar.Ambiguous(s.start)
}

// at is a time of the series as sources give it.
func (s *generatedSeries) at(at time.Time) sources.EventTime {
	if s.allDay {
		return sources.EventTime{Date: at.Format(time.DateOnly)}
	}
	return sources.EventTime{Time: at.UTC(), Zone: s.zone}
}

// later is a time after another one of the series: some hours, or a day for each.
func (s *generatedSeries) later(at time.Time, hours int) time.Time {
	if s.allDay {
		return at.AddDate(0, 0, hours)
	}
	return at.Add(time.Duration(hours) * time.Hour)
}

// google is an event as Google describes it. Its third occurrence is moved, and the fifth and sixth are cancelled.
func (s *generatedSeries) google(t *testing.T) sources.Event {
	lines := []string{s.rule(s.start)}
	if s.dates {
		lines = append(lines, "RDATE;TZID="+s.zone+":"+s.start.AddDate(0, 2, 3).Format("20060102T150405")+","+s.start.AddDate(0, 0, 10).Format("20060102T150405"),
			"EXDATE:"+s.start.AddDate(0, 0, 7).UTC().Format("20060102T150405Z"), "EXDATE;TZID="+s.zone+":"+s.start.AddDate(0, 0, 10).Format("20060102T150405"))
	}
	return s.changed(t, lines)
}

func pick[V any](s *generatedSeries, list []V) V { return list[s.IntN(len(list))] }

// rule makes a line by RFC 5545.
func (s *generatedSeries) rule(start time.Time) string {
	days := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	s.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
	some := days[:1+s.IntN(4)]
	parts := pick(s, [][]string{
		{"FREQ=DAILY"}, {"FREQ=WEEKLY"}, {"FREQ=WEEKLY", "BYDAY=" + strings.Join(some, ","), "WKST=" + pick(s, days)}, {"FREQ=MONTHLY"},
		{"FREQ=MONTHLY", fmt.Sprintf("BYMONTHDAY=%d", pick(s, []int{1, 15, 28, 29, 30, 31, -1, -3}))},
		{"FREQ=MONTHLY", fmt.Sprintf("BYDAY=%d%s", pick(s, []int{1, 2, 3, 4, 5, -1, -2}), days[0])},
		{"FREQ=MONTHLY", "BYDAY=" + strings.Join(some, ","), fmt.Sprintf("BYSETPOS=%d", pick(s, []int{1, 2, -1}))},
		{"FREQ=YEARLY"}, {"FREQ=YEARLY", fmt.Sprintf("BYMONTH=%d", 1+s.IntN(12)), fmt.Sprintf("BYDAY=%d%s", pick(s, []int{1, 3, -1}), days[0])},
		{"FREQ=YEARLY", "BYMONTH=2", "BYMONTHDAY=29"},
	})
	if n := 1 + s.IntN(5); n > 1 {
		parts = append(parts, fmt.Sprintf("INTERVAL=%d", n))
	}
	switch s.IntN(4) {
	case 0:
		parts = append(parts, fmt.Sprintf("COUNT=%d", 1+s.IntN(200)))
	case 1:
		parts = append(parts, "UNTIL="+start.AddDate(s.IntN(3), s.IntN(12), 0).UTC().Format("20060102T150405Z"))
	case 2:
		parts = append(parts, "UNTIL="+start.AddDate(s.IntN(3), s.IntN(12), 0).Format("20060102"))
	}
	return "RRULE:" + strings.Join(parts, ";")
}

// recurrence makes one of Graph's six patterns with one of its three ranges.
func (s *generatedSeries) recurrence(start time.Time) graphrecur.Recurrence {
	days := []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	first := pick(s, days)
	s.Shuffle(len(days), func(i, k int) { days[i], days[k] = days[k], days[i] })
	p := graphrecur.Pattern{
		Type:     pick(s, []string{"daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly"}),
		Interval: 1 + s.IntN(4),
	}
	switch p.Type {
	case "weekly":
		p.DaysOfWeek, p.FirstDayOfWeek = days[:1+s.IntN(4)], first
	case "absoluteMonthly", "absoluteYearly":
		p.DayOfMonth = pick(s, []int{1, 15, 28, 29, 30, 31})
	case "relativeMonthly", "relativeYearly":
		p.DaysOfWeek, p.Index = days[:1+s.IntN(4)], pick(s, []string{"first", "second", "third", "fourth", "last"})
	}
	if strings.HasSuffix(p.Type, "Yearly") {
		p.Month = 1 + s.IntN(12)
	}
	r := graphrecur.Range{Type: pick(s, []string{"noEnd", "numbered", "endDate"})}
	switch r.Type {
	case "numbered":
		r.NumberOfOccurrences = 1 + s.IntN(100)
	case "endDate":
		r.EndDate = start.AddDate(1+s.IntN(3), s.IntN(12), 0).Format(time.DateOnly)
	}
	return graphrecur.Recurrence{Pattern: p, Range: r}
}

// proveGraph compares when Graph's description says that a series takes place, one day at a time, with the produced object.
func proveGraph(t *testing.T, s *generatedSeries) sinks.Event {
	t.Helper()
	r := s.recurrence(s.start)
	e, want, why := s.graph(t, r)
	if why != "" {
		t.Skip(why)
	}
	out, _, err := EventRules{}.Event(e)
	if err != nil {
		t.Fatal(err)
	}
	if got := expandTarget(t, out.Data); !slices.Equal(got, want) {
		t.Fatalf("%+v from %s in %s: the object has %d instances, Graph %d: %s\n%s", r, s.start, s.zone, len(got), len(want), firstDifference(got, want), out.Data)
	}
	proveTimes(t, out)
	return out
}

// graph is the event that a source makes of a recurrence, and when it takes place by Graph's description; why says why there is nothing to
// compare. The second occurrence is moved, and the third is cancelled.
func (s *generatedSeries) graph(t *testing.T, r graphrecur.Recurrence) (e sources.Event, want []instance, why string) {
	t.Helper()
	loc := s.start.Location()
	days := graphrecurtest.Days(r, dayOf(s.start))
	if len(days) == 0 {
		return e, nil, "the series has no day within ten years"
	}
	rule, err := graphrecur.Rule(r, loc, s.allDay)
	if err != nil {
		t.Fatal(err)
	}
	var all []time.Time
	for _, day := range days {
		d, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, icalendar.Instant(d.Add(sinceMidnight(s.start)), loc))
	}
	begin := all[0]
	if icalendar.Ambiguous(begin) || begin.Hour() != s.start.Hour() || begin.Minute() != s.start.Minute() {
		return e, nil, "it begins in an hour that the clocks show twice or leave out, and Graph tells the instant alone"
	}
	master := sources.Occurrence{ID: "m", Start: s.at(begin), End: s.at(s.later(begin, 1)), Summary: "s", Recurrence: []string{"RRULE:" + rule},
		Days: graphrecur.Days(r, dayOf(s.start))}
	e = sources.Event{UID: "u@example.org", Master: &master}
	length := s.later(begin, 1).Sub(begin)
	takesPlace := func(at time.Time, length time.Duration, summary string) {
		want = append(want, instanceOf(at, length, summary))
	}
	if limit := begin.UTC().AddDate(expandYears-1, 0, 0); len(all) > 3 && all[3].Before(limit) {
		moved := s.later(all[1], 26)
		e.Exceptions = []sources.Occurrence{{OriginalStart: s.at(all[1]), Start: s.at(moved), End: s.at(s.later(moved, 2)), Summary: "moved"}}
		e.Cancelled = []sources.EventTime{s.at(all[2])}
		takesPlace(moved, 2*length, "moved")
		all = slices.Delete(all, 1, 3)
	}
	for _, at := range all {
		if at.Before(begin.UTC().AddDate(expandYears, 0, 0)) {
			takesPlace(at, length, "s")
		}
	}
	return e, sorted(want), ""
}

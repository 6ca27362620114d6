package graphrecur

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/teambition/rrule-go"
)

// falls is what Graph's description says, asked for one day at a time.
func falls(p Pattern, start, day time.Time) bool {
	months := (day.Year()-start.Year())*12 + int(day.Month()-start.Month())
	switch p.Type {
	case "daily":
		return daysBetween(start, day)%p.Interval == 0
	case "weekly":
		weeks := daysBetween(weekOf(p, start), weekOf(p, day)) / 7
		return weeks%p.Interval == 0 && isOneOf(p, day)
	case "absoluteMonthly":
		return months%p.Interval == 0 && day.Day() == min(p.DayOfMonth, lastOf(day))
	case "relativeMonthly":
		return months%p.Interval == 0 && isNth(p, day)
	case "absoluteYearly":
		return (day.Year()-start.Year())%p.Interval == 0 && int(day.Month()) == p.Month && day.Day() == min(p.DayOfMonth, lastOf(day))
	}
	return (day.Year()-start.Year())%p.Interval == 0 && int(day.Month()) == p.Month && isNth(p, day)
}

func daysBetween(a, b time.Time) int { return int(b.Sub(a).Hours()) / 24 }

func lastOf(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func isOneOf(p Pattern, day time.Time) bool {
	return slices.Contains(p.DaysOfWeek, strings.ToLower(day.Weekday().String()))
}

func weekOf(p Pattern, day time.Time) time.Time {
	for strings.ToLower(day.Weekday().String()) != p.FirstDayOfWeek {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

func isNth(p Pattern, day time.Time) bool {
	var all []int
	for d := 1; d <= lastOf(day); d++ {
		if isOneOf(p, time.Date(day.Year(), day.Month(), d, 0, 0, 0, 0, time.UTC)) {
			all = append(all, d)
		}
	}
	at := slices.Index([]string{"first", "second", "third", "fourth"}, p.Index)
	if p.Index == "last" {
		at = len(all) - 1
	}
	return at < len(all) && all[at] == day.Day()
}

// expand returns the days of ten years by Graph's description.
func expand(r Recurrence, start time.Time) (list []string) {
	for day := start; day.Before(start.AddDate(10, 0, 0)); day = day.AddDate(0, 0, 1) {
		if r.Range.Type == "endDate" && day.Format(time.DateOnly) > r.Range.EndDate || r.Range.Type == "numbered" && len(list) == r.Range.NumberOfOccurrences {
			break
		}
		if falls(r.Pattern, start, day) {
			list = append(list, day.Format(time.DateOnly))
		}
	}
	return list
}

// byRule returns the same by RFC 5545 in a zone, with an event at the given hour.
func byRule(t *testing.T, rule string, first time.Time, years time.Time) (list []string) {
	t.Helper()
	o, err := rrule.StrToROption(rule)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	o.Dtstart = first
	r, err := rrule.NewRRule(*o)
	if err != nil {
		t.Fatalf("%s: %v", rule, err)
	}
	for _, at := range r.Between(first, years, true) {
		if at.Hour() != first.Hour() || at.Minute() != first.Minute() {
			t.Errorf("%s: an occurrence at %v", rule, at)
		}
		list = append(list, at.Format(time.DateOnly))
	}
	return list
}

func patterns() (all []Pattern) {
	week := [][]string{{"monday"}, {"sunday", "tuesday", "friday"}, {"saturday", "sunday"}, {"monday", "tuesday", "wednesday", "thursday", "friday"}}
	for _, interval := range []int{1, 2, 5} {
		all = append(all, Pattern{Type: "daily", Interval: interval})
		for i, days := range week {
			all = append(all, Pattern{Type: "weekly", Interval: interval, DaysOfWeek: days, FirstDayOfWeek: []string{"sunday", "monday", "wednesday", "saturday"}[i]})
			for _, index := range []string{"first", "second", "third", "fourth", "last"} {
				all = append(all, Pattern{Type: "relativeMonthly", Interval: interval, DaysOfWeek: days, Index: index},
					Pattern{Type: "relativeYearly", Interval: interval, DaysOfWeek: days, Index: index, Month: 2 + i})
			}
		}
		for _, day := range []int{1, 28, 29, 30, 31} {
			all = append(all, Pattern{Type: "absoluteMonthly", Interval: interval, DayOfMonth: day})
			for _, month := range []int{1, 2, 4, 12} {
				all = append(all, Pattern{Type: "absoluteYearly", Interval: interval, DayOfMonth: day, Month: month})
			}
		}
	}
	return all
}

func TestRulesGiveTheSameDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2023, 1, 15, 0, 0, 0, 0, time.UTC)
	ranges := []Range{{Type: "noEnd"}, {Type: "numbered", NumberOfOccurrences: 7}, {Type: "endDate", EndDate: "2029-03-31"}, {Type: "endDate", EndDate: "2028-10-29"}}
	for _, p := range patterns() {
		for _, span := range ranges {
			for _, clock := range []time.Duration{30 * time.Minute, 9 * time.Hour, 23*time.Hour + 30*time.Minute} {
				r := Recurrence{Pattern: p, Range: span}
				want := expand(r, start)
				first, err := time.Parse(time.DateOnly, want[0])
				if err != nil {
					t.Fatal(err)
				}
				rule, err := Rule(r, berlin, false)
				if err != nil {
					t.Fatalf("%+v: %v", r, err)
				}
				begin := time.Date(first.Year(), first.Month(), first.Day(), int(clock.Hours()), int(clock.Minutes())%60, 0, 0, berlin)
				if got := byRule(t, rule, begin, time.Date(2033, 1, 14, 23, 59, 59, 0, berlin)); !slices.Equal(got, want) {
					t.Errorf("%+v %s at %v:\ngot  %d %.80v\nwant %d %.80v", r, rule, clock, len(got), fmt.Sprint(got), len(want), fmt.Sprint(want))
				}
			}
		}
	}
}

func TestUntilIsTheEndOfTheLocalDay(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	r := Recurrence{Pattern{Type: "daily", Interval: 1}, Range{Type: "endDate", EndDate: "2024-01-31"}}
	for allDay, want := range map[bool]string{false: "FREQ=DAILY;INTERVAL=1;UNTIL=20240131T105959Z", true: "FREQ=DAILY;INTERVAL=1;UNTIL=20240131"} {
		if got, err := Rule(r, auckland, allDay); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestWhatIsNoRecurrence(t *testing.T) {
	end := Range{Type: "noEnd"}
	for _, r := range []Recurrence{
		{Pattern{Type: "daily"}, end},
		{Pattern{Type: "daily", Interval: 1000}, end},
		{Pattern{Type: "hourly", Interval: 1}, end},
		{Pattern{Type: "weekly", Interval: 1}, end},
		{Pattern{Type: "weekly", Interval: 1, DaysOfWeek: []string{"someday\r\nX:"}}, end},
		{Pattern{Type: "weekly", Interval: 1, DaysOfWeek: []string{"monday"}, FirstDayOfWeek: "x"}, end},
		{Pattern{Type: "absoluteMonthly", Interval: 1}, end},
		{Pattern{Type: "absoluteMonthly", Interval: 1, DayOfMonth: 32}, end},
		{Pattern{Type: "absoluteYearly", Interval: 1, DayOfMonth: 1}, end},
		{Pattern{Type: "relativeYearly", Interval: 1, Month: 13, DaysOfWeek: []string{"monday"}}, end},
		{Pattern{Type: "relativeMonthly", Interval: 1, DaysOfWeek: []string{"monday"}, Index: "fifth"}, end},
		{Pattern{Type: "daily", Interval: 1}, Range{}},
		{Pattern{Type: "daily", Interval: 1}, Range{Type: "numbered"}},
		{Pattern{Type: "daily", Interval: 1}, Range{Type: "endDate", EndDate: "0001-02-30"}},
	} {
		if rule, err := Rule(r, time.UTC, false); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: got %q, %v", r, rule, err)
		}
	}
}

// TestPublishedRecurrences reads the recurrences of real answers.
func TestPublishedRecurrences(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/data/graph-json/*.json")
	if len(files) == 0 && os.Getenv("CI") != "true" {
		t.Skip("no shared data")
	}
	read := 0
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var event struct{ Recurrence *Recurrence }
		if json.Unmarshal(raw, &event) != nil || event.Recurrence == nil {
			continue // the mocks hold other things, in arrays
		}
		read++
		rule, err := Rule(*event.Recurrence, time.UTC, false)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		start, err := time.Parse(time.DateOnly, event.Recurrence.Range.StartDate)
		if err != nil {
			t.Fatal(err)
		}
		want := expand(*event.Recurrence, start)
		first, err := time.Parse(time.DateOnly, want[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := byRule(t, rule, first, start.AddDate(10, 0, -1)); !slices.Equal(got, want) {
			t.Errorf("%s: %s:\ngot  %.100v\nwant %.100v", filepath.Base(name), rule, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
	if read < 15 {
		t.Errorf("only %d recurrences", read)
	}
}

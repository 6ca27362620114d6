package graphrecur_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/teambition/rrule-go"

	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/graphrecur/graphrecurtest"
)

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

// byDays returns the same by the description alone.
func byDays(r graphrecur.Recurrence, start time.Time) (list []string) {
	for day := range graphrecur.Days(r, start) {
		if !day.Before(start.AddDate(10, 0, 0)) {
			break
		}
		list = append(list, day.Format(time.DateOnly))
	}
	return list
}

func patterns() (all []graphrecur.Pattern) {
	week := [][]string{{"monday"}, {"sunday", "tuesday", "friday"}, {"saturday", "sunday"}, {"monday", "tuesday", "wednesday", "thursday", "friday"}}
	for _, interval := range []int{1, 2, 5} {
		all = append(all, graphrecur.Pattern{Type: "daily", Interval: interval})
		for i, days := range week {
			all = append(all, graphrecur.Pattern{Type: "weekly", Interval: interval, DaysOfWeek: days, FirstDayOfWeek: []string{"sunday", "monday", "wednesday", "saturday"}[i]})
			for _, index := range []string{"first", "second", "third", "fourth", "last"} {
				all = append(all, graphrecur.Pattern{Type: "relativeMonthly", Interval: interval, DaysOfWeek: days, Index: index},
					graphrecur.Pattern{Type: "relativeYearly", Interval: interval, DaysOfWeek: days, Index: index, Month: 2 + i})
			}
		}
		for _, day := range []int{1, 28, 29, 30, 31} {
			all = append(all, graphrecur.Pattern{Type: "absoluteMonthly", Interval: interval, DayOfMonth: day})
			for _, month := range []int{1, 2, 4, 12} {
				all = append(all, graphrecur.Pattern{Type: "absoluteYearly", Interval: interval, DayOfMonth: day, Month: month})
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
	ranges := []graphrecur.Range{{Type: "noEnd"}, {Type: "numbered", NumberOfOccurrences: 7}, {Type: "endDate", EndDate: "2029-03-31"}, {Type: "endDate", EndDate: "2028-10-29"}}
	for _, p := range patterns() {
		for _, span := range ranges {
			r := graphrecur.Recurrence{Pattern: p, Range: span}
			want := graphrecurtest.Days(r, start)
			if got := byDays(r, start); !slices.Equal(got, want) {
				t.Errorf("%+v:\ngot  %d %.80v\nwant %d %.80v", r, len(got), fmt.Sprint(got), len(want), fmt.Sprint(want))
			}
			for _, clock := range []time.Duration{30 * time.Minute, 9 * time.Hour, 23*time.Hour + 30*time.Minute} {
				first, err := time.Parse(time.DateOnly, want[0])
				if err != nil {
					t.Fatal(err)
				}
				rule, err := graphrecur.Rule(r, berlin, false)
				if err != nil {
					t.Fatalf("%+v: %v", r, err)
				}
				begin := time.Date(first.Year(), first.Month(), first.Day(), int(clock.Hours()), int(clock.Minutes())%60, 0, 0, berlin)
				if got, ok := graphrecur.First(rule, time.Date(2023, 1, 15, begin.Hour(), begin.Minute(), 0, 0, berlin)); !ok || !got.Equal(begin) {
					t.Errorf("%+v %s: begins %v, want %v", r, rule, got, begin)
				}
				if got := byRule(t, rule, begin, time.Date(2033, 1, 14, 23, 59, 59, 0, berlin)); !slices.Equal(got, want) {
					t.Errorf("%+v %s at %v:\ngot  %d %.80v\nwant %d %.80v", r, rule, clock, len(got), fmt.Sprint(got), len(want), fmt.Sprint(want))
				}
			}
		}
	}
}

func BenchmarkDays(b *testing.B) {
	start := time.Date(2023, 1, 15, 0, 0, 0, 0, time.UTC)
	for _, p := range []graphrecur.Pattern{
		{Type: "absoluteYearly", Interval: 1, DayOfMonth: 29, Month: 2},
		{Type: "relativeMonthly", Interval: 1, DaysOfWeek: []string{"monday", "tuesday", "friday"}, Index: "last"},
		{Type: "weekly", Interval: 2, DaysOfWeek: []string{"monday"}, FirstDayOfWeek: "sunday"},
	} {
		b.Run(p.Type, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for range graphrecur.Days(graphrecur.Recurrence{Pattern: p, Range: graphrecur.Range{Type: "noEnd"}}, start) {
					if n++; n == 1000 {
						break
					}
				}
			}
		})
	}
}

func TestUntilIsTheEndOfTheLocalDay(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	r := graphrecur.Recurrence{graphrecur.Pattern{Type: "daily", Interval: 1}, graphrecur.Range{Type: "endDate", EndDate: "2024-01-31"}}
	for allDay, want := range map[bool]string{false: "FREQ=DAILY;INTERVAL=1;UNTIL=20240131T105959Z", true: "FREQ=DAILY;INTERVAL=1;UNTIL=20240131"} {
		if got, err := graphrecur.Rule(r, auckland, allDay); err != nil || got != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// TestUntilOfADayWithoutMidnight: in Havana the clocks go from 23:59 to 1:00 on that day.
func TestUntilOfADayWithoutMidnight(t *testing.T) {
	havana, err := time.LoadLocation("America/Havana")
	if err != nil {
		t.Fatal(err)
	}
	r := graphrecur.Recurrence{graphrecur.Pattern{Type: "daily", Interval: 1}, graphrecur.Range{Type: "endDate", EndDate: "2024-03-10"}}
	want := "FREQ=DAILY;INTERVAL=1;UNTIL=20240311T035959Z"
	if got, err := graphrecur.Rule(r, havana, false); err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestWhatIsNoRecurrence(t *testing.T) {
	end := graphrecur.Range{Type: "noEnd"}
	for _, r := range []graphrecur.Recurrence{
		{graphrecur.Pattern{Type: "daily"}, end},
		{graphrecur.Pattern{Type: "daily", Interval: 1000}, end},
		{graphrecur.Pattern{Type: "hourly", Interval: 1}, end},
		{graphrecur.Pattern{Type: "weekly", Interval: 1}, end},
		{graphrecur.Pattern{Type: "weekly", Interval: 1, DaysOfWeek: []string{"someday\r\nX:"}}, end},
		{graphrecur.Pattern{Type: "weekly", Interval: 1, DaysOfWeek: []string{"monday"}, FirstDayOfWeek: "x"}, end},
		{graphrecur.Pattern{Type: "absoluteMonthly", Interval: 1}, end},
		{graphrecur.Pattern{Type: "absoluteMonthly", Interval: 1, DayOfMonth: 32}, end},
		{graphrecur.Pattern{Type: "absoluteYearly", Interval: 1, DayOfMonth: 1}, end},
		{graphrecur.Pattern{Type: "relativeYearly", Interval: 1, Month: 13, DaysOfWeek: []string{"monday"}}, end},
		{graphrecur.Pattern{Type: "relativeMonthly", Interval: 1, DaysOfWeek: []string{"monday"}, Index: "fifth"}, end},
		{graphrecur.Pattern{Type: "daily", Interval: 1}, graphrecur.Range{}},
		{graphrecur.Pattern{Type: "daily", Interval: 1}, graphrecur.Range{Type: "numbered"}},
		{graphrecur.Pattern{Type: "daily", Interval: 1}, graphrecur.Range{Type: "endDate", EndDate: "0001-02-30"}},
	} {
		if rule, err := graphrecur.Rule(r, time.UTC, false); !errors.Is(err, graphrecur.ErrInvalid) {
			t.Errorf("%+v: got %q, %v", r, rule, err)
		}
	}
}

// TestFirstOfNoTime: the library that expands rules fails in the year 0.
func TestFirstOfNoTime(t *testing.T) {
	for _, year := range []int{-1, 0, 1, 9999, 20000} {
		start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		if first, ok := graphrecur.First("FREQ=MONTHLY;INTERVAL=1;BYDAY=1MO", start); ok || !first.Equal(start) {
			t.Errorf("%d: %v", year, first)
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
		var event struct{ Recurrence *graphrecur.Recurrence }
		if json.Unmarshal(raw, &event) != nil || event.Recurrence == nil {
			continue // the mocks hold other things, in arrays
		}
		read++
		rule, err := graphrecur.Rule(*event.Recurrence, time.UTC, false)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		start, err := time.Parse(time.DateOnly, event.Recurrence.Range.StartDate)
		if err != nil {
			t.Fatal(err)
		}
		want := graphrecurtest.Days(*event.Recurrence, start)
		first, err := time.Parse(time.DateOnly, want[0])
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := graphrecur.First(rule, start); !ok || !got.Equal(first) {
			t.Errorf("%s: the first day is %v, want %v", filepath.Base(name), got, first)
		}
		if got := byRule(t, rule, first, start.AddDate(10, 0, -1)); !slices.Equal(got, want) {
			t.Errorf("%s: %s:\ngot  %.100v\nwant %.100v", filepath.Base(name), rule, fmt.Sprint(got), fmt.Sprint(want))
		}
	}
	if read < 15 {
		t.Errorf("only %d recurrences", read)
	}
}

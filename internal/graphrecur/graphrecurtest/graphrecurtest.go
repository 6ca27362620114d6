// Package graphrecurtest expands Graph's recurrences by their description alone, one day at a time, to check rules against.
package graphrecurtest

import (
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/graphrecur"
)

// falls is what Graph's description says, asked for one day at a time.
func falls(p graphrecur.Pattern, start, day time.Time) bool {
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

func isOneOf(p graphrecur.Pattern, day time.Time) bool {
	return slices.Contains(p.DaysOfWeek, strings.ToLower(day.Weekday().String()))
}

func weekOf(p graphrecur.Pattern, day time.Time) time.Time {
	for strings.ToLower(day.Weekday().String()) != p.FirstDayOfWeek {
		day = day.AddDate(0, 0, -1)
	}
	return day
}

func isNth(p graphrecur.Pattern, day time.Time) bool {
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

// Days returns the days of ten years from a day on on which a series falls, in the form 2006-01-02.
func Days(r graphrecur.Recurrence, start time.Time) (list []string) {
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

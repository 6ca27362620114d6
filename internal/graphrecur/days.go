package graphrecur

import (
	"iter"
	"slices"
	"strings"
	"time"
)

// daysYears is how long Days looks for days.
const daysYears = 30

// Days yields the days on which a series falls by Graph's description alone, without a rule: each day from start on is asked. start and the
// days are midnights in UTC; those of thirty years are looked at. A recurrence that Rule does not take has no days that count.
func Days(r Recurrence, start time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		last, ended := time.Parse(time.DateOnly, r.Range.EndDate)
		end := start.AddDate(daysYears, 0, 0)
		p := read(r.Pattern)
		for n, day := 0, start; day.Before(end); {
			switch {
			case r.Range.Type == "endDate" && ended == nil && day.After(last), r.Range.Type == "numbered" && n >= r.Range.NumberOfOccurrences:
				return
			case !p.inMonth(start, day):
				day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
				continue
			case p.onDay(start, day):
				if n++; !yield(day) {
					return
				}
			}
			day = day.AddDate(0, 0, 1)
		}
	}
}

// words are a pattern whose words were understood.
type words struct {
	Pattern
	interval, position int
	named              [7]bool
	first              time.Weekday
}

func read(p Pattern) *words {
	w := &words{Pattern: p, interval: max(p.Interval, 1), position: positions[strings.ToLower(p.Index)]}
	for d := range w.named {
		name := time.Weekday(d).String()
		w.named[d] = slices.ContainsFunc(p.DaysOfWeek, func(other string) bool { return strings.EqualFold(name, other) })
		if strings.EqualFold(name, p.FirstDayOfWeek) {
			w.first = time.Weekday(d)
		}
	}
	return w
}

// inMonth reports whether a series that begins on start may fall into the month of a day.
func (p *words) inMonth(start, day time.Time) bool {
	switch p.Type {
	case "absoluteMonthly", "relativeMonthly":
		return ((day.Year()-start.Year())*12+int(day.Month()-start.Month()))%p.interval == 0
	case "absoluteYearly", "relativeYearly":
		return int(day.Month()) == p.Month && (day.Year()-start.Year())%p.interval == 0
	}
	return true
}

// onDay reports whether it falls on a day of such a month.
func (p *words) onDay(start, day time.Time) bool {
	switch p.Type {
	case "daily":
		return daysFrom(start, day)%p.interval == 0
	case "weekly":
		return p.named[day.Weekday()] && daysFrom(p.week(start), p.week(day))/7%p.interval == 0
	case "absoluteMonthly", "absoluteYearly":
		return day.Day() == min(p.DayOfMonth, lastDay(day))
	}
	return p.named[day.Weekday()] && p.place(day)
}

// place reports whether a day is the first, second and so on of those of its month that are named.
func (p *words) place(day time.Time) bool {
	position := p.position
	if position < 0 {
		for d := day.AddDate(0, 0, 1); d.Month() == day.Month(); d = d.AddDate(0, 0, 1) {
			if p.named[d.Weekday()] {
				return false
			}
		}
		return true
	}
	for d := day; d.Month() == day.Month() && position >= 0; d = d.AddDate(0, 0, -1) {
		if p.named[d.Weekday()] {
			position--
		}
	}
	return position == 0
}

// week returns the first day of a day's week.
func (p *words) week(day time.Time) time.Time {
	return day.AddDate(0, 0, -int(day.Weekday()-p.first+7)%7)
}

func daysFrom(a, b time.Time) int { return int(b.Sub(a) / (24 * time.Hour)) }

func lastDay(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

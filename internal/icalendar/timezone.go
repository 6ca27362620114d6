package icalendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a zone database
)

// horizon is the first year whose changes of the clocks are not looked at: zones that follow no yearly rule until then
// (Morocco's, which follow the moon) are described by their single changes up to it. It lies two generations behind the events that
// people write today, so that these end before it, and behind 2100, which is no leap year.
const horizon = 2160

// ruleYears is how many years before the horizon a yearly rule must hold to be taken for one. In 28 years each date
// falls on each weekday.
const ruleYears = 28

// Timezone returns a VTIMEZONE (RFC 5545 §3.6.5) whose TZID is the location's name and which tells the offset of each
// wall clock from a year before from until to; a zero to means for ever. Changes that follow a yearly rule to the
// horizon are written as that rule, without an end; all others one by one.
func Timezone(loc *time.Location, from, to time.Time) *Component {
	zone := New("VTIMEZONE")
	zone.Add(Text("TZID", loc.String()))
	from = from.AddDate(-1, 0, 0)
	changes := changesOf(loc, from)
	if len(changes) == 0 || changes[0].at.After(from) {
		zone.Components = append(zone.Components, fixedObservance(loc, from))
	}
	single, rules := splitChanges(changes)
	if !to.IsZero() {
		end := to.AddDate(1, 0, 0)
		single = slices.DeleteFunc(single, func(c change) bool { return c.at.After(end) })
		rules = slices.DeleteFunc(rules, func(r yearlyRule) bool { return r.first.at.After(end) })
	}
	zone.Components = append(zone.Components, singleObservances(single)...)
	for _, r := range rules {
		zone.Components = append(zone.Components, r.observance())
	}
	slices.SortStableFunc(zone.Components, func(a, b *Component) int {
		return strings.Compare(a.Value("DTSTART"), b.Value("DTSTART"))
	})
	return zone
}

// change is a moment at which the clocks of a zone are set.
type change struct {
	at   time.Time // the first instant with the new offset
	wall time.Time // what the clocks showed then by the old offset, in UTC
	kind changeKind
}

// changeKind is what the changes have in common that one observance describes.
type changeKind struct {
	from, to int // offsets in seconds
	name     string
	daylight bool
}

// changesOf returns the changes from the one that was in force at from up to the horizon. Beyond the listed changes of
// the database, the bounds that Go gives also hold each turn of the year, where no offset changes.
func changesOf(loc *time.Location, from time.Time) []change {
	var changes []change
	end := time.Date(horizon, 1, 1, 0, 0, 0, 0, time.UTC)
	at, next := from.In(loc).ZoneBounds()
	for {
		if !at.IsZero() {
			if c := changeAt(at); c.kind.from != c.kind.to {
				changes = append(changes, c)
			}
		}
		if !at.Before(next) && !next.IsZero() {
			// Go 1.26 gives some times of 31 December as their own bound. No zone changes within that day.
			next = at.Add(day)
		}
		if at = next; at.IsZero() || !at.Before(end) {
			return changes
		}
		_, next = at.ZoneBounds()
	}
}

func changeAt(at time.Time) change {
	before := at.Add(-time.Nanosecond)
	_, from := before.Zone()
	name, to := at.Zone()
	// In some zones the database counts winter as the exception ("negative" summer time). Who left out a day to get beyond the date line
	// did not turn to summer time with it; python's dateutil, and Radicale with it, fails with one of a day or more.
	daylight := to > from && to-from < int(day/time.Second) && (at.IsDST() || before.IsDST())
	return change{at, at.UTC().Add(time.Duration(from) * time.Second), changeKind{from, to, name, daylight}}
}

// fixedObservance tells the offset before the first change that the database knows.
func fixedObservance(loc *time.Location, from time.Time) *Component {
	name, offset := from.In(loc).Zone()
	start := time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	return observance(change{wall: start, kind: changeKind{offset, offset, name, false}})
}

func observance(c change) *Component {
	o := New("STANDARD")
	if c.kind.daylight {
		o.Name = "DAYLIGHT"
	}
	o.Add(Raw("DTSTART", FormatLocal(c.wall)),
		Raw("TZOFFSETFROM", formatOffset(c.kind.from)),
		Raw("TZOFFSETTO", formatOffset(c.kind.to)),
		Text("TZNAME", c.kind.name))
	return o
}

// singleObservances describes changes one by one, those of one kind together.
func singleObservances(changes []change) []*Component {
	var all []*Component
	first := map[changeKind]*Component{}
	for _, c := range changes {
		if first[c.kind] == nil {
			first[c.kind] = observance(c)
			all = append(all, first[c.kind])
			continue
		}
		first[c.kind].Add(Raw("RDATE", FormatLocal(c.wall))) // of several on one line Radicale keeps the first
	}
	return all
}

// yearlyRule describes changes that happen each year on the same weekday within the same days of a month.
type yearlyRule struct {
	first change
	month time.Month
	days  []int
}

func (r yearlyRule) observance() *Component {
	o := observance(r.first)
	o.Add(Raw("RRULE", fmt.Sprintf("FREQ=YEARLY;BYMONTH=%d;%s", r.month, r.byDay())))
	return o
}

// byDay writes the day in the shortest form, since simple readers know the nth weekday of a month best.
func (r yearlyRule) byDay() string {
	weekday := strings.ToUpper(r.first.wall.Weekday().String()[:2])
	length := time.Date(2001, r.month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch low := r.days[0]; {
	case len(r.days) == 7 && low == length-6:
		return "BYDAY=-1" + weekday
	case len(r.days) == 7 && low%7 == 1:
		return fmt.Sprintf("BYDAY=%d%s", low/7+1, weekday)
	}
	days := make([]string, len(r.days))
	for i, d := range r.days {
		days[i] = strconv.Itoa(d)
	}
	return "BYMONTHDAY=" + strings.Join(days, ",") + ";BYDAY=" + weekday
}

// series are the changes of one kind at one time of one weekday.
type series struct {
	kind    changeKind
	weekday time.Weekday
	clock   string
}

func seriesOf(c change) series {
	return series{c.kind, c.wall.Weekday(), c.wall.Format("150405")}
}

type monthDay struct {
	month time.Month
	day   int
}

// splitChanges returns the changes that are to be told one by one, and the yearly rules that all others follow.
func splitChanges(changes []change) (single []change, rules []yearlyRule) {
	days := yearlyDays(changes)
	if days == nil {
		return changes, nil
	}
	start := len(changes)
	year := map[series]int{}
	for start > 0 {
		c := changes[start-1]
		s := seriesOf(c)
		if y, seen := year[s]; !days[s][monthDay{c.wall.Month(), c.wall.Day()}] || seen && y != c.wall.Year()+1 {
			break
		}
		year[s] = c.wall.Year()
		start--
	}
	return changes[:start], rulesOf(changes[start:], days)
}

// yearlyDays returns the days on which the changes of each series fall in the years before the horizon, or nil if they
// do not make exactly one change of each series a year within seven days that have each weekday once.
func yearlyDays(changes []change) map[series]map[monthDay]bool {
	days, count := map[series]map[monthDay]bool{}, map[series]int{}
	for _, c := range changes {
		if c.wall.Year() < horizon-ruleYears {
			continue
		}
		s := seriesOf(c)
		if days[s] == nil {
			days[s] = map[monthDay]bool{}
		}
		days[s][monthDay{c.wall.Month(), c.wall.Day()}] = true
		count[s]++
	}
	for s := range days {
		if count[s] != ruleYears || len(days[s]) != 7 || days[s][monthDay{time.February, 29}] {
			return nil
		}
	}
	if len(days) == 0 {
		return nil
	}
	return days
}

// rulesOf returns one rule for each series and month, beginning with its first change.
func rulesOf(changes []change, days map[series]map[monthDay]bool) []yearlyRule {
	type key struct {
		series
		month time.Month
	}
	var rules []yearlyRule
	done := map[key]bool{}
	for _, c := range changes {
		k := key{seriesOf(c), c.wall.Month()}
		if done[k] {
			continue
		}
		done[k] = true
		r := yearlyRule{first: c, month: c.wall.Month()}
		for d := range days[k.series] {
			if d.month == r.month {
				r.days = append(r.days, d.day)
			}
		}
		slices.Sort(r.days)
		rules = append(rules, r)
	}
	return rules
}

// formatOffset writes a UTC offset by RFC 5545 §3.3.14.
func formatOffset(seconds int) string {
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("%c%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		s += fmt.Sprintf("%02d", seconds%60)
	}
	return s
}

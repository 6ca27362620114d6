package recur

import (
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// The bounds of what is read of time zones: the changes of one, and the rules of all in an object. A rule that never comes true costs
// some 40 ms.
const (
	maxChanges   = 4000
	maxZoneRules = 64
)

// zone is one that an object describes (RFC 5545 §3.6.5).
type zone struct {
	changes []change // in order; none: nothing can be told
	rules   *int     // how many may still be expanded
}

// change is a wall clock, by the offset before, from which another offset holds.
type change struct {
	wall     time.Time
	from, to time.Duration
}

// zonesOf reads the time zones of an object by their TZID.
func zonesOf(calendar *icalendar.Component) map[string]*zone {
	zones, end, rules := map[string]*zone{}, lastOf(calendar), maxZoneRules
	for _, c := range calendar.Children("VTIMEZONE") {
		id, _ := c.Get("TZID")
		zones[id.Text()] = readZone(c, end, &rules)
	}
	return zones
}

// lastOf returns a wall clock behind all that is expanded.
func lastOf(calendar *icalendar.Component) (last time.Time) {
	years := 1
	for _, c := range calendar.Children("VEVENT") {
		if len(c.All("RRULE"))+len(c.All("EXRULE")) > 0 {
			years = HorizonYears + 1
		}
		for _, name := range []string{"DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE"} {
			for _, p := range c.All(name) {
				for _, v := range p.List() {
					if m, err := icalendar.ParseMoment(v); err == nil && m.Wall.After(last) {
						last = m.Wall
					}
				}
			}
		}
	}
	return last.AddDate(years, 0, 0)
}

func readZone(c *icalendar.Component, end time.Time, rules *int) *zone {
	z := &zone{rules: rules}
	for _, o := range c.Components {
		if (o.Name == "STANDARD" || o.Name == "DAYLIGHT") && !z.add(o, end) {
			return new(zone)
		}
	}
	slices.SortStableFunc(z.changes, func(a, b change) int { return a.wall.Compare(b.wall) })
	return z
}

// add reads an observance up to end; false for one that cannot be told.
func (z *zone) add(o *icalendar.Component, end time.Time) bool {
	start, err := icalendar.ParseMoment(o.Value("DTSTART"))
	from, known := offset(o.Value("TZOFFSETFROM"))
	to, told := offset(o.Value("TZOFFSETTO"))
	if err != nil || !known || !told {
		return false
	}
	at := func(wall time.Time) bool {
		z.changes = append(z.changes, change{wall, from, to})
		return len(z.changes) < maxChanges
	}
	ok := at(start.Wall)
	for _, p := range o.All("RDATE") {
		for _, v := range p.List() {
			m, err := icalendar.ParseMoment(v)
			ok = ok && err == nil && at(m.Wall)
		}
	}
	for _, p := range o.All("RRULE") {
		*z.rules--
		ok = ok && *z.rules >= 0 && yearly(p.Value, start.Wall, end, from, at)
	}
	return ok
}

// yearly expands the rule of an observance, whose UNTIL is in UTC.
func yearly(value string, first, end time.Time, from time.Duration, at func(time.Time) bool) bool {
	r, err := icalendar.ParseRule(value)
	if err != nil || r.Get("FREQ") != "YEARLY" {
		return false
	}
	walls, ok := Walls(r, first)
	if !ok {
		return false
	}
	until, err := icalendar.ParseMoment(r.Get("UNTIL"))
	ended := err == nil
	if until.UTC {
		until.Wall = until.Wall.Add(from)
	}
	for w := range walls {
		if w.After(end) || ended && w.After(until.Wall) {
			return true
		}
		if !at(w) {
			return false
		}
	}
	return true
}

// offset reads a UTC-OFFSET (RFC 5545 §3.3.14).
func offset(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	t, err := time.Parse("150405", (s[1:] + "00")[:6])
	d := t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))
	if s[0] == '-' {
		d = -d
	}
	return d, err == nil
}

// instant returns when the clocks show wall: of two instants the first, and in a gap as counted with the offset before it (RFC 5545
// §3.3.5); false before the first change.
func (z *zone) instant(wall time.Time) (time.Time, bool) {
	n, found := slices.BinarySearchFunc(z.changes, wall, func(c change, w time.Time) int { return c.wall.Compare(w) })
	for found && n+1 < len(z.changes) && z.changes[n+1].wall.Equal(wall) {
		n++
	}
	if !found {
		n--
	}
	if n < 0 {
		return time.Time{}, false
	}
	c := z.changes[n]
	if c.to > c.from && wall.Before(c.wall.Add(c.to-c.from)) {
		return wall.Add(-c.from), true
	}
	return wall.Add(-c.to), true
}

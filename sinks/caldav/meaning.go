package caldav

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// meaningOf returns a digest of when an object takes place and what it says to its user: the instants of all occurrences, whatever the
// notation of rules, zones and lengths, and the texts without their white space. Properties that programs write for one another do not
// count, nor does what stands for a missing one.
func meaningOf(calendar *icalendar.Component) string {
	z := zonesOf(calendar)
	moved := map[string]bool{} // by the occurrences that have a component of their own
	for _, c := range calendar.Components {
		if p, ok := c.Get("RECURRENCE-ID"); ok {
			moved[z.moment(p, p.Value).String()] = true
		}
	}
	var all []string
	for _, c := range calendar.Components {
		if c.Name == "VTIMEZONE" {
			continue
		}
		lines := append(said(c, z), times(c, z, moved)...)
		slices.Sort(lines)
		all = append(all, c.Name+"\n"+strings.Join(lines, "\n"))
	}
	return dav.Digest(all)
}

// ordinary are values that mean the same as a missing property.
var ordinary = map[string]string{"STATUS": "CONFIRMED NEEDS-ACTION", "CLASS": "PUBLIC", "TRANSP": "OPAQUE", "PRIORITY": "0"}

// said returns what a component says beside its times.
func said(c *icalendar.Component, z zones) []string {
	var lines, guests []string
	organizer := strings.ToLower(strings.TrimSpace(c.Value("ORGANIZER")))
	for _, p := range c.Properties {
		value := word(p)
		switch p.Name {
		case "SUMMARY", "LOCATION", "DESCRIPTION":
			value = strings.Join(strings.Fields(p.Text()), " ")
		case "STATUS", "CLASS", "TRANSP", "PRIORITY":
			if slices.Contains(strings.Fields(ordinary[p.Name]), value) {
				value = ""
			}
		case "COMPLETED":
			value = z.moment(p, p.Value).String()
		case "ATTENDEE":
			if address := strings.ToLower(strings.TrimSpace(p.Value)); address != organizer {
				guests = append(guests, address)
			}
			continue
		default:
			continue
		}
		if value != "" {
			lines = append(lines, p.Name+"="+value)
		}
	}
	slices.Sort(guests)
	return append(lines, "ATTENDEE="+strings.Join(slices.Compact(guests), ","))
}

// times returns when a component takes place.
func times(c *icalendar.Component, z zones, moved map[string]bool) []string {
	p, timed := c.Get("DTSTART")
	start := z.moment(p, p.Value)
	lines := []string{"length=" + length(c, z, start)}
	if due, ok := c.Get("DUE"); ok {
		lines = append(lines, "due="+z.moment(due, due.Value).String())
	}
	if id, ok := c.Get("RECURRENCE-ID"); ok {
		return append(lines, "instead="+z.moment(id, id.Value).String(), "at="+start.String())
	}
	if !timed { // a task may repeat from its end on
		p, _ = c.Get("DUE")
		start = z.moment(p, p.Value)
	}
	return append(lines, series(c, z, start, moved)...)
}

// length returns how long a component takes, whether it says so or by its end.
func length(c *icalendar.Component, z zones, start moment) string {
	if p, ok := c.Get("DURATION"); ok {
		return duration(p)
	}
	if p, ok := c.Get("DTEND"); ok {
		if end := z.moment(p, p.Value); end.kind != "" && start.kind != "" {
			return end.at.Sub(start.at).String()
		}
		return "until " + word(p)
	}
	if start.kind == kindDate && c.Name == "VEVENT" {
		return (24 * time.Hour).String()
	}
	return time.Duration(0).String()
}

// zones are the time zones of an object.
type zones struct {
	described map[string]string // those that the machine does not know, by TZID
	rules     *int              // how many rules are still expanded
}

// maxRules is how many rules of an object are expanded; an event has one.
const maxRules = 16

// zonesOf reads what an object says of zones of its own.
func zonesOf(calendar *icalendar.Component) zones {
	rules := maxRules
	z := zones{map[string]string{}, &rules}
	for _, c := range calendar.Children("VTIMEZONE") {
		id, _ := c.Get("TZID")
		var lines []string
		for _, o := range c.Components {
			line := o.Name
			for _, name := range []string{"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"} {
				for _, p := range o.All(name) {
					line += ";" + rule(p)
				}
			}
			lines = append(lines, line)
		}
		z.described[id.Text()] = dav.Digest(lines)
	}
	return z
}

// The kinds of moments: a day, a wall clock without a zone, an instant, and a wall clock in a zone that only the object knows.
const (
	kindDate     = "day"
	kindFloating = "floating"
	kindInstant  = "instant"
	kindForeign  = "zone"
)

// moment is a time as a user understands it.
type moment struct {
	kind string // empty: it cannot be read
	at   time.Time
	loc  *time.Location // in which it is written
	text string         // what else it says
}

// String returns the moment in one notation.
func (m moment) String() string {
	if m.kind == "" {
		return m.text
	}
	return fmt.Sprint(m.kind, " ", m.at.Unix(), " ", m.text)
}

// moment reads a value of a property.
func (z zones) moment(p icalendar.Property, value string) moment {
	read, err := icalendar.ParseMoment(value)
	id := p.Param("TZID")
	switch {
	case err != nil:
		return moment{loc: time.UTC, text: "unreadable " + strings.ToUpper(strings.TrimSpace(value))}
	case read.Date:
		return moment{kind: kindDate, at: read.Wall, loc: time.UTC}
	case read.UTC:
		return moment{kind: kindInstant, at: read.Wall, loc: time.UTC}
	case id == "":
		return moment{kind: kindFloating, at: read.Wall, loc: time.UTC}
	}
	if loc := location(id); loc != nil {
		return moment{kind: kindInstant, at: read.In(loc), loc: loc}
	}
	return moment{kind: kindForeign, at: read.Wall, loc: time.UTC, text: z.described[id]}
}

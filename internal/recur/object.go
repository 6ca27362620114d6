package recur

import (
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// Object returns the digest of when the event of an iCalendar object takes place, by the time zones that stand in it; those that it names
// without describing them are the machine's (RFC 7809). It is empty for an object whose times cannot be told, such as one with overrides
// alone.
func Object(data []byte) string {
	calendar, err := icalendar.Parse(data)
	if err != nil {
		return ""
	}
	o := object{zones: zonesOf(calendar)}
	events := calendar.Children("VEVENT")
	for _, e := range events {
		if _, exception := e.Get("RECURRENCE-ID"); exception {
			continue
		}
		if o.times != nil || !o.master(e) {
			return ""
		}
	}
	if o.times == nil {
		return ""
	}
	for _, e := range events {
		if id, exception := e.Get("RECURRENCE-ID"); exception {
			original, known := o.instant(id, id.Value)
			start, length, ok := o.span(e)
			if !known || !ok {
				return ""
			}
			o.times.Change(original, start, length)
		}
	}
	return o.times.Digest()
}

// object is one while it is expanded.
type object struct {
	zones map[string]*zone
	times *Times
	start icalendar.Moment
	begin icalendar.Property // DTSTART of the master
}

// master expands the series.
func (o *object) master(e *icalendar.Component) bool {
	start, length, ok := o.span(e)
	if !ok {
		return false
	}
	o.begin, _ = e.Get("DTSTART")
	o.start, _ = icalendar.ParseMoment(o.begin.Value)
	kind := Instants
	switch {
	case o.start.Date:
		kind = Days
	case !o.start.UTC && o.begin.Param("TZID") == "":
		kind = Floating
	}
	o.times = NewTimes(kind, start, length)
	for _, p := range e.Properties {
		switch p.Name {
		case "RRULE":
			o.rule(p, o.times.Add)
		case "EXRULE":
			o.rule(p, o.times.Take)
		case "RDATE":
			o.dates(p, o.times.Add)
		case "EXDATE":
			o.dates(p, o.times.Take)
		}
	}
	return true
}

// span returns when a component begins, and how long it takes.
func (o *object) span(e *icalendar.Component) (start time.Time, length time.Duration, ok bool) {
	p, _ := e.Get("DTSTART")
	if start, ok = o.instant(p, p.Value); !ok {
		return start, 0, false
	}
	if d, has := e.Get("DURATION"); has {
		length, err := icalendar.ParseDuration(d.Value)
		return start, length, err == nil
	}
	if p, has := e.Get("DTEND"); has {
		end, known := o.instant(p, p.Value)
		return start, end.Sub(start), known
	}
	if m, _ := icalendar.ParseMoment(p.Value); m.Date {
		length = 24 * time.Hour
	}
	return start, length, true
}

func (o *object) rule(p icalendar.Property, each func(time.Time)) {
	r, err := icalendar.ParseRule(p.Value)
	walls, ok := Walls(r, o.start.Wall)
	if err != nil || !ok {
		o.times.Unknown()
		return
	}
	end, ended := o.until(r)
	o.times.Series(func(yield func(time.Time) bool) {
		for w := range walls {
			at, known := o.wall(o.begin, icalendar.Moment{Wall: w, UTC: o.start.UTC, Date: o.start.Date})
			if !known {
				o.times.Unknown()
			}
			if !known || ended && at.After(end) || !yield(at) {
				return
			}
		}
	}, each)
}

// until returns the last instant of a rule, in whatever form that is.
func (o *object) until(r icalendar.Rule) (time.Time, bool) {
	m, err := icalendar.ParseMoment(r.Get("UNTIL"))
	if err != nil {
		return time.Time{}, false
	}
	if m.Date && !o.start.Date {
		m.Wall = m.Wall.Add(24*time.Hour - time.Second)
	}
	return o.wall(o.begin, m)
}

func (o *object) dates(p icalendar.Property, each func(time.Time)) {
	for _, v := range p.List() {
		v, _, period := strings.Cut(strings.TrimSpace(v), "/")
		at, known := o.instant(p, v)
		if m, err := icalendar.ParseMoment(v); period || !known || err != nil || m.Date != o.start.Date {
			o.times.Unknown()
			return
		}
		each(at)
	}
}

// instant reads a value of a property.
func (o *object) instant(p icalendar.Property, value string) (time.Time, bool) {
	m, err := icalendar.ParseMoment(value)
	if err != nil {
		return time.Time{}, false
	}
	return o.wall(p, m)
}

// wall turns the moment of a property into an instant; false for a zone that nobody tells.
func (o *object) wall(p icalendar.Property, m icalendar.Moment) (time.Time, bool) {
	id := p.Param("TZID")
	if m.UTC || m.Date && o.start.Date || id == "" {
		return m.Wall, true
	}
	if z, described := o.zones[id]; described {
		return z.instant(m.Wall)
	}
	loc, err := time.LoadLocation(id)
	if err != nil || id == "Local" {
		return time.Time{}, false
	}
	return icalendar.Instant(m.Wall, loc), true
}

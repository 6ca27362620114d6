package mapping

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sources"
)

// otherTimes are the losses of events that do not take place as the provider describes them, or only perhaps.
var otherTimes = []string{
	EventAmbiguousTime, EventEndRepaired, EventExceptionDoubled, EventExceptionPlaced, EventOrphanException, EventPeriod, EventRuleInvalid,
	EventRuleRepaired, EventZoneUnknown,
}

// takesPlace returns a digest of when an event takes place, by the provider's own description and with the machine's time zones: recur.Object is
// to find it in the object. It is empty where the times cannot be told, or are not the provider's.
func (m *eventMapper) takesPlace(e sources.Event) string {
	x := expansion{mapper: eventMapper{rules: m.rules}, series: e.Master != nil && len(e.Master.Recurrence) > 0}
	repaired := slices.ContainsFunc(m.losses, func(l Loss) bool { return slices.Contains(otherTimes, l.Reason) })
	if repaired || e.Master == nil || !x.series && len(e.Exceptions)+len(e.Cancelled) > 0 {
		return ""
	}
	x.master, x.start = *e.Master, eventInstant(e.Master.Start)
	if x.kind() == recur.Instants {
		x.start = x.start.In(x.zone(x.master.Start.Zone))
	}
	x.times = recur.NewTimes(x.kind(), x.start, length(x.master))
	for _, line := range x.lines() {
		x.line(line)
	}
	for _, c := range e.Cancelled {
		x.times.Take(x.place(c))
	}
	for _, o := range e.Exceptions {
		if original := x.place(o.OriginalStart); o.Status == "cancelled" {
			x.times.Take(original)
		} else {
			x.times.Change(original, eventInstant(o.Start), length(o))
		}
	}
	return x.times.Digest()
}

// length returns how long an occurrence takes. An end that is none is repaired by the mapping, which is a loss.
func length(o sources.Occurrence) time.Duration {
	return eventInstant(o.End).Sub(eventInstant(o.Start))
}

// expansion is that of an event's description.
type expansion struct {
	mapper eventMapper
	series bool
	master sources.Occurrence
	start  time.Time // of the master, in its zone
	times  *recur.Times
}

func (x *expansion) kind() string {
	switch start := x.master.Start; {
	case start.Date != "":
		return recur.Days
	case start.Zone == sources.Floating:
		return recur.Floating
	}
	return recur.Instants
}

// zone returns where a time was set.
func (x *expansion) zone(name string) *time.Location { return x.mapper.location(name, x.series) }

// place returns where the series places an occurrence that is changed or cancelled. A day stands for the series' time on it.
func (x *expansion) place(t sources.EventTime) time.Time {
	day, err := time.Parse(time.DateOnly, t.Date)
	kind := x.kind()
	switch floating := t.Zone == sources.Floating; {
	case t.Date != "" && err == nil && kind == recur.Days:
		return day
	case t.Date != "" && err == nil:
		return x.on(day)
	case t.Date != "", floating != (kind == recur.Floating):
		x.times.Unknown() // no provider mixes them
	case kind == recur.Days:
		return dayOf(t.Time.In(x.zone(t.Zone)))
	}
	return t.Time
}

// dayOf returns the day of a time, as if in UTC.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// on returns when the series takes place on a day.
func (x *expansion) on(day time.Time) time.Time {
	h, m, s := x.start.Clock()
	return icalendar.Instant(time.Date(day.Year(), day.Month(), day.Day(), h, m, s, 0, time.UTC), x.start.Location())
}

// lines are those of the recurrence, without its rule where the provider has other words for it.
func (x *expansion) lines() []string {
	if x.master.Days == nil {
		return x.master.Recurrence
	}
	x.times.Series(func(yield func(time.Time) bool) {
		for day := range x.master.Days {
			if !yield(x.on(day)) {
				return
			}
		}
	}, x.times.Add)
	return slices.DeleteFunc(slices.Clone(x.master.Recurrence), func(line string) bool {
		p, _ := icalendar.ParseLine(line)
		return p.Name == "RRULE"
	})
}

// line expands one line of the recurrence.
func (x *expansion) line(line string) {
	p, _ := icalendar.ParseLine(line)
	switch p.Name {
	case "RRULE":
		x.times.Series(x.rule(p.Value), x.times.Add)
	case "EXRULE":
		x.times.Series(x.rule(p.Value), x.times.Take)
	case "RDATE":
		x.dates(p, x.times.Add)
	case "EXDATE":
		x.dates(p, x.times.Take)
	}
}

// rule yields the occurrences of a rule, whose end is read in every form that providers write.
func (x *expansion) rule(value string) iter.Seq[time.Time] {
	r, err := icalendar.ParseRule(value)
	walls, ok := recur.Walls(r, icalendar.WallClock(x.start))
	if err != nil || !ok {
		x.times.Unknown()
		return func(func(time.Time) bool) {}
	}
	until, err := icalendar.ParseMoment(r.Get("UNTIL"))
	end := x.end(until)
	return func(yield func(time.Time) bool) {
		for w := range walls {
			at := icalendar.Instant(w, x.start.Location())
			if err == nil && at.After(end) || !yield(at) {
				return
			}
		}
	}
}

// end returns the last instant of a rule.
func (x *expansion) end(until icalendar.Moment) time.Time {
	calendar, _ := x.mapper.lookUp(x.mapper.rules.Zone)
	switch {
	case until.UTC && x.kind() != recur.Instants:
		return icalendar.WallClock(until.Wall.In(calendar))
	case until.Date && x.kind() != recur.Days:
		until.Wall = until.Wall.Add(24*time.Hour - time.Second)
	}
	return until.In(x.start.Location())
}

// dates hands the values of a line to each.
func (x *expansion) dates(p icalendar.Property, each func(time.Time)) {
	for _, v := range p.List() {
		m, err := icalendar.ParseMoment(v)
		switch {
		case err != nil:
			x.times.Unknown()
		case m.Date && x.kind() != recur.Days:
			each(x.on(m.Wall))
		case m.Date:
			each(m.Wall)
		case x.kind() != recur.Instants:
			x.times.Unknown() // a day or a floating time by an instant: no provider writes that
		default:
			each(m.In(x.zone(cmp.Or(p.Param("TZID"), x.master.Start.Zone))))
		}
	}
}

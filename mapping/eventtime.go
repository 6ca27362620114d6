package mapping

import (
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// timeForm is one of the forms in which RFC 5545 §3.3.4 and §3.3.5 write a start.
type timeForm struct {
	date     bool
	floating bool
	loc      *time.Location // nil for a date and a floating time; time.UTC for the form with a Z
}

// utcNames are the names of UTC in the zone database: times in them are written with a Z.
var utcNames = []string{"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Zulu", "Etc/Zulu", "Universal", "Etc/Universal", "Z"}

// formOf returns the form in which a start is written. The start of a series keeps its local time by its zone: in UTC
// it would slip by an hour twice a year.
func (m *eventMapper) formOf(t sources.EventTime, series bool) (timeForm, error) {
	switch {
	case t.Date != "":
		if d, err := time.Parse(time.DateOnly, t.Date); err != nil || !writable(d) {
			return timeForm{}, invalid("the date cannot be written in iCalendar")
		}
		return timeForm{date: true}, nil
	case t.Time.IsZero():
		return timeForm{}, invalid("it has no start")
	case !writable(t.Time):
		return timeForm{}, invalid("the time cannot be written in iCalendar")
	case t.Zone == sources.Floating:
		return timeForm{floating: true}, nil
	}
	f := timeForm{loc: m.location(t.Zone, series)}
	if icalendar.Ambiguous(t.Time.In(f.loc)) {
		if series {
			m.lose(EventAmbiguousTime, "a series begins in the hour that the clocks show twice; it is read as the first")
		} else {
			f.loc = time.UTC
		}
	}
	return f, nil
}

// writable reports whether the year has four digits in every zone.
func writable(t time.Time) bool { y := t.UTC().Year(); return y > 1 && y < 9998 }

// location returns the zone of a name: the calendar's own for a name that nobody knows, and for a series without one.
func (m *eventMapper) location(name string, series bool) *time.Location {
	if name == "" && !series {
		return time.UTC
	}
	if loc, ok := m.lookUp(name); ok {
		return loc
	}
	if name != "" {
		m.lose(EventZoneUnknown, "time zone "+name)
	}
	loc, _ := m.lookUp(m.rules.Zone)
	return loc
}

// lookUp returns UTC and false for a name that is not known.
func (m *eventMapper) lookUp(name string) (*time.Location, bool) {
	if slices.Contains(utcNames, name) {
		return time.UTC, true
	}
	if name == "" || name == "Local" {
		return time.UTC, false
	}
	if loc, err := time.LoadLocation(name); err == nil {
		return loc, true
	}
	if m.rules.ZoneName != nil {
		if iana, ok := m.rules.ZoneName(name); ok {
			if loc, err := time.LoadLocation(iana); err == nil {
				return loc, true
			}
		}
	}
	return time.UTC, false
}

// write returns t as a value of the form.
func (f timeForm) write(t time.Time) string {
	switch {
	case f.date:
		return icalendar.FormatDate(t)
	case f.floating:
		return icalendar.FormatLocal(t.UTC())
	case f.loc == time.UTC:
		return icalendar.FormatUTC(t)
	}
	return icalendar.FormatLocal(t.In(f.loc))
}

// read returns the instant of a value that write made.
func (f timeForm) read(value string) time.Time {
	moment, err := icalendar.ParseMoment(value)
	if err != nil {
		return time.Time{}
	}
	return moment.In(f.loc)
}

// params are what the form adds to a property's name.
func (f timeForm) params() []icalendar.Param {
	switch {
	case f.date:
		return []icalendar.Param{icalendar.P("VALUE", "DATE")}
	case f.floating, f.loc == time.UTC:
		return nil
	}
	return []icalendar.Param{icalendar.P("TZID", f.loc.String())}
}

func (f timeForm) property(name, value string) icalendar.Property {
	return icalendar.Raw(name, value, f.params()...)
}

// line returns an unfolded content line, as providers write recurrences.
func (f timeForm) line(name, value string) string {
	for _, p := range f.params() {
		name += ";" + p.Name + "=" + p.Values[0]
	}
	return name + ":" + value
}

// inForm writes a time in the form of the master's start, as RECURRENCE-ID, EXDATE and RDATE must be; empty for a time
// that cannot be written.
func (m *eventMapper) inForm(t sources.EventTime) string {
	switch date, err := time.Parse(time.DateOnly, t.Date); {
	case t.Date != "" && err != nil, t.Date == "" && !writable(t.Time):
		return ""
	case t.Date != "" && m.form.date:
		return m.form.write(date)
	case t.Date != "":
		start := m.masterWall
		return m.writeWall(date.Add(time.Duration(start.Hour())*time.Hour + time.Duration(start.Minute())*time.Minute + time.Duration(start.Second())*time.Second))
	case m.form.date && t.Zone == sources.Floating:
		return m.form.write(t.Time.UTC())
	case m.form.date:
		return m.form.write(t.Time.In(m.location(t.Zone, true)))
	case m.form.floating && t.Zone != sources.Floating:
		return icalendar.FormatLocal(t.Time.In(m.location(t.Zone, true)))
	case t.Zone == sources.Floating:
		return m.writeWall(t.Time.UTC())
	}
	return m.form.write(t.Time)
}

// writeWall writes a wall clock of the master's zone.
func (m *eventMapper) writeWall(wall time.Time) string {
	if m.form.loc == time.UTC {
		return icalendar.FormatUTC(wall)
	}
	return icalendar.FormatLocal(wall)
}

// zoneSpan is the time for which a VTIMEZONE has to tell the offsets.
type zoneSpan struct {
	loc      *time.Location
	from, to time.Time
	open     bool
}

// use notes that the form's zone is used between two instants; see forever.
func (m *eventMapper) use(f timeForm, from, to time.Time) {
	if f.loc == nil || f.loc == time.UTC {
		return
	}
	s := m.spans[f.loc.String()]
	if s == nil {
		s = &zoneSpan{loc: f.loc, from: from, to: to}
		m.spans[f.loc.String()] = s
	}
	if from.Before(s.from) {
		s.from = from
	}
	if to.After(s.to) {
		s.to = to
	}
}

// forever notes that every zone that is used so far is used without an end.
func (m *eventMapper) forever() {
	for _, s := range m.spans {
		s.open = true
	}
}

// zones returns a VTIMEZONE for each zone that is used, in the order of their names.
func (m *eventMapper) zones() []*icalendar.Component {
	var all []*icalendar.Component
	for _, name := range sortedKeys(m.spans) {
		s := m.spans[name]
		if s.open {
			s.to = time.Time{}
		}
		all = append(all, icalendar.Timezone(s.loc, s.from, s.to))
	}
	return all
}

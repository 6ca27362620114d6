package mapping

import (
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// recurrence is what makes an event a series.
type recurrence struct {
	rules    []icalendar.Property
	dates    map[string]bool // RDATE, in the master's form
	excluded map[string]bool // EXDATE, likewise
	// until is the end of the last rule; infinite says that there is none, or none that is known without expansion.
	until    time.Time
	infinite bool
}

// properties returns the lines of a series in a fixed order.
func (s recurrence) properties(f timeForm) []icalendar.Property {
	list := slices.Clone(s.rules)
	for _, d := range []struct {
		name   string
		values map[string]bool
	}{{"RDATE", s.dates}, {"EXDATE", s.excluded}} {
		delete(d.values, "")
		if len(d.values) > 0 {
			list = append(list, f.property(d.name, strings.Join(sortedKeys(d.values), ",")))
		}
	}
	return list
}

// readRecurrence reads the provider's lines. A rule that RFC 5545 does not know is left out with a loss.
func (m *eventMapper) readRecurrence(lines []string, s *recurrence) {
	for _, line := range lines {
		p, ok := icalendar.ParseLine(line)
		switch {
		case ok && (p.Name == "RRULE" || p.Name == "EXRULE"):
			ok = m.readRule(p, s)
		case ok && p.Name == "RDATE":
			ok = m.readDates(p, s.dates)
		case ok && p.Name == "EXDATE":
			ok = m.readDates(p, s.excluded)
		default:
			ok = ok && p.Name == "DTSTART" // some providers repeat it among these lines
		}
		if !ok {
			m.lose(EventRuleInvalid, "a line of the recurrence is not of RFC 5545")
		}
	}
	if n := len(slices.DeleteFunc(slices.Clone(s.rules), func(p icalendar.Property) bool { return p.Name != "RRULE" })); n > 1 {
		m.lose(EventSeveralRules, "many clients show the first of several recurrence rules only")
	}
}

// readRule checks a rule and brings its end into the form that RFC 5545 §3.3.10 demands for the master's start.
func (m *eventMapper) readRule(p icalendar.Property, s *recurrence) bool {
	rule, err := icalendar.ParseRule(p.Value)
	if err != nil {
		return false
	}
	until := rule.Get("UNTIL")
	if until != "" {
		moment, err := icalendar.ParseMoment(until)
		if err != nil || !writable(moment.Wall) {
			return false
		}
		value, end := m.until(moment)
		rule = rule.With("UNTIL", value)
		if end.After(s.until) {
			s.until = end
		}
		if rule.Get("COUNT") != "" {
			rule = rule.With("COUNT", "")
			m.lose(EventRuleRepaired, "a rule had both a count and an end; the end stays")
		}
	}
	if p.Name == "EXRULE" {
		m.lose(EventExclusionRule, "rules that take occurrences away are obsolete; some clients do not follow them")
	} else {
		s.infinite = s.infinite || until == ""
	}
	s.rules = append(s.rules, icalendar.Raw(p.Name, rule.String()))
	return true
}

// until returns the end of a rule in its form, and as an instant.
func (m *eventMapper) until(t icalendar.Moment) (string, time.Time) {
	zone, _ := m.lookUp(m.rules.Zone)
	lastSecond := t.Wall
	if t.Date {
		lastSecond = t.Wall.AddDate(0, 0, 1).Add(-time.Second)
	}
	switch {
	case m.form.date && t.UTC:
		day := t.Wall.In(zone)
		return icalendar.FormatDate(day), day.AddDate(0, 0, 1)
	case m.form.date:
		return icalendar.FormatDate(t.Wall), t.Wall.AddDate(0, 0, 1)
	case m.form.floating && t.UTC:
		return icalendar.FormatLocal(t.Wall.In(zone)), t.Wall
	case m.form.floating:
		return icalendar.FormatLocal(lastSecond), lastSecond
	case t.UTC:
		return icalendar.FormatUTC(t.Wall), t.Wall
	}
	end := icalendar.Instant(lastSecond, m.form.loc)
	return icalendar.FormatUTC(end), end
}

// readDates adds the values of an RDATE or EXDATE to set, in the master's form.
func (m *eventMapper) readDates(p icalendar.Property, set map[string]bool) bool {
	ok := true
	for _, value := range p.List() {
		start, end, period := strings.Cut(value, "/")
		if start = strings.TrimSpace(start); start == "" {
			continue
		}
		moment, err := icalendar.ParseMoment(start)
		if err != nil || !writable(moment.Wall) {
			ok = false
			continue
		}
		if period && end != "" {
			m.lose(EventPeriod, "an occurrence of its own length has the length of the series")
		}
		set[m.dateInForm(moment, p.Param("TZID"))] = true
	}
	return ok
}

// dateInForm writes a moment that was set in the zone of the name in the form of the master's start.
func (m *eventMapper) dateInForm(t icalendar.Moment, zone string) string {
	loc := m.form.loc
	if zone != "" {
		loc = m.location(zone, true)
	}
	sameZone := loc != nil && m.form.loc != nil && loc.String() == m.form.loc.String()
	switch {
	case m.form.date && t.UTC:
		calendar, _ := m.lookUp(m.rules.Zone)
		return icalendar.FormatDate(t.Wall.In(calendar))
	case m.form.date:
		return icalendar.FormatDate(t.Wall)
	case t.Date:
		w := m.masterWall
		return m.writeWall(time.Date(t.Wall.Year(), t.Wall.Month(), t.Wall.Day(), w.Hour(), w.Minute(), w.Second(), 0, time.UTC))
	case m.form.floating && t.UTC:
		calendar, _ := m.lookUp(m.rules.Zone)
		return icalendar.FormatLocal(t.Wall.In(calendar))
	case !t.UTC && (sameZone || m.form.floating):
		return m.writeWall(t.Wall) // a wall clock in a gap of the clocks stays the one that the rule makes
	}
	return m.form.write(t.In(loc))
}

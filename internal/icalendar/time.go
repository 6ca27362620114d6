package icalendar

import (
	"fmt"
	"strings"
	"time"
)

// The forms of RFC 5545 §3.3.4 and §3.3.5.
const (
	dateForm  = "20060102"
	localForm = "20060102T150405"
	utcForm   = "20060102T150405Z"
)

// FormatDate returns the date of t.
func FormatDate(t time.Time) string { return t.Format(dateForm) }

// FormatLocal returns the wall clock of t without its zone.
func FormatLocal(t time.Time) string { return t.Format(localForm) }

// FormatUTC returns the instant of t.
func FormatUTC(t time.Time) string { return t.UTC().Format(utcForm) }

// Moment is a DATE or a DATE-TIME.
type Moment struct {
	// Wall is the wall clock, in UTC whatever the zone is; midnight for a date.
	Wall time.Time
	// Date says that there is no time of day, UTC that Wall is the instant.
	Date, UTC bool
}

// ParseMoment reads one value of type DATE or DATE-TIME.
func ParseMoment(value string) (Moment, error) {
	value = strings.TrimSpace(value)
	if t, err := time.Parse(dateForm, value); err == nil {
		return Moment{Wall: t, Date: true}, nil
	}
	if t, err := time.Parse(localForm, strings.TrimRight(value, "Zz")); err == nil {
		return Moment{Wall: t, UTC: strings.HasSuffix(strings.ToUpper(value), "Z")}, nil
	}
	return Moment{}, fmt.Errorf("%q is neither a date nor a time by RFC 5545", clip(value))
}

// In returns the instant of the moment, its wall clock read in loc unless it is in UTC. A wall clock that a change of
// the clocks skips counts from the offset before it, and one that comes twice is the first (RFC 5545 §3.3.5).
func (m Moment) In(loc *time.Location) time.Time {
	if m.UTC || loc == nil {
		return m.Wall
	}
	return Instant(m.Wall, loc)
}

// Instant returns the instant at which a clock in loc shows the wall clock of t, by the rules of RFC 5545 §3.3.5: of two
// the first, and in a gap as counted with the offset before the gap.
func Instant(t time.Time, loc *time.Location) time.Time {
	wall := WallClock(t)
	_, before := wall.Add(-26 * time.Hour).In(loc).Zone()
	_, after := wall.Add(26 * time.Hour).In(loc).Zone()
	first := wall.Add(-time.Duration(before) * time.Second).In(loc)
	if shows(first, wall) || before == after {
		return first
	}
	if second := wall.Add(-time.Duration(after) * time.Second).In(loc); shows(second, wall) {
		return second
	}
	return first
}

// WallClock returns what a clock in the zone of t shows then, as if in UTC. Instant leads back.
func WallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func shows(t, wall time.Time) bool { return WallClock(t).Equal(wall) }

// Ambiguous reports whether t is the second of two instants at which the clocks of its zone show the same: RFC 5545 has
// no form for it but UTC.
func Ambiguous(t time.Time) bool { return !Instant(t, t.Location()).Equal(t) }

// ParseDuration reads a value of type DURATION (RFC 5545 §3.3.6). A day counts 24 hours.
func ParseDuration(value string) (time.Duration, error) {
	rest := strings.ToUpper(strings.TrimSpace(value))
	sign := time.Duration(1)
	switch {
	case strings.HasPrefix(rest, "-"):
		sign, rest = -1, rest[1:]
	case strings.HasPrefix(rest, "+"):
		rest = rest[1:]
	}
	rest, ok := strings.CutPrefix(rest, "P")
	if !ok || rest == "" {
		return 0, fmt.Errorf("%q is no duration by RFC 5545", clip(value))
	}
	var sum time.Duration
	for n, digits := time.Duration(0), 0; rest != ""; rest = rest[1:] {
		c := rest[0]
		unit, known := durationUnits[c]
		switch {
		case '0' <= c && c <= '9' && digits < 9:
			n, digits = n*10+time.Duration(c-'0'), digits+1
		case c == 'T' && digits == 0:
		case known && digits > 0 && n <= maxDuration/unit-sum/unit:
			sum, n, digits = sum+n*unit, 0, 0
		default:
			return 0, fmt.Errorf("%q is no duration by RFC 5545", clip(value))
		}
		if rest == string(c) && digits > 0 {
			return 0, fmt.Errorf("%q is no duration by RFC 5545", clip(value))
		}
	}
	return sign * sum, nil
}

const (
	day         = 24 * time.Hour
	maxDuration = 200 * 365 * day
)

var durationUnits = map[byte]time.Duration{'W': 7 * day, 'D': day, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}

// FormatDuration returns d as a value of type DURATION, exact to the second and in the largest units that fit.
func FormatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	s := int64(d / time.Second)
	switch {
	case s == 0:
		return sign + "PT0S"
	case s%86400 == 0:
		return fmt.Sprintf("%sP%dD", sign, s/86400)
	case s%3600 == 0:
		return fmt.Sprintf("%sPT%dH", sign, s/3600)
	case s%60 == 0:
		return fmt.Sprintf("%sPT%dM", sign, s/60)
	}
	return fmt.Sprintf("%sPT%dS", sign, s)
}

// clip bounds what of a stranger's value stands in an error.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

package deltamodel

import (
	"fmt"
	"strings"
	"time"
)

// slot is when an event takes place: never in an hour that a clock shows twice or not at all.
type slot struct {
	day       time.Time // midnight in UTC
	hour, min int
	length    time.Duration
	zone      string // IANA
	allDay    bool
}

func newSlot(d *dice) slot {
	s := slot{day: windowFrom.AddDate(0, 0, 30+d.IntN(270)), hour: 4 + d.IntN(16), min: 15 * d.IntN(4), length: time.Duration(1+d.IntN(16)) * 15 * time.Minute,
		zone: pick(d, []string{"Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"})}
	if s.allDay = d.IntN(5) == 0; s.allDay {
		s.length = time.Duration(1+d.IntN(3)) * 24 * time.Hour
	}
	return s
}

func (s slot) start() time.Time {
	if s.allDay {
		return s.day
	}
	return time.Date(s.day.Year(), s.day.Month(), s.day.Day(), s.hour, s.min, 0, 0, location(s.zone))
}

func location(zone string) *time.Location {
	loc, err := time.LoadLocation(zone)
	must(err)
	return loc
}

// rule returns one that falls on the slot's day, and how often at most.
func (s slot) rule(d *dice) string {
	day := strings.ToUpper(s.day.Weekday().String()[:2])
	var b strings.Builder
	switch d.IntN(4) {
	case 0:
		b.WriteString("RRULE:FREQ=DAILY")
	case 1:
		b.WriteString("RRULE:FREQ=WEEKLY;BYDAY=" + day)
	case 2:
		other := strings.ToUpper(s.day.AddDate(0, 0, 2).Weekday().String()[:2])
		b.WriteString("RRULE:FREQ=WEEKLY;WKST=MO;BYDAY=" + day + "," + other)
	case 3:
		b.WriteString("RRULE:FREQ=MONTHLY")
		s.day = s.day.AddDate(0, 0, -max(0, s.day.Day()-28))
	}
	if d.IntN(3) == 0 {
		fmt.Fprintf(&b, ";INTERVAL=%d", 2+d.IntN(2))
	}
	switch d.IntN(3) {
	case 0:
		fmt.Fprintf(&b, ";COUNT=%d", 2+d.IntN(12))
	case 1:
		b.WriteString(s.until(s.day.AddDate(0, 0, 7+d.IntN(100))))
	}
	return b.String()
}

// until ends a rule with a day.
func (s slot) until(day time.Time) string {
	if s.allDay {
		return ";UNTIL=" + day.Format("20060102")
	}
	end := time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, location(s.zone))
	return ";UNTIL=" + end.UTC().Format("20060102T150405Z")
}

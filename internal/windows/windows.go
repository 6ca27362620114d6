// Package windows knows the times of a week in which work is allowed.
package windows

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Windows are times of a week in a time zone. No windows at all are always open.
type Windows struct {
	spans []span
	zone  *time.Location
}

// span begins on some days of the week at a time of day, and ends at one: that of the next day if it is not later.
type span struct {
	days     [7]bool // by time.Weekday
	from, to clock
	next     bool // ends on the next day
}

// clock is a time of day. 24:00 is the midnight that ends it.
type clock struct{ hour, minute int }

// errForm says how a window is written.
var errForm = errors.New(`write it like "mon-fri 20:00-06:00", "sat-sun" or "22:00-05:30"`)

// Parse reads windows: days, or times, or both, such as "mon-fri 20:00-06:00" and "sat,sun". Days without times are whole; times
// without days are those of each day. A span that does not end later than it begins ends on the next day. The zone is an IANA name;
// empty for that of this machine.
func Parse(texts []string, zone string) (Windows, error) {
	w := Windows{zone: time.Local}
	if zone != "" {
		z, err := time.LoadLocation(zone)
		if err != nil {
			return w, fmt.Errorf("there is no time zone %q; they are called like Europe/Paris", zone)
		}
		w.zone = z
	}
	for _, text := range texts {
		s, err := parseSpan(text)
		if err != nil {
			return w, fmt.Errorf("%q: %w", text, err)
		}
		w.spans = append(w.spans, s)
	}
	return w, nil
}

func parseSpan(text string) (s span, err error) {
	fields := strings.Fields(strings.ToLower(text))
	s = span{days: [7]bool{true, true, true, true, true, true, true}, to: clock{hour: 24}}
	if len(fields) > 0 && fields[0][0] >= 'a' {
		if s.days, err = parseDays(fields[0]); err != nil {
			return s, err
		}
		fields = fields[1:]
		if len(fields) == 0 {
			return s, nil
		}
	}
	if len(fields) != 1 {
		return s, errForm
	}
	from, to, ok := strings.Cut(fields[0], "-")
	var fromOK, toOK bool
	s.from, fromOK = parseClock(from)
	s.to, toOK = parseClock(to)
	if !ok || !fromOK || !toOK || s.from.hour == 24 {
		return s, errForm
	}
	s.next = s.to.hour < s.from.hour || s.to.hour == s.from.hour && s.to.minute <= s.from.minute
	return s, nil
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func parseDays(text string) (days [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, to := slices.Index(dayNames, first), slices.Index(dayNames, last)
		if from < 0 || to < 0 {
			return days, fmt.Errorf("the days are mon, tue, wed, thu, fri, sat, sun: %w", errForm)
		}
		for d := from; ; d = (d + 1) % 7 {
			days[d] = true
			if d == to {
				break
			}
		}
	}
	return days, nil
}

func parseClock(text string) (c clock, ok bool) {
	t, err := time.Parse("15:04", text)
	switch {
	case text == "24:00":
		return clock{hour: 24}, true
	case err != nil || len(text) != len("15:04"):
		return c, false
	}
	return clock{t.Hour(), t.Minute()}, true
}

// At reports whether t lies in a window. change is when that ends: when the window closes or the next one opens; the zero time
// if it never does. Windows that follow one another without a gap are one.
func (w Windows) At(t time.Time) (open bool, change time.Time) {
	if len(w.spans) == 0 {
		return true, time.Time{}
	}
	end, open := w.endOf(t)
	if !open {
		return false, w.nextBegin(t)
	}
	for limit := t.AddDate(0, 0, 8); ; {
		further, goesOn := w.endOf(end)
		if !goesOn {
			return true, end
		}
		if end = further; end.After(limit) {
			return true, time.Time{}
		}
	}
}

// In returns the windows with their clock read in another zone.
func (w Windows) In(zone *time.Location) Windows {
	w.zone = zone
	return w
}

// Zone is the time zone in which the clock is read.
func (w Windows) Zone() *time.Location {
	if w.zone == nil {
		return time.Local
	}
	return w.zone
}

// FirstOn returns the first moment that belongs to the day that begins at day: what is left of a window of the day before is none of it,
// unless that lasts beyond the day.
func (w Windows) FirstOn(day time.Time) time.Time {
	open, end := w.At(day)
	before, _ := w.At(day.Add(-time.Nanosecond))
	if open && before && !end.IsZero() && end.Before(day.AddDate(0, 0, 1)) {
		return end
	}
	return day
}

// From yields the windows from t on, one after the other; the first may have begun before, and then begins at t. Windows that are always
// open are one that has no end, and so none is yielded.
func (w Windows) From(t time.Time) iter.Seq2[time.Time, time.Time] {
	return func(yield func(begin, end time.Time) bool) {
		for at := t; ; {
			open, change := w.At(at)
			if change.IsZero() {
				return
			}
			if open && !yield(at.In(w.Zone()), change.In(w.Zone())) {
				return
			}
			at = change
		}
	}
}

// endOf returns when the last of the spans ends that t lies in.
func (w Windows) endOf(t time.Time) (end time.Time, within bool) {
	for begin, to := range w.around(t) {
		if !begin.After(t) && to.After(t) && to.After(end) {
			end, within = to, true
		}
	}
	return end, within
}

func (w Windows) nextBegin(t time.Time) (next time.Time) {
	for begin := range w.around(t) {
		if begin.After(t) && (next.IsZero() || begin.Before(next)) {
			next = begin
		}
	}
	return next
}

// around yields the spans that begin from the day before t to a week after it. Where a clock is put forward, a time that does not
// exist is the same time after the change (time.Date).
func (w Windows) around(t time.Time) func(yield func(begin, end time.Time) bool) {
	return func(yield func(begin, end time.Time) bool) {
		year, month, day := t.In(w.zone).Date()
		for d := day - 1; d <= day+8; d++ {
			weekday := time.Date(year, month, d, 12, 0, 0, 0, w.zone).Weekday()
			for _, s := range w.spans {
				if !s.days[weekday] {
					continue
				}
				last := d
				if s.next {
					last++
				}
				begin := time.Date(year, month, d, s.from.hour, s.from.minute, 0, 0, w.zone)
				end := time.Date(year, month, last, s.to.hour, s.to.minute, 0, 0, w.zone)
				if !yield(begin, end) {
					return
				}
			}
		}
	}
}

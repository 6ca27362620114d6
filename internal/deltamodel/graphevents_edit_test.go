package deltamodel

import (
	"fmt"
	"slices"
	"strings"
	"time"

	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

func (w *graphEvents) edit(d *dice) string {
	calendars := w.data.Calendars(user)
	c := pick(d, calendars)
	events := w.living(c)
	if len(events) < 3 || d.IntN(10) == 0 && len(events) < 30 {
		return w.add(d, c, "")
	}
	if d.IntN(25) == 0 {
		return w.editCalendar(d, calendars[1:])
	}
	s := pick(d, events)
	if s.master.Recurrence != nil && d.IntN(2) == 0 {
		return w.editSeries(d, c, s)
	}
	return w.editEvent(d, c, s)
}

func (w *graphEvents) add(d *dice, c, more string) string {
	s := newSlot(d)
	if d.IntN(2) == 0 {
		more += `, "recurrence": ` + s.recurrence(d)
	}
	return "new event " + value(w.data.AddEvent(user, c, fmt.Appendf(nil, `{"subject": %q, %s%s}`, word(d), s.graph(), more))) + more
}

func (w *graphEvents) editCalendar(d *dice, own []string) string {
	return editCollection(d, "calendar", own,
		func(name string) (string, error) { return w.data.AddCalendar(user, msim.Calendar{Name: name}) },
		func(id string) error { return w.data.DeleteCalendar(user, id) },
		func(id, name string) error {
			return w.data.ChangeCalendar(user, id, func(c *msim.Calendar) { c.Name = name })
		})
}

func (w *graphEvents) patch(id, body string) string {
	must(w.data.ChangeEvent(user, id, []byte(body)))
	return id + ": " + body
}

func (w *graphEvents) editEvent(d *dice, c string, s graphSeries) string {
	id := s.master.ID
	switch d.IntN(10) {
	case 0:
		return w.patch(id, fmt.Sprintf(`{"subject": %q}`, word(d)))
	case 1:
		return w.patch(id, fmt.Sprintf(`{"location": {"displayName": %q}, "sensitivity": %q}`, word(d), pick(d, []string{"private", "normal"})))
	case 2:
		return w.patch(id, fmt.Sprintf(`{"attendees": [%s]}`, graphGuests(d)))
	case 3:
		return w.patch(id, fmt.Sprintf(`{"isReminderOn": %v, "reminderMinutesBeforeStart": %d}`, d.IntN(2) == 0, d.IntN(200)))
	case 4:
		return w.patch(id, fmt.Sprintf(`{"showAs": %q}`, pick(d, []string{"free", "busy"})))
	case 5, 6:
		return w.retime(d, s)
	case 7:
		to := pick(d, w.data.Calendars(user))
		if to == c {
			return ""
		}
		must(w.data.MoveEvent(user, id, to))
		return "moved " + id + " to " + to
	case 8:
		must(w.data.DeleteEvent(user, id))
		return "deleted " + id
	}
	must(w.data.DeleteEvent(user, id))
	w.remade++
	return "instead of " + id + " " + w.add(d, c, fmt.Sprintf(`, "iCalUId": %q`, s.master.ICalUID))
}

func graphGuests(d *dice) string {
	var list []string
	for i := range d.IntN(4) {
		list = append(list, fmt.Sprintf(`{"type": "required", "emailAddress": {"name": "Guest", "address": "guest%d@example.net"}, "status": {"response": %q}}`, i,
			pick(d, []string{"none", "notResponded", "accepted", "declined", "tentativelyAccepted"})))
	}
	return strings.Join(list, ", ")
}

// retime moves the event to another time: Exchange forgets what was changed of a series then.
func (w *graphEvents) retime(d *dice, s graphSeries) string {
	for _, day := range s.touched() {
		must(w.data.RestoreOccurrence(user, s.master.ID, day))
	}
	to, recurrence := newSlot(d), "null"
	if d.IntN(2) == 0 {
		recurrence = to.recurrence(d)
	}
	return w.patch(s.master.ID, fmt.Sprintf(`{%s, "recurrence": %s}`, to.graph(), recurrence))
}

// touched are the days of a series on which something was changed or cancelled.
func (s graphSeries) touched() []string {
	days := slices.Clone(s.cancelled)
	for _, x := range s.exceptions {
		original, err := time.Parse(time.RFC3339, x.OriginalStart)
		must(err)
		days = append(days, original.In(s.master.Start.instant().Location()).Format(time.DateOnly))
	}
	return days
}

// editSeries changes single occurrences of a series, or all from one on.
func (w *graphEvents) editSeries(d *dice, c string, s graphSeries) string {
	id := s.master.ID
	if touched := s.touched(); d.IntN(4) == 0 && len(touched) > 0 {
		day := pick(d, touched)
		must(w.data.RestoreOccurrence(user, id, day))
		return "restored " + day + " of " + id
	}
	days := slices.DeleteFunc(s.days(), func(day string) bool { return day > "2025-01-01" || slices.Contains(s.cancelled, day) })
	if len(days) == 0 {
		return ""
	}
	day := pick(d, days)
	switch d.IntN(5) {
	case 0:
		must(w.data.CancelOccurrence(user, id, day))
		return "cancelled " + day + " of " + id
	case 1:
		return w.split(d, c, s, day)
	case 2:
		return w.change(id, day, fmt.Sprintf(`{"subject": %q}`, word(d)))
	case 3:
		return w.change(id, day, fmt.Sprintf(`{"attendees": [%s]}`, graphGuests(d)))
	}
	to := newSlot(d)
	if to.allDay = s.master.IsAllDay; to.allDay {
		to.length = 24 * time.Hour
	}
	return w.change(id, day, "{"+to.graph()+"}")
}

func (w *graphEvents) change(id, day, patch string) string {
	must(w.data.ChangeOccurrence(user, id, day, []byte(patch)))
	return "occurrence " + day + " of " + id + ": " + patch
}

// split ends a series before a day and begins another on it.
func (w *graphEvents) split(d *dice, c string, s graphSeries, day string) string {
	if day <= s.master.Recurrence.Range.StartDate {
		return ""
	}
	for _, other := range s.touched() {
		if other >= day {
			must(w.data.RestoreOccurrence(user, s.master.ID, other))
		}
	}
	last := dayOf(day).AddDate(0, 0, -1).Format(time.DateOnly)
	p := s.master.Recurrence.Pattern
	recurrence := fmt.Sprintf(`{"pattern": {"type": %q, "interval": %d, "dayOfMonth": %d, "daysOfWeek": [%s], "firstDayOfWeek": %q, "index": %q},
		"range": {"type": "endDate", "startDate": %q, "endDate": %q, "recurrenceTimeZone": %q}}`, p.Type, p.Interval, p.DayOfMonth, quoted(p.DaysOfWeek), p.FirstDayOfWeek,
		p.Index, s.master.Recurrence.Range.StartDate, last, s.master.Start.TimeZone)
	w.patch(s.master.ID, fmt.Sprintf(`{"recurrence": %s}`, recurrence))
	return "split " + s.master.ID + " before " + day + ", " + w.add(d, c, "")
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, ", ")
}

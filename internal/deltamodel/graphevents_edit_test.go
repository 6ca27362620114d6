package deltamodel

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

func (w *graphEvents) edit(r *rand.Rand) string {
	calendars := w.data.Calendars(user)
	c := pick(r, calendars)
	events := w.living(c)
	if len(events) < 3 || r.IntN(10) == 0 && len(events) < 30 {
		return w.add(r, c, "")
	}
	if r.IntN(25) == 0 {
		return w.editCalendar(r, calendars)
	}
	s := pick(r, events)
	if s.master.Recurrence != nil && r.IntN(2) == 0 {
		return w.editSeries(r, c, s)
	}
	return w.editEvent(r, c, s)
}

func (w *graphEvents) add(r *rand.Rand, c, more string) string {
	s := newSlot(r)
	if r.IntN(2) == 0 {
		more += `, "recurrence": ` + s.recurrence(r)
	}
	return "new event " + added(w.data.AddEvent(user, c, fmt.Appendf(nil, `{"subject": %q, %s%s}`, word(r), s.graph(), more))) + more
}

func (w *graphEvents) editCalendar(r *rand.Rand, calendars []string) string {
	own := calendars[1:]
	switch n := r.IntN(4); {
	case len(own) < 2 || n == 0 && len(own) < 4:
		w.calendars++
		return "new calendar " + added(w.data.AddCalendar(user, msim.Calendar{Name: word(r)}))
	case n == 1 && len(own) > 2:
		c := pick(r, own)
		done(w.data.DeleteCalendar(user, c))
		return "calendar deleted " + c
	default:
		c := pick(r, own)
		done(w.data.ChangeCalendar(user, c, func(v *msim.Calendar) { v.Name = word(r) }))
		return "calendar renamed " + c
	}
}

func (w *graphEvents) patch(id, body string) string {
	done(w.data.ChangeEvent(user, id, []byte(body)))
	return id + ": " + body
}

func (w *graphEvents) editEvent(r *rand.Rand, c string, s graphSeries) string {
	id := s.master.ID
	switch r.IntN(10) {
	case 0:
		return w.patch(id, fmt.Sprintf(`{"subject": %q}`, word(r)))
	case 1:
		return w.patch(id, fmt.Sprintf(`{"location": {"displayName": %q}, "sensitivity": %q}`, word(r), pick(r, []string{"private", "normal"})))
	case 2:
		return w.patch(id, fmt.Sprintf(`{"attendees": [%s]}`, graphGuests(r)))
	case 3:
		return w.patch(id, fmt.Sprintf(`{"isReminderOn": %v, "reminderMinutesBeforeStart": %d}`, r.IntN(2) == 0, r.IntN(200)))
	case 4:
		return w.patch(id, fmt.Sprintf(`{"showAs": %q}`, pick(r, []string{"free", "busy"})))
	case 5, 6:
		return w.retime(r, s)
	case 7:
		to := pick(r, w.data.Calendars(user))
		if to == c {
			return ""
		}
		done(w.data.MoveEvent(user, id, to))
		return "moved " + id + " to " + to
	case 8:
		done(w.data.DeleteEvent(user, id))
		return "deleted " + id
	}
	done(w.data.DeleteEvent(user, id))
	w.remade++
	return "instead of " + id + " " + w.add(r, c, fmt.Sprintf(`, "iCalUId": %q`, s.master.ICalUID))
}

func graphGuests(r *rand.Rand) string {
	var list []string
	for i := range r.IntN(4) {
		list = append(list, fmt.Sprintf(`{"type": "required", "emailAddress": {"name": "Guest", "address": "guest%d@example.net"}, "status": {"response": %q}}`, i,
			pick(r, []string{"none", "notResponded", "accepted", "declined", "tentativelyAccepted"})))
	}
	return strings.Join(list, ", ")
}

// retime moves the event to another time: Exchange forgets what was changed of a series then.
func (w *graphEvents) retime(r *rand.Rand, s graphSeries) string {
	for _, day := range s.touched() {
		done(w.data.RestoreOccurrence(user, s.master.ID, day))
	}
	to, recurrence := newSlot(r), "null"
	if r.IntN(2) == 0 {
		recurrence = to.recurrence(r)
	}
	return w.patch(s.master.ID, fmt.Sprintf(`{%s, "recurrence": %s}`, to.graph(), recurrence))
}

// touched are the days of a series on which something was changed or cancelled.
func (s graphSeries) touched() []string {
	days := slices.Clone(s.cancelled)
	for _, x := range s.exceptions {
		original, err := time.Parse(time.RFC3339, x.OriginalStart)
		done(err)
		days = append(days, original.In(s.master.Start.instant().Location()).Format(time.DateOnly))
	}
	return days
}

// editSeries changes single occurrences of a series, or all from one on.
func (w *graphEvents) editSeries(r *rand.Rand, c string, s graphSeries) string {
	id := s.master.ID
	if touched := s.touched(); r.IntN(4) == 0 && len(touched) > 0 {
		day := pick(r, touched)
		done(w.data.RestoreOccurrence(user, id, day))
		return "restored " + day + " of " + id
	}
	days := slices.DeleteFunc(s.days(), func(day string) bool { return day > "2025-01-01" || slices.Contains(s.cancelled, day) })
	if len(days) == 0 {
		return ""
	}
	day := pick(r, days)
	switch r.IntN(5) {
	case 0:
		done(w.data.CancelOccurrence(user, id, day))
		return "cancelled " + day + " of " + id
	case 1:
		return w.split(r, c, s, day)
	case 2:
		return w.change(id, day, fmt.Sprintf(`{"subject": %q}`, word(r)))
	case 3:
		return w.change(id, day, fmt.Sprintf(`{"attendees": [%s]}`, graphGuests(r)))
	}
	to := newSlot(r)
	if to.allDay = s.master.IsAllDay; to.allDay {
		to.length = 24 * time.Hour
	}
	return w.change(id, day, "{"+to.graph()+"}")
}

func (w *graphEvents) change(id, day, patch string) string {
	done(w.data.ChangeOccurrence(user, id, day, []byte(patch)))
	return "occurrence " + day + " of " + id + ": " + patch
}

// split ends a series before a day and begins another on it.
func (w *graphEvents) split(r *rand.Rand, c string, s graphSeries, day string) string {
	if day <= s.master.Recurrence.Range.StartDate {
		return ""
	}
	for _, other := range s.touched() {
		if other >= day {
			done(w.data.RestoreOccurrence(user, s.master.ID, other))
		}
	}
	last := dayOf(day).AddDate(0, 0, -1).Format(time.DateOnly)
	p := s.master.Recurrence.Pattern
	recurrence := fmt.Sprintf(`{"pattern": {"type": %q, "interval": %d, "dayOfMonth": %d, "daysOfWeek": [%s], "firstDayOfWeek": %q, "index": %q},
		"range": {"type": "endDate", "startDate": %q, "endDate": %q, "recurrenceTimeZone": %q}}`, p.Type, p.Interval, p.DayOfMonth, quoted(p.DaysOfWeek), p.FirstDayOfWeek,
		p.Index, s.master.Recurrence.Range.StartDate, last, s.master.Start.TimeZone)
	w.patch(s.master.ID, fmt.Sprintf(`{"recurrence": %s}`, recurrence))
	return "split " + s.master.ID + " before " + day + ", " + w.add(r, c, "")
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%q", s))
	}
	return strings.Join(out, ", ")
}

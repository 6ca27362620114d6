package deltamodel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

func (w *googleEvents) edit(d *dice) string {
	calendars := w.data.Calendars(user)
	c := pick(d, calendars)
	events := w.living(c)
	if len(events) < 3 || d.IntN(12) == 0 && len(events) < 30 {
		return w.add(d, c)
	}
	if d.IntN(25) == 0 {
		return w.editCalendar(d, calendars[1:])
	}
	s := pick(d, events)
	if len(s.master.Recurrence) > 0 && d.IntN(2) == 0 {
		return w.editSeries(d, c, s)
	}
	return w.editEvent(d, c, s)
}

func (w *googleEvents) add(d *dice, c string) string {
	s := newSlot(d)
	rule := ""
	if d.IntN(2) == 0 {
		rule = fmt.Sprintf(`, "recurrence": [%q]`, s.rule(d))
	}
	id := value(w.data.AddEvent(user, c, fmt.Appendf(nil, `{"summary": %q, %s%s}`, word(d), s.google(), rule)))
	w.slots[id] = s
	return "new event " + id + rule
}

func (w *googleEvents) editCalendar(d *dice, own []string) string {
	return editCollection(d, "calendar", own,
		func(name string) (string, error) {
			return w.data.AddCalendar(user, gsim.Calendar{Summary: name, TimeZone: "Europe/Berlin"})
		},
		func(id string) error { return w.data.DeleteCalendar(user, id) },
		func(id, name string) error {
			return w.data.SetCalendar(user, id, func(c *gsim.Calendar) { c.Summary = name })
		})
}

func (w *googleEvents) patch(what, c, id, body string) string {
	must(w.data.UpdateEvent(user, c, id, json.RawMessage(body)))
	return what + " " + id + " " + body
}

func (w *googleEvents) editEvent(d *dice, c string, s googleSeries) string {
	id := s.master.ID
	switch d.IntN(12) {
	case 0:
		return w.patch("title of", c, id, fmt.Sprintf(`{"summary": %q}`, word(d)))
	case 1:
		return w.patch("place of", c, id, fmt.Sprintf(`{"location": %q, "visibility": %q}`, word(d), pick(d, []string{"private", "default"})))
	case 2:
		return w.patch("guests of", c, id, fmt.Sprintf(`{"attendees": [%s]}`, guests(d)))
	case 3:
		return w.patch("reminders of", c, id, reminders(d))
	case 4:
		return w.patch("state of", c, id, fmt.Sprintf(`{"transparency": %q}`, pick(d, []string{"opaque", "transparent"})))
	case 5, 6:
		return w.retime(d, c, s)
	case 7:
		return w.moveTo(d, c, s)
	case 8, 9:
		must(w.data.CancelEvent(user, c, id))
		w.deleted = append(w.deleted, googlePlace{c, id, s.master.ICalUID})
		return "deleted " + id
	case 10:
		return w.restore(d)
	}
	return w.remake(d, c, s)
}

func guests(d *dice) string {
	var list []string
	for i := range d.IntN(4) {
		list = append(list, fmt.Sprintf(`{"email": "guest%d@example.net", "responseStatus": %q}`, i, pick(d, []string{"needsAction", "accepted", "declined", "tentative"})))
	}
	return strings.Join(list, ", ")
}

func reminders(d *dice) string {
	if d.IntN(3) == 0 {
		return `{"reminders": {"useDefault": true}}`
	}
	return fmt.Sprintf(`{"reminders": {"useDefault": false, "overrides": [{"method": "popup", "minutes": %d}]}}`, d.IntN(200))
}

// retime moves the event to another time, with another recurrence or none: what was changed of a series is taken back by that.
func (w *googleEvents) retime(d *dice, c string, s googleSeries) string {
	id := s.master.ID
	to := newSlot(d)
	if len(s.parts) > 0 {
		to.allDay, to.length = w.slots[id].allDay, w.slots[id].length
	}
	rule := "null"
	if d.IntN(2) == 0 {
		rule = fmt.Sprintf("[%q]", to.rule(d))
	}
	for _, p := range s.parts {
		w.patch("", c, p.ID, `{"status": "cancelled"}`)
	}
	w.slots[id] = to
	return w.patch("time of", c, id, fmt.Sprintf(`{%s, "recurrence": %s}`, to.google(), rule))
}

func (w *googleEvents) moveTo(d *dice, c string, s googleSeries) string {
	to := pick(d, w.data.Calendars(user))
	if to == c {
		return ""
	}
	must(w.data.MoveEvent(user, c, s.master.ID, to))
	return "moved " + s.master.ID + " from " + c + " to " + to
}

// restore takes a deleted event out of the bin.
func (w *googleEvents) restore(d *dice) string {
	if len(w.deleted) == 0 {
		return ""
	}
	i := d.IntN(len(w.deleted))
	p := w.deleted[i]
	w.deleted = slices.Delete(w.deleted, i, i+1)
	if !slices.Contains(w.data.Calendars(user), p.calendar) {
		return ""
	}
	for _, other := range w.data.Calendars(user) { // it may be elsewhere by now, or here again
		if slices.ContainsFunc(w.living(other), func(s googleSeries) bool { return s.master.ICalUID == p.uid }) {
			return ""
		}
	}
	return w.patch("restored", p.calendar, p.id, `{"status": "confirmed"}`)
}

// again implements repeater.
func (w *googleEvents) again() (n int) {
	n, w.remade = w.remade, 0
	return n
}

// remake deletes an event and makes one of the same UID, as an invitation that is accepted anew.
func (w *googleEvents) remake(d *dice, c string, s googleSeries) string {
	must(w.data.CancelEvent(user, c, s.master.ID))
	w.remade++
	to := newSlot(d)
	id := value(w.data.AddEvent(user, c, fmt.Appendf(nil, `{"summary": %q, "iCalUID": %q, %s}`, pick(d, []string{s.master.Summary, word(d)}), s.master.ICalUID, to.google())))
	w.slots[id] = to
	return "instead of " + s.master.ID + " another of the same UID " + id
}

// editSeries changes single occurrences of a series, or all from one on.
func (w *googleEvents) editSeries(d *dice, c string, s googleSeries) string {
	if d.IntN(4) == 0 && len(s.parts) > 0 {
		p := pick(d, s.parts)
		if p.Status == "cancelled" {
			return w.patch("occurrence restored", c, p.ID, `{"status": "confirmed"}`)
		}
		return w.patch("occurrence cancelled", c, p.ID, `{"status": "cancelled"}`)
	}
	starts := s.starts()
	if len(starts) == 0 {
		return ""
	}
	at := pick(d, starts)
	original := at.Format(time.RFC3339)
	if s.master.Start.Date != "" {
		original = at.Format(time.DateOnly)
	}
	switch d.IntN(5) {
	case 0:
		must(w.data.CancelOccurrence(user, c, s.master.ID, original))
		return "cancelled " + original + " of " + s.master.ID
	case 1:
		return w.split(d, c, s, at)
	case 2:
		return w.change(c, s, original, fmt.Sprintf(`{"summary": %q}`, word(d)))
	case 3:
		return w.change(c, s, original, fmt.Sprintf(`{"attendees": [%s]}`, guests(d)))
	}
	to := newSlot(d)
	to.allDay, to.length = w.slots[s.master.ID].allDay, w.slots[s.master.ID].length
	return w.change(c, s, original, "{"+to.google()+"}")
}

// starts are when the series falls by its rule, without what was changed.
func (s googleSeries) starts() (list []time.Time) {
	start := s.master.Start.instant()
	if s.master.Start.Date == "" {
		start = start.In(location(s.master.Start.TimeZone))
	}
	all, err := expand(strings.TrimPrefix(s.master.Recurrence[0], "RRULE:"), start)
	must(err)
	for _, at := range all {
		known := false
		for _, p := range s.parts {
			known = known || p.OriginalStartTime.instant().Equal(at)
		}
		if !known {
			list = append(list, at)
		}
	}
	return list
}

func (w *googleEvents) change(c string, s googleSeries, original, patch string) string {
	must(w.data.ChangeOccurrence(user, c, s.master.ID, original, json.RawMessage(patch)))
	return "occurrence " + original + " of " + s.master.ID + ": " + patch
}

// split ends a series before an occurrence and begins another with it.
func (w *googleEvents) split(d *dice, c string, s googleSeries, at time.Time) string {
	old := w.slots[s.master.ID]
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
	if !day.After(old.day) {
		return ""
	}
	for _, p := range s.parts {
		if !p.OriginalStartTime.instant().Before(at) {
			w.patch("", c, p.ID, `{"status": "cancelled"}`)
		}
	}
	var parts []string
	for part := range strings.SplitSeq(s.master.Recurrence[0], ";") {
		if !strings.HasPrefix(part, "COUNT") && !strings.HasPrefix(part, "UNTIL") {
			parts = append(parts, part)
		}
	}
	rule := strings.Join(parts, ";") + old.until(day.AddDate(0, 0, -1))
	w.patch("", c, s.master.ID, fmt.Sprintf(`{"recurrence": [%q]}`, rule))
	next := old
	next.day = day
	id := value(w.data.AddEvent(user, c, fmt.Appendf(nil, `{"summary": %q, "recurrence": [%q], %s}`, word(d), next.rule(d), next.google())))
	w.slots[id] = next
	return "split " + s.master.ID + " at " + at.String() + ", goes on as " + id
}

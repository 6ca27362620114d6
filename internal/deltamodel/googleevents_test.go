package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// googleEvents are the calendars of a Google account.
type googleEvents struct {
	googleSim
	slots   map[string]slot // of masters and single events, by their ids
	deleted []googlePlace
	remade  int // events since the last pass
}

// googlePlace is an event and its calendar.
type googlePlace struct{ calendar, id, uid string }

func openGoogleEvents(b *bench, _ *dice) world {
	w := &googleEvents{googleSim: b.startGoogle(gsim.Options{}), slots: map[string]slot{}}
	return shelve(b, "calendar", w, func(ctx context.Context) ([]opened[sources.Event], error) {
		c := w.connect()
		list, err := google.Calendars(ctx, c, user)
		return each(list, func(at sources.Collection) sources.Source[sources.Event] { return google.Calendar(c, user, at.ID) }), err
	}, moveEvents, readEvent)
}

func (w *googleEvents) expire() {
	for _, c := range w.data.Calendars(user) {
		must(w.data.ExpireSyncTokens(user, c))
	}
}

// googleTime and googleEvent are what the oracle reads of Google's JSON.
type googleTime struct{ Date, DateTime, TimeZone string }

func (t googleTime) instant() time.Time {
	if t.Date != "" {
		at, err := time.Parse(time.DateOnly, t.Date)
		must(err)
		return at
	}
	at, err := time.Parse(time.RFC3339, t.DateTime)
	must(err)
	return at
}

type googleEvent struct {
	ID, Status, ICalUID, Summary, Location, Transparency, Visibility, RecurringEventID string
	Start, End, OriginalStartTime                                                      googleTime
	Recurrence                                                                         []string
	Attendees                                                                          []struct{ Email, ResponseStatus string }
	Reminders                                                                          struct {
		UseDefault bool
		Overrides  []struct{ Minutes int }
	}
}

func (e googleEvent) happening(c string) happening {
	h := happening{at: e.Start.instant(), allDay: e.Start.Date != "", title: e.Summary, where: e.Location, free: e.Transparency == "transparent",
		private: e.Visibility == "private"}
	h.length = e.End.instant().Sub(h.at)
	for _, a := range e.Attendees {
		status := strings.ToLower(a.ResponseStatus)
		if status == "needsaction" || status == "" {
			status = "needs-action"
		}
		h.guests = append(h.guests, a.Email+" "+status)
	}
	if e.Reminders.UseDefault && c == user { // only the primary calendar has some
		h.alarms = []string{"10"}
	} else if !e.Reminders.UseDefault {
		for _, o := range e.Reminders.Overrides {
			h.alarms = append(h.alarms, fmt.Sprint(o.Minutes))
		}
	}
	return h
}

// series is an event with its changed and cancelled occurrences.
type googleSeries struct {
	master googleEvent
	parts  []googleEvent
	raw    string
}

// living returns the events that are there, in the order of their ids.
func (w *googleEvents) living(calendar string) []googleSeries {
	byID := map[string]*googleSeries{}
	var parts []googleEvent
	raws := map[string]string{}
	for _, raw := range w.data.Events(user, calendar) {
		var e googleEvent
		must(json.Unmarshal(raw, &e))
		if e.RecurringEventID == "" {
			byID[e.ID] = &googleSeries{master: e}
		} else {
			parts = append(parts, e)
		}
		raws[e.RecurringEventID+e.ID] = string(raw)
	}
	for _, p := range parts {
		if s := byID[p.RecurringEventID]; s != nil {
			s.parts = append(s.parts, p)
			s.raw += raws[p.RecurringEventID+p.ID]
		}
	}
	var out []googleSeries
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		byID[id].raw += raws[id]
		out = append(out, *byID[id])
	}
	return out
}

// happenings are when a series takes place, by what the provider says.
func (s googleSeries) happenings(calendar string) (list []happening) {
	first := s.master.happening(calendar)
	starts := []time.Time{first.at}
	if len(s.master.Recurrence) > 0 {
		start := first.at
		if !first.allDay {
			start = start.In(location(s.master.Start.TimeZone))
		}
		var err error
		starts, err = expand(strings.TrimPrefix(s.master.Recurrence[0], "RRULE:"), start)
		must(err)
	} else {
		s.parts = nil // what is left of a series that is none any more
	}
	for _, p := range s.parts {
		starts = slices.DeleteFunc(starts, p.OriginalStartTime.instant().Equal)
		if h := p.happening(calendar); p.Status != "cancelled" && inWindow(h.at) {
			list = append(list, h)
		}
	}
	for _, at := range starts {
		first.at = at
		list = append(list, first)
	}
	return list
}

func (w *googleEvents) truth() map[string]objects {
	out := map[string]objects{}
	for _, c := range w.data.Calendars(user) {
		out[c] = objects{}
		for _, s := range w.living(c) {
			facts, err := once(c+s.raw, func() (string, error) { return timeline(s.happenings(c)), nil })
			must(err)
			out[c][s.master.ICalUID] = object{facts: facts, raw: s.raw}
		}
	}
	return out
}

// times are the start and the end of a slot as Google has them.
func (s slot) google() string {
	form := func(t time.Time) string {
		if s.allDay {
			return fmt.Sprintf(`{"date": %q, "dateTime": null, "timeZone": null}`, t.Format(time.DateOnly))
		}
		return fmt.Sprintf(`{"dateTime": %q, "timeZone": %q}`, t.Format(time.RFC3339), s.zone)
	}
	text := fmt.Sprintf(`"start": %s, "end": %s`, form(s.start()), form(s.start().Add(s.length).In(s.start().Location())))
	return strings.ReplaceAll(text, `, "dateTime": null, "timeZone": null`, "")
}

func (w *googleEvents) edit(d *dice) string {
	calendars := w.data.Calendars(user)
	c := pick(d, calendars)
	events := w.living(c)
	if len(events) < 3 || d.IntN(12) == 0 && len(events) < 30 {
		return w.add(d, c)
	}
	if d.IntN(25) == 0 {
		return w.editCalendar(d, calendars)
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

func (w *googleEvents) editCalendar(d *dice, calendars []string) string {
	own := calendars[1:]
	switch n := d.IntN(4); {
	case len(own) < 2 || n == 0 && len(own) < 4:
		return "new calendar " + value(w.data.AddCalendar(user, gsim.Calendar{Summary: word(d), TimeZone: "Europe/Berlin"}))
	case n == 1 && len(own) > 2:
		c := pick(d, own)
		must(w.data.DeleteCalendar(user, c))
		return "calendar deleted " + c
	default:
		c := pick(d, own)
		must(w.data.SetCalendar(user, c, func(v *gsim.Calendar) { v.Summary = word(d) }))
		return "calendar renamed " + c
	}
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

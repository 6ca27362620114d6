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

func openGoogleEvents(b *bench, d *dice) world {
	w := &googleEvents{googleSim: b.startGoogle(gsim.Options{}), slots: map[string]slot{}}
	for range 2 {
		w.editCalendar(d, w.data.Calendars(user)[1:])
	}
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

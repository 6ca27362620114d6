package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/graphrecur/graphrecurtest"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// graphEvents are the calendars of a mailbox at Microsoft.
type graphEvents struct {
	graphSim
	remade int // events since the last pass
}

// again implements repeater: an event that has another id is taken away and written anew.
func (w *graphEvents) again() (n int) {
	n, w.remade = w.remade, 0
	return n
}

func openGraphEvents(b *bench, d *dice) world {
	w := &graphEvents{graphSim: b.startMicrosoft()}
	for range 2 {
		w.editCalendar(d, w.data.Calendars(user)[1:])
	}
	return shelve(b, "calendar", w, func(ctx context.Context) ([]opened[sources.Event], error) {
		c := w.connect()
		list, err := microsoft.Calendars(ctx, c, user)
		return each(list, func(at sources.Collection) sources.Source[sources.Event] { return microsoft.Calendar(c, user, at.ID) }), err
	}, moveEvents, readEvent)
}

// expire makes links to next pages expire: a calendar has no other.
func (w *graphEvents) expire() { w.data.ExpireTokens() }

// graphTime and graphEvent are what the oracle reads of Graph's JSON.
type graphTime struct{ DateTime, TimeZone string }

// graphZones are the zones that slots are in, as Windows names them.
var graphZones = map[string]string{"Europe/Berlin": "W. Europe Standard Time", "America/New_York": "Eastern Standard Time", "Asia/Tokyo": "Tokyo Standard Time", "UTC": "UTC"}

func (t graphTime) instant() time.Time {
	for iana, windows := range graphZones {
		if windows == t.TimeZone {
			at, err := time.ParseInLocation("2006-01-02T15:04:05", t.DateTime, location(iana))
			must(err)
			return at
		}
	}
	panic("zone " + t.TimeZone)
}

type graphEvent struct {
	ID, ICalUID, Subject, ShowAs, Sensitivity, OriginalStart string
	IsAllDay, IsReminderOn                                   bool
	ReminderMinutesBeforeStart                               int
	Start, End                                               graphTime
	Location                                                 struct{ DisplayName string }
	Attendees                                                []struct {
		EmailAddress struct{ Address string }
		Status       struct{ Response string }
	}
	Recurrence *struct {
		Pattern graphrecur.Pattern
		Range   graphrecur.Range
	}
}

var graphAnswers = map[string]string{"accepted": "accepted", "declined": "declined", "tentativelyAccepted": "tentative"}

func (e graphEvent) happening() happening {
	h := happening{at: e.Start.instant(), allDay: e.IsAllDay, title: e.Subject, where: e.Location.DisplayName, free: e.ShowAs == "free", private: e.Sensitivity == "private"}
	h.length = e.End.instant().Sub(h.at)
	if h.allDay {
		h.at = dayOf(e.Start.DateTime)
		h.length = dayOf(e.End.DateTime).Sub(h.at)
	}
	for _, a := range e.Attendees {
		answer := graphAnswers[a.Status.Response]
		if answer == "" {
			answer = "needs-action"
		}
		h.guests = append(h.guests, a.EmailAddress.Address+" "+answer)
	}
	if e.IsReminderOn {
		h.alarms = []string{fmt.Sprint(e.ReminderMinutesBeforeStart)}
	}
	return h
}

func dayOf(text string) time.Time {
	day, err := time.Parse(time.DateOnly, text[:10])
	must(err)
	return day
}

// graphSeries is an event with its exceptions.
type graphSeries struct {
	master     graphEvent
	exceptions []graphEvent
	cancelled  []string
	raw        string
}

func (w *graphEvents) living(calendar string) (out []graphSeries) {
	for _, info := range w.data.Events(user, calendar) {
		s := graphSeries{cancelled: info.Cancelled, raw: string(info.Body) + strings.Join(info.Cancelled, " ")}
		must(json.Unmarshal(info.Body, &s.master))
		for _, raw := range info.Exceptions {
			var x graphEvent
			must(json.Unmarshal(raw, &x))
			s.exceptions, s.raw = append(s.exceptions, x), s.raw+string(raw)
		}
		out = append(out, s)
	}
	return out
}

// days are those on which the series falls by its rule.
func (s graphSeries) days() []string {
	if s.master.Recurrence == nil {
		return nil
	}
	r := *s.master.Recurrence
	return graphrecurtest.Days(graphrecur.Recurrence(r), dayOf(r.Range.StartDate))
}

// happenings are when an event takes place, by what Graph's description says.
func (s graphSeries) happenings() (list []happening) {
	first := s.master.happening()
	if s.master.Recurrence == nil {
		return []happening{first}
	}
	changed := map[string]bool{}
	for _, x := range s.exceptions {
		original, err := time.Parse(time.RFC3339, x.OriginalStart)
		must(err)
		changed[original.In(s.master.Start.instant().Location()).Format(time.DateOnly)] = true
		if h := x.happening(); inWindow(h.at) {
			list = append(list, h)
		}
	}
	start := first.at
	for _, text := range s.days() {
		if changed[text] || slices.Contains(s.cancelled, text) {
			continue
		}
		day := dayOf(text)
		first.at = time.Date(day.Year(), day.Month(), day.Day(), start.Hour(), start.Minute(), 0, 0, start.Location())
		if inWindow(first.at) {
			list = append(list, first)
		}
	}
	return list
}

func (w *graphEvents) truth() map[string]objects {
	out := map[string]objects{}
	for _, c := range w.data.Calendars(user) {
		out[c] = objects{}
		for _, s := range w.living(c) {
			facts, err := once(s.raw, func() (string, error) { return timeline(s.happenings()), nil })
			must(err)
			out[c][s.master.ICalUID] = object{facts: facts, raw: s.raw}
		}
	}
	return out
}

// graph are the times of a slot as Graph has them.
func (s slot) graph() string {
	form := func(t time.Time) string {
		return fmt.Sprintf(`{"dateTime": %q, "timeZone": %q}`, t.Format("2006-01-02T15:04:05"), graphZones[s.zone])
	}
	end := s.start().Add(s.length).In(s.start().Location())
	return fmt.Sprintf(`"isAllDay": %v, "start": %s, "end": %s, "originalStartTimeZone": %q, "originalEndTimeZone": %q`, s.allDay, form(s.start()), form(end),
		graphZones[s.zone], graphZones[s.zone])
}

// recurrence returns one that falls on the slot's day, or not at once.
func (s slot) recurrence(d *dice) string {
	weekday := strings.ToLower(s.day.Weekday().String())
	pattern := pick(d, []string{
		`"type": "daily"`, fmt.Sprintf(`"type": "weekly", "daysOfWeek": [%q], "firstDayOfWeek": "monday"`, weekday),
		`"type": "weekly", "daysOfWeek": ["tuesday", "friday"], "firstDayOfWeek": "sunday"`,
		fmt.Sprintf(`"type": "absoluteMonthly", "dayOfMonth": %d`, s.day.Day()),
		fmt.Sprintf(`"type": "relativeMonthly", "daysOfWeek": [%q], "index": %q`, weekday, pick(d, []string{"first", "second", "last"})),
	})
	end := pick(d, []string{`"type": "noEnd"`, fmt.Sprintf(`"type": "numbered", "numberOfOccurrences": %d`, 2+d.IntN(12)),
		fmt.Sprintf(`"type": "endDate", "endDate": %q`, s.day.AddDate(0, 0, 60+d.IntN(100)).Format(time.DateOnly))})
	return fmt.Sprintf(`{"pattern": {%s, "interval": %d}, "range": {%s, "startDate": %q, "recurrenceTimeZone": %q}}`, pattern, 1+d.IntN(3), end,
		s.day.Format(time.DateOnly), graphZones[s.zone])
}

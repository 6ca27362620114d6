package deltamodel

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

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

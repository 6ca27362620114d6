package google

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"google.golang.org/api/calendar/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// seriesID returns the id of the item that a component belongs to: that of its series, or its own.
func seriesID(e *calendar.Event) string {
	if e.RecurringEventId != "" {
		return e.RecurringEventId
	}
	return e.Id
}

// cancelled reports whether a component was deleted; of such, little more than the id is known.
func cancelled(e *calendar.Event) bool { return e.Status == "cancelled" }

// group collects components by item, in the order of their first appearance. A component that stands twice counts as it
// stands last.
func group(events []*calendar.Event) (ids []string, parts map[string][]*calendar.Event) {
	parts = map[string][]*calendar.Event{}
	last := map[string]*calendar.Event{}
	for _, e := range events {
		if e != nil && e.Id != "" {
			last[e.Id] = e
		}
	}
	for _, e := range events {
		if e == nil || e.Id == "" || last[e.Id] != e {
			continue
		}
		id := seriesID(e)
		if parts[id] == nil {
			ids = append(ids, id)
		}
		parts[id] = append(parts[id], e)
	}
	return ids, parts
}

// whole converts the events of a listing that has all of them. Of what is not listed, the listing says that it is gone.
func (v eventView) whole(events []*calendar.Event) []sources.Item[sources.Event] {
	ids, parts := group(events)
	items := make([]sources.Item[sources.Event], 0, len(ids))
	for _, id := range ids {
		if it, ok := v.series(id, parts[id]); ok {
			items = append(items, it)
		}
	}
	return items
}

// parts converts the events of one page among several: single events in full, series as stubs. In a listing every
// living series shows by its master or a changed occurrence; what is cancelled is not listed.
func (v eventView) parts(events []*calendar.Event, listing bool) []sources.Item[sources.Event] {
	ids, parts := group(events)
	var items []sources.Item[sources.Event]
	for _, id := range ids {
		it := v.part(id, parts[id])
		if listing && (it.Deleted || !slices.ContainsFunc(parts[id], func(e *calendar.Event) bool { return !cancelled(e) })) {
			continue
		}
		items = append(items, it)
	}
	return items
}

// part converts those components of an item that stand on one page.
func (v eventView) part(id string, parts []*calendar.Event) sources.Item[sources.Event] {
	i := slices.IndexFunc(parts, func(e *calendar.Event) bool { return e.Id == id })
	switch {
	case i >= 0 && cancelled(parts[i]):
		return sources.Item[sources.Event]{ID: id, Deleted: true}
	case i >= 0 && (len(parts[i].Recurrence) == 0 && len(parts) == 1 || generated(parts[i])):
		it, _ := v.series(id, parts[i:i+1])
		return it
	}
	titled := parts[max(i, 0)]
	return sources.Item[sources.Event]{ID: id, Stub: true, Version: "stub:" + hashOf(parts), Title: titled.Summary, Link: titled.HtmlLink}
}

// series converts all components of an item. It returns false if none of them lives.
func (v eventView) series(id string, parts []*calendar.Event) (sources.Item[sources.Event], bool) {
	it := sources.Item[sources.Event]{ID: id}
	var c sources.Event
	for _, e := range parts {
		switch {
		case e.Id == id && cancelled(e):
			return it, false
		case e.Id == id:
			o := v.occurrence(e)
			c.Master, c.UID = &o, e.ICalUID
			it.Title, it.Link, it.Problem = e.Summary, e.HtmlLink, eventProblem(e)
		case cancelled(e):
			if t := v.original(e); !t.IsZero() {
				c.Cancelled = append(c.Cancelled, t)
			}
		default:
			c.Exceptions = append(c.Exceptions, v.occurrence(e))
			it.Title, it.Link = cmp.Or(it.Title, e.Summary), cmp.Or(it.Link, e.HtmlLink)
			c.UID = cmp.Or(c.UID, e.ICalUID)
		}
	}
	if c.Master == nil {
		c.Cancelled = nil // of occurrences to which the account was never invited
	}
	order(&c)
	it.Version, it.Content = hashOf(c, reasonOf(it.Problem)), c
	return it, c.Master != nil || len(c.Exceptions) > 0
}

// order sorts the parts of an event, so that its version does not depend on how they were listed.
func order(c *sources.Event) {
	slices.SortStableFunc(c.Exceptions, func(a, b sources.Occurrence) int {
		return cmp.Or(compareTimes(a.OriginalStart, b.OriginalStart), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(c.Cancelled, compareTimes)
	c.Cancelled = slices.CompactFunc(c.Cancelled, func(a, b sources.EventTime) bool { return compareTimes(a, b) == 0 })
}

func compareTimes(a, b sources.EventTime) int {
	return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Date, b.Date))
}

// generated reports whether Google made the event from other data that moves by itself.
func generated(e *calendar.Event) bool {
	return e.BirthdayProperties != nil && e.BirthdayProperties.Contact != ""
}

func eventProblem(e *calendar.Event) error {
	if generated(e) {
		return fault.New(fault.Skip, fault.SourceGenerated, "made from a contact's birthday")
	}
	return nil
}

// hashOf returns a version made of all that is moved. Google's own marks do not serve: a change of an event's reminders,
// for one, does not change the time of its last update.
func hashOf(parts ...any) string {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(parts); err != nil {
		_, _ = h.Write([]byte(err.Error())) // cannot happen: texts, numbers and times of four-digit years alone
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

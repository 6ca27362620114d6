package google

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// eventsList answers events.list: all events, or what changed since a sync token.
// https://developers.google.com/workspace/calendar/api/v3/reference/events/list
func eventsList(c *call) error {
	if err := c.checkEventsQuery(); err != nil {
		return err
	}
	size, err := c.pageSize("maxResults", 250, 2500, false)
	if err != nil {
		return err
	}
	answer, err := c.eventsPage(size)
	if err != nil {
		return err
	}
	return c.reply(answer)
}

func (c *call) eventsPage(size int) (object, error) {
	e, err := c.entry()
	if err != nil {
		return nil, err
	}
	defer c.data.mu.Unlock()
	after, err := c.eventsPlace(e.calendar)
	if err != nil {
		return nil, err
	}
	items, last, more := e.calendar.page(after, size, c.wantedEvents(e))
	details := e.calendar.details
	answer := object{{"kind", "calendar#events"}, {"etag", fmt.Sprintf(`"p%d"`, e.calendar.serial)}, {"summary", details.Summary},
		{"updated", stamp(c.data.Now())}, {"timeZone", details.TimeZone}, {"accessRole", e.role}, {"defaultReminders", e.view.reminders()}}
	if more {
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(last))})
	} else if c.query.Get("iCalUID") == "" {
		answer = append(answer, member{"nextSyncToken", syncToken(e.calendar)})
	}
	return append(answer, member{"items", items}), nil
}

func (c *call) checkEventsQuery() error {
	if err := c.oneOf("singleEvents", "false"); err != nil {
		return err
	}
	if err := c.oneOf("eventTypes", "birthday", "default", "focusTime", "fromGmail", "outOfOffice", "workingLocation"); err != nil {
		return err
	}
	if c.query.Get("syncToken") == "" {
		return nil
	}
	if c.query.Get("iCalUID") != "" || c.query.Get("showDeleted") == "false" {
		return errInvalid("syncToken", "Sync token cannot be used with other query restrictions.")
	}
	return nil
}

func syncToken(c *calendar) string { return fmt.Sprintf("sync-%d", c.serial) }

// eventsPlace gives the change number to go on after.
func (c *call) eventsPlace(cal *calendar) (int, error) {
	after := 0
	if token := c.query.Get("syncToken"); token != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(token, "sync-"))
		if err != nil || n > cal.serial {
			return 0, errInvalid("syncToken", "Invalid sync token value.")
		}
		if n < cal.oldest {
			return 0, &apiError{code: 410, domain: "calendar", reason: "fullSyncRequired", location: "syncToken", message: "Sync token is no longer valid, a full sync is required."}
		}
		after = n
	}
	place, found, err := c.place()
	if found {
		after, _ = strconv.Atoi(place)
	}
	return after, err
}

// wantedEvents gives what is shown of an event, and false for one that is left out.
func (c *call) wantedEvents(e *calendarEntry) func(*event) (object, bool) {
	uid, types := c.query.Get("iCalUID"), c.query["eventTypes"]
	deleted := c.flag("showDeleted") || c.query.Get("syncToken") != ""
	return func(ev *event) (object, bool) {
		if uid != "" && e.calendar.uid(ev) != uid || len(types) > 0 && !slices.Contains(types, ev.body.text("eventType")) {
			return nil, false
		}
		if ev.cancelled() && !deleted && !e.calendar.live(ev.body.text("recurringEventId")) {
			return nil, false
		}
		return ev.resource(e.role), true
	}
}

// uid is the event's iCalUID; an occurrence that was made without one has that of its series.
func (c *calendar) uid(ev *event) string {
	if own := ev.body.text("iCalUID"); own != "" {
		return own
	}
	if master := c.events[ev.body.text("recurringEventId")]; master != nil {
		return master.body.text("iCalUID")
	}
	return ""
}

// live says whether there is a series of that id.
func (c *calendar) live(master string) bool {
	e := c.events[master]
	return e != nil && !e.cancelled()
}

// page gives the events that changed after a number, in the order of their latest changes.
func (c *calendar) page(after, size int, show func(*event) (object, bool)) (items []object, last int, more bool) {
	items, last = []object{}, after
	at := sort.Search(len(c.log), func(i int) bool { return c.log[i].number > after })
	for _, entry := range c.log[at:] {
		if entry.event.number != entry.number {
			continue
		}
		shown, ok := show(entry.event)
		if !ok {
			continue
		}
		if len(items) == size {
			return items, last, true
		}
		items, last = append(items, shown), entry.number
	}
	return items, last, false
}

// resource is the event as a reader with the role sees it.
func (e *event) resource(role string) object {
	etag := member{"etag", fmt.Sprintf(`"%d"`, 330_000_000_000+e.number)}
	if e.cancelled() {
		return append(e.stub(), etag)
	}
	private := e.body.text("visibility") == "private" && (role == "reader" || role == "writerWithoutPrivateAccess")
	if role == "freeBusyReader" || private {
		o := object{{"kind", "calendar#event"}, {"id", e.body.text("id")}, {"status", "confirmed"}, {"visibility", "private"}}
		for _, name := range []string{"start", "end", "recurrence", "recurringEventId", "originalStartTime", "iCalUID"} {
			o = o.with(name, e.body.get(name))
		}
		return append(o, etag)
	}
	return append(e.body[:len(e.body):len(e.body)], etag)
}

// stub is all that is left of a cancelled event: nothing but these members is guaranteed.
func (e *event) stub() object {
	o := object{{"kind", "calendar#event"}, {"id", e.body.text("id")}, {"status", "cancelled"}}
	for _, name := range []string{"recurringEventId", "originalStartTime"} {
		if value := e.body.get(name); value != nil {
			o = append(o, member{name, value})
		}
	}
	return o
}

// eventsGet answers events.get, for cancelled events too.
func eventsGet(c *call) error {
	e, err := c.entry()
	if err != nil {
		return err
	}
	ev := e.calendar.events[c.r.PathValue("eventId")]
	if ev == nil {
		c.data.mu.Unlock()
		return &apiError{code: 404, reason: "notFound", message: "Not Found"}
	}
	answer := ev.resource(e.role)
	c.data.mu.Unlock()
	return c.reply(answer)
}

package google

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Calendar describes a calendar and how its owner sees it.
type Calendar struct {
	ID               string // chosen when empty
	Summary          string
	Description      string
	Location         string
	TimeZone         string     // IANA name; empty: UTC
	ColorID          string     // 1 to 24; empty: 14
	DefaultReminders []Reminder // of the owner
	Hidden           bool
	SummaryOverride  string
}

// Reminder is a default reminder.
type Reminder struct {
	Method  string `json:"method"` // popup or email
	Minutes int    `json:"minutes"`
}

type calendar struct {
	id, owner  string
	details    Calendar
	events     map[string]*event
	log        []logEntry
	oldest     int // sync tokens below have expired
	serial     int
	attendance string // e-mail address that is "self" in its events
}

// logEntry names an event at the time of a change; only the entry of its latest change counts.
type logEntry struct {
	number int
	event  *event
}

type event struct {
	number int // of its latest change
	body   object
}

func (e *event) cancelled() bool { return e.body.text("status") == "cancelled" }

// calendarEntry is a calendar in a user's list.
type calendarEntry struct {
	calendar *calendar
	role     string
	view     Calendar
	primary  bool
}

func (d *Data) addPrimaryCalendar(u *user) {
	details := Calendar{ID: u.Email, Summary: u.Email, TimeZone: "UTC", ColorID: "14", DefaultReminders: []Reminder{{"popup", 10}}}
	c := &calendar{id: u.Email, owner: u.Email, attendance: u.Email, details: details, events: map[string]*event{}}
	u.calendars = append(u.calendars, &calendarEntry{c, "owner", details, true})
}

// AddCalendar adds a secondary calendar that the user owns and gives its id.
func (d *Data) AddCalendar(email string, details Calendar) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return "", fmt.Errorf("add calendar: %w", err)
	}
	if details.ID == "" {
		d.serial++
		details.ID = fmt.Sprintf("c_%x@group.calendar.google.com", hashOf("calendar", d.domain, fmt.Sprint(d.serial))[:16])
	}
	details = details.complete()
	c := &calendar{id: details.ID, owner: u.Email, attendance: details.ID, details: details, events: map[string]*event{}}
	u.calendars = append(u.calendars, &calendarEntry{c, "owner", details, false})
	return c.id, nil
}

// complete fills what every calendar has.
func (v Calendar) complete() Calendar {
	if v.Summary == "" {
		v.Summary = v.ID
	}
	if v.TimeZone == "" {
		v.TimeZone = "UTC"
	}
	if v.ColorID == "" {
		v.ColorID = "14"
	}
	return v
}

// SetCalendar changes the properties of a calendar that the user has in the list; its id stays.
func (d *Data) SetCalendar(email, id string, set func(*Calendar)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.calendarEntry(email, id)
	if err != nil {
		return err
	}
	set(&e.view)
	e.view.ID = e.calendar.id
	e.view = e.view.complete()
	if e.role == "owner" {
		e.calendar.details = e.view
	}
	return nil
}

// Subscribe puts somebody else's calendar into a user's list, with reader, writer or freeBusyReader access.
func (d *Data) Subscribe(email, owner, id, role string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return err
	}
	e, err := d.calendarEntry(owner, id)
	if err != nil {
		return err
	}
	u.calendars = append(u.calendars, &calendarEntry{e.calendar, role, e.view, false})
	return nil
}

func (d *Data) calendarEntry(email, id string) (*calendarEntry, error) {
	u, err := d.user(email)
	if err != nil {
		return nil, err
	}
	for _, e := range u.calendars {
		if e.calendar.id == id || id == "primary" && e.primary {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%s has no calendar %s", email, id)
}

// Calendars gives the ids of the calendars in a user's list, the primary one first.
func (d *Data) Calendars(email string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.byEmail[email]
	if u == nil {
		return nil
	}
	out := []string{}
	for _, e := range u.calendars {
		out = append(out, e.calendar.id)
	}
	return out
}

// put stores the event as it is now and advances the calendar's log.
func (c *calendar) put(body object) {
	c.serial++
	id := body.text("id")
	e := c.events[id]
	if e == nil {
		e = &event{}
		c.events[id] = e
	}
	e.body, e.number = body, c.serial
	c.log = append(c.log, logEntry{c.serial, e})
}

// AddEvent adds an event as the Calendar API writes it and gives its id. What every event has and this one lacks
// is made up. The empty calendar id is the primary calendar.
func (d *Data) AddEvent(email, calendarID string, event json.RawMessage) (string, error) {
	body, err := parseObject(event)
	if err != nil {
		return "", fmt.Errorf("add event: %w", err)
	}
	id := ""
	err = d.withCalendar("add event", email, calendarID, func(c *calendar) error {
		body = d.complete(c, body)
		id = body.text("id")
		if c.events[id] != nil {
			return fmt.Errorf("id %s exists", id)
		}
		c.put(body)
		return nil
	})
	return id, err
}

// complete adds what Google would have added.
func (d *Data) complete(c *calendar, body object) object {
	d.serial++
	body = body.or("id", strings.ToLower(fmt.Sprintf("%x", hashOf("event", c.id, fmt.Sprint(d.serial))[:13])))
	body = body.with("kind", "calendar#event").with("etag", nil)
	body = body.or("status", "confirmed")
	if body.text("status") == "cancelled" && body.text("recurringEventId") != "" {
		return body
	}
	now := d.Now()
	self := object{{"email", c.attendance}, {"self", true}}
	body = body.or("htmlLink", "https://www.google.com/calendar/event?eid="+body.text("id"))
	body = body.or("created", stamp(now)).or("updated", stamp(now))
	body = body.or("creator", self).or("organizer", self)
	body = body.or("iCalUID", body.text("id")+"@google.com").or("sequence", 0)
	body = body.or("reminders", object{{"useDefault", true}}).or("eventType", "default")
	return body
}

func (d *Data) withCalendar(op, email, id string, edit func(*calendar) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id == "" {
		id = "primary"
	}
	e, err := d.calendarEntry(email, id)
	if err == nil {
		err = edit(e.calendar)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// UpdateEvent merges members into an event (or one changed occurrence); null removes one.
func (d *Data) UpdateEvent(email, calendarID, id string, patch json.RawMessage) error {
	changes, err := parseObject(patch)
	if err != nil {
		return fmt.Errorf("update event: %w", err)
	}
	return d.withCalendar("update event", email, calendarID, func(c *calendar) error {
		e := c.events[id]
		if e == nil {
			return fmt.Errorf("no event %s", id)
		}
		c.put(d.revised(e.body, changes))
		return nil
	})
}

func (d *Data) revised(body, changes object) object {
	for _, m := range changes {
		body = body.with(m.name, m.value)
	}
	sequence, _ := strconv.Atoi(fmt.Sprint(body.get("sequence")))
	return body.with("sequence", sequence+1).with("updated", stamp(d.Now()))
}

// CancelEvent deletes an event; of a series, all of it.
func (d *Data) CancelEvent(email, calendarID, id string) error {
	return d.withCalendar("cancel event", email, calendarID, func(c *calendar) error {
		e := c.events[id]
		if e == nil {
			return fmt.Errorf("no event %s", id)
		}
		for _, other := range c.exceptions(id) {
			c.put(other.body.with("status", "cancelled"))
		}
		c.put(e.body.with("status", "cancelled"))
		return nil
	})
}

// exceptions are the changed and cancelled occurrences of a series, in the order of their ids.
func (c *calendar) exceptions(master string) []*event {
	var out []*event
	for _, e := range c.events {
		if e.body.text("recurringEventId") == master {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b *event) int { return strings.Compare(a.body.text("id"), b.body.text("id")) })
	return out
}

// CancelOccurrence deletes one occurrence of a series. The original start is a date (2024-03-20) or a time
// (2024-03-20T09:00:00+01:00).
func (d *Data) CancelOccurrence(email, calendarID, master, originalStart string) error {
	return d.occurrence(email, calendarID, master, originalStart, object{{"status", "cancelled"}})
}

// ChangeOccurrence changes one occurrence of a series: the patch may hold start and end and everything else.
func (d *Data) ChangeOccurrence(email, calendarID, master, originalStart string, patch json.RawMessage) error {
	changes, err := parseObject(patch)
	if err != nil {
		return fmt.Errorf("change occurrence: %w", err)
	}
	return d.occurrence(email, calendarID, master, originalStart, changes)
}

func (d *Data) occurrence(email, calendarID, master, originalStart string, changes object) error {
	return d.withCalendar("change occurrence", email, calendarID, func(c *calendar) error {
		m := c.events[master]
		if m == nil || m.cancelled() {
			return fmt.Errorf("no event %s", master)
		}
		id, original, err := occurrenceID(m.body, originalStart)
		if err != nil {
			return err
		}
		body := m.body
		if e := c.events[id]; e != nil {
			body = e.body
		}
		body = body.with("id", id).with("recurrence", nil).with("recurringEventId", master).with("originalStartTime", original)
		c.put(d.revised(body, changes))
		return nil
	})
}

// occurrenceID makes the id that Google gives: the master's, and the original start in UTC.
func occurrenceID(master object, start string) (string, object, error) {
	if day, err := time.Parse(time.DateOnly, start); err == nil {
		return master.text("id") + "_" + day.Format("20060102"), object{{"date", start}}, nil
	}
	at, err := time.Parse(time.RFC3339, start)
	if err != nil {
		return "", nil, fmt.Errorf("original start: %w", err)
	}
	original := object{{"dateTime", start}}
	if zone := master.child("start").text("timeZone"); zone != "" {
		original = append(original, member{"timeZone", zone})
	}
	return master.text("id") + "_" + at.UTC().Format("20060102T150405Z"), original, nil
}

// MoveEvent moves an event with its changed occurrences into another calendar of the same user; in the first one it
// is cancelled.
func (d *Data) MoveEvent(email, from, id, to string) error {
	var moved []object
	err := d.withCalendar("move event", email, from, func(c *calendar) error {
		e := c.events[id]
		if e == nil || e.cancelled() {
			return fmt.Errorf("no event %s", id)
		}
		for _, each := range append(c.exceptions(id), e) {
			moved = append(moved, each.body)
			c.put(each.body.with("status", "cancelled"))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.withCalendar("move event", email, to, func(c *calendar) error {
		for _, body := range moved {
			c.put(body)
		}
		return nil
	})
}

// Events gives the live events of a calendar, as JSON of the Calendar API, in the order of their ids.
func (d *Data) Events(email, calendarID string) []json.RawMessage {
	out := []json.RawMessage{}
	_ = d.withCalendar("events", email, calendarID, func(c *calendar) error {
		ids := make([]string, 0, len(c.events))
		for id := range c.events {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			if e := c.events[id]; !e.cancelled() || e.body.text("recurringEventId") != "" {
				out = append(out, appendObject(nil, e.body, nil))
			}
		}
		return nil
	})
	return out
}

// ExpireSyncTokens makes every sync token of a calendar that was handed out so far invalid.
func (d *Data) ExpireSyncTokens(email, calendarID string) error {
	return d.withCalendar("expire", email, calendarID, func(c *calendar) error {
		c.serial++
		c.oldest = c.serial
		return nil
	})
}

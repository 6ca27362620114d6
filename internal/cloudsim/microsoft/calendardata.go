package microsoft

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/winzone"
)

// Calendar describes a calendar in a user's list.
type Calendar struct {
	Name  string
	Color string // #RRGGBB; empty: none
	// Owner is the address of whose calendar it is; empty: the user's.
	Owner string
	// ReadOnly calendars are those that Exchange fills, such as birthdays and holidays.
	ReadOnly bool
}

type calendar struct {
	Calendar
	id    string
	main  bool
	owner *user
	// events are in the order in which they were made.
	events []*event
}

type event struct {
	id         string
	body       object // without exceptions, times as they were set
	exceptions []object
	cancelled  []string // days
	files      []Attachment
	change     int
}

// Attachment is a file in an event or a mail.
type Attachment struct {
	Name, MimeType string
	Content        []byte
}

func newCalendar(u *user, c Calendar, main bool) *calendar {
	return &calendar{Calendar: c, main: main, owner: u,
		id: "AAMkADcalendar" + base64.URLEncoding.EncodeToString(hashOf(u.id, "calendar", fmt.Sprint(len(u.calendars))))}
}

// AddCalendar adds a calendar to a user's list and gives its id.
func (d *Data) AddCalendar(email string, add Calendar) (id string, err error) {
	err = d.withUser("add calendar", email, func(u *user) error {
		c := newCalendar(u, add, false)
		u.calendars, id = append(u.calendars, c), c.id
		return nil
	})
	return id, err
}

// Calendars gives the ids of the calendars in a user's list, the main one first.
func (d *Data) Calendars(email string) (ids []string) {
	_ = d.withUser("calendars", email, func(u *user) error {
		for _, c := range u.calendars {
			ids = append(ids, c.id)
		}
		return nil
	})
	return ids
}

// AddEvent adds an event as Graph writes it and gives its id; the empty calendar id is the main calendar. Times are kept in the zone
// that they name. What every event has and this one lacks is made up.
func (d *Data) AddEvent(email, calendarID string, body json.RawMessage) (id string, err error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return "", fmt.Errorf("add event: %w", err)
	}
	err = d.withUser("add event", email, func(u *user) error {
		c := u.calendar(calendarID)
		if c == nil {
			return fmt.Errorf("no calendar %s", calendarID)
		}
		d.serial++
		e := &event{id: "AAkALgEvent" + base64.URLEncoding.EncodeToString(hashOf(c.id, "event", fmt.Sprint(d.serial))), body: o}
		for _, name := range []string{"start", "end"} {
			if _, err := momentOf(o.child(name), u.zone()); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		d.complete(u, e)
		c.events, id = append(c.events, e), e.id
		return nil
	})
	return id, err
}

func (u *user) calendar(id string) *calendar {
	for _, c := range u.calendars {
		if c.id == id || id == "" && c.main {
			return c
		}
	}
	return nil
}

// complete adds what Exchange would have added.
func (d *Data) complete(u *user, e *event) {
	now := stamp(d.Now())
	kind := "singleInstance"
	if e.body["recurrence"] != nil {
		kind = "seriesMaster"
	}
	defaults := object{"subject": "", "iCalUId": fmt.Sprintf("040000008200E00074C5B7101A82E008%X", hashOf(e.id)[:16]), "type": kind,
		"createdDateTime": now, "lastModifiedDateTime": now, "isAllDay": false, "isCancelled": false, "isDraft": false, "isOrganizer": true,
		"sensitivity": "normal", "showAs": "busy", "importance": "normal", "categories": []string{}, "isReminderOn": true,
		"reminderMinutesBeforeStart": 15, "hideAttendees": false, "attendees": []object{}, "hasAttachments": false,
		"body": object{"contentType": "html", "content": ""}, "location": object{"displayName": ""}, "locations": []object{},
		"organizer":         object{"emailAddress": object{"name": u.name(), "address": u.Email}},
		"responseStatus":    object{"response": "organizer", "time": "0001-01-01T00:00:00Z"},
		"responseRequested": true, "webLink": "https://outlook.example/owa/?itemid=" + e.id,
		"originalStartTimeZone": e.body.child("start").text("timeZone"), "originalEndTimeZone": e.body.child("end").text("timeZone")}
	for name, value := range defaults {
		if _, there := e.body[name]; !there {
			e.body[name] = value
		}
	}
	delete(e.body, "seriesMasterId")
	e.body["id"] = e.id
}

// zone is that of the mailbox.
func (u *user) zone() *time.Location {
	name, _ := winzone.IANA(u.TimeZone)
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// momentOf reads a dateTimeTimeZone. A zone that only Exchange knows is that of the mailbox here.
func momentOf(o object, mailbox *time.Location) (time.Time, error) {
	zone := mailbox
	if name, ok := winzone.IANA(o.text("timeZone")); ok {
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			return time.Time{}, err
		}
	}
	return time.ParseInLocation("2006-01-02T15:04:05", o.text("dateTime"), zone)
}

// ChangeEvent merges members into an event; null removes one.
func (d *Data) ChangeEvent(email, id string, patch json.RawMessage) error {
	return d.withEvent("change event", email, id, func(_ *user, e *event) error { return merge(e.body, patch) })
}

func merge(into object, patch json.RawMessage) error {
	var changes object
	if err := json.Unmarshal(patch, &changes); err != nil {
		return err
	}
	for name, value := range changes {
		into[name] = value
		if value == nil {
			delete(into, name)
		}
	}
	return nil
}

// ChangeOccurrence changes the occurrence that the series has on a day (2024-03-20) in its own zone.
func (d *Data) ChangeOccurrence(email, id, day string, patch json.RawMessage) error {
	return d.withEvent("change occurrence", email, id, func(u *user, e *event) error {
		original, err := e.occurrence(u, day)
		if err != nil {
			return err
		}
		if slices.Contains(e.cancelled, day) {
			return fmt.Errorf("the occurrence of %s was cancelled", day)
		}
		exceptionID := e.exceptionID(day)
		at := slices.IndexFunc(e.exceptions, func(o object) bool { return o.text("id") == exceptionID })
		if at < 0 {
			x := e.body.with("id", exceptionID).with("type", "exception").with("seriesMasterId", e.id).with("originalStart", stamp(original)).
				with("iCalUId", fmt.Sprintf("%s%X", e.body.text("iCalUId"), hashOf(day)[:4]))
			delete(x, "recurrence")
			x["start"], x["end"] = e.shifted(u, "start", original), e.shifted(u, "end", original)
			e.exceptions = append(e.exceptions, x)
			at = len(e.exceptions) - 1
		}
		return merge(e.exceptions[at], patch)
	})
}

// shifted returns the start or end of the series as it is in the occurrence that begins at a time.
func (e *event) shifted(u *user, name string, original time.Time) object {
	start, _ := momentOf(e.body.child("start"), u.zone()) // both were read when the event was added
	at, _ := momentOf(e.body.child(name), u.zone())
	local := original.Add(at.Sub(start)).In(at.Location())
	return object{"dateTime": local.Format("2006-01-02T15:04:05"), "timeZone": e.body.child(name).text("timeZone")}
}

// CancelOccurrence removes the occurrence of a day, and what was changed of it.
func (d *Data) CancelOccurrence(email, id, day string) error {
	return d.withEvent("cancel occurrence", email, id, func(u *user, e *event) error {
		if _, err := e.occurrence(u, day); err != nil {
			return err
		}
		if !slices.Contains(e.cancelled, day) {
			e.cancelled = append(e.cancelled, day)
		}
		e.dropException(day)
		return nil
	})
}

// exceptionID is the id of the exception on a day.
func (e *event) exceptionID(day string) string {
	return "AAkALgException" + base64.URLEncoding.EncodeToString(hashOf(e.id, day))
}

// occurrence returns when the series begins on a day.
func (e *event) occurrence(u *user, day string) (time.Time, error) {
	start, err := momentOf(e.body.child("start"), u.zone())
	if err != nil || e.body["recurrence"] == nil {
		return time.Time{}, fmt.Errorf("%s is no series", e.id)
	}
	on, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(on.Year(), on.Month(), on.Day(), start.Hour(), start.Minute(), start.Second(), 0, start.Location()), nil
}

// AddAttachment adds a file to an event.
func (d *Data) AddAttachment(email, id string, a Attachment) error {
	return d.withEvent("add attachment", email, id, func(_ *user, e *event) error {
		e.files, e.body["hasAttachments"] = append(e.files, a), true
		return nil
	})
}

// DeleteEvent removes an event; of a series, all of it.
func (d *Data) DeleteEvent(email, id string) error {
	return d.withUser("delete event", email, func(u *user) error {
		for _, c := range u.calendars {
			c.events = slices.DeleteFunc(c.events, func(e *event) bool { return e.id == id })
		}
		return nil
	})
}

func (d *Data) withEvent(op, email, id string, do func(*user, *event) error) error {
	return d.withUser(op, email, func(u *user) error {
		e := u.event(id)
		if e == nil {
			return fmt.Errorf("no event %s", id)
		}
		if err := do(u, e); err != nil {
			return err
		}
		e.change++
		e.body["lastModifiedDateTime"] = stamp(d.Now())
		return nil
	})
}

func (u *user) event(id string) *event {
	for _, c := range u.calendars {
		for _, e := range c.events {
			if e.id == id {
				return e
			}
		}
	}
	return nil
}

// EventInfo is an event of a calendar, as it was set.
type EventInfo struct {
	ID         string
	Body       json.RawMessage
	Exceptions []json.RawMessage
	Cancelled  []string // days
}

// Events gives the events of a calendar; the empty id is the main one.
func (d *Data) Events(email, calendarID string) (out []EventInfo) {
	_ = d.withUser("events", email, func(u *user) error {
		c := u.calendar(calendarID)
		if c == nil {
			return fmt.Errorf("no calendar %s", calendarID)
		}
		for _, e := range c.events {
			info := EventInfo{ID: e.id, Body: encode(e.body), Cancelled: slices.Clone(e.cancelled)}
			for _, x := range e.exceptions {
				info.Exceptions = append(info.Exceptions, encode(x))
			}
			out = append(out, info)
		}
		return nil
	})
	return out
}

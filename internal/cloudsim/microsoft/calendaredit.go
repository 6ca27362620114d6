package microsoft

import (
	"fmt"
	"slices"
)

// ChangeCalendar lets change edit what is said of a calendar.
func (d *Data) ChangeCalendar(email, id string, change func(*Calendar)) error {
	return d.withUser("change calendar", email, func(u *user) error {
		c := u.calendar(id)
		if c == nil {
			return fmt.Errorf("no calendar %s", id)
		}
		change(&c.Calendar)
		return nil
	})
}

// DeleteCalendar removes a calendar with its events. The main one stays.
func (d *Data) DeleteCalendar(email, id string) error {
	return d.withUser("delete calendar", email, func(u *user) error {
		c := u.calendar(id)
		if c == nil || c.main {
			return fmt.Errorf("%s is no calendar that can be deleted", id)
		}
		u.calendars = slices.DeleteFunc(u.calendars, func(other *calendar) bool { return other == c })
		return nil
	})
}

// MoveEvent puts an event with its exceptions into another calendar of the mailbox. Its immutable id stays.
func (d *Data) MoveEvent(email, id, calendarID string) error {
	return d.withEvent("move event", email, id, func(u *user, e *event) error {
		to := u.calendar(calendarID)
		if to == nil {
			return fmt.Errorf("no calendar %s", calendarID)
		}
		for _, c := range u.calendars {
			c.events = slices.DeleteFunc(c.events, func(other *event) bool { return other == e })
		}
		to.events = append(to.events, e)
		return nil
	})
}

// RestoreOccurrence makes the occurrence of a day what the series says, whether it was changed or cancelled.
func (d *Data) RestoreOccurrence(email, id, day string) error {
	return d.withEvent("restore occurrence", email, id, func(_ *user, e *event) error {
		e.cancelled = slices.DeleteFunc(e.cancelled, func(other string) bool { return other == day })
		e.dropException(day)
		return nil
	})
}

// dropException removes what was changed of a day.
func (e *event) dropException(day string) {
	e.exceptions = slices.DeleteFunc(e.exceptions, func(x object) bool { return x.text("id") == e.exceptionID(day) })
}

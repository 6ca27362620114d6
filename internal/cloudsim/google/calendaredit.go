package google

import (
	"fmt"
	"slices"
)

// DeleteCalendar deletes a secondary calendar with its events, for everybody who has it in the list.
func (d *Data) DeleteCalendar(email, id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, err := d.calendarEntry(email, id)
	switch {
	case err != nil:
		return fmt.Errorf("delete calendar: %w", err)
	case e.primary || e.role != "owner":
		return fmt.Errorf("delete calendar: %s cannot be deleted by %s", id, email)
	}
	for _, u := range d.users {
		u.calendars = slices.DeleteFunc(u.calendars, func(other *calendarEntry) bool { return other.calendar == e.calendar })
	}
	return nil
}

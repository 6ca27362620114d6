package google

import (
	"encoding/json"
	"fmt"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// mail adds labels and messages; messages with the same word for their thread are one conversation.
func (l *loader) mail(u *organisation.User) error {
	for _, e := range u.Labels {
		if _, err := l.data.AddLabel(u.Email, Label{Name: e.Name, TextColor: e.Text, BackgroundColor: e.Background, HiddenInList: e.Hidden}); err != nil {
			return err
		}
	}
	threads := map[string]string{}
	for _, m := range u.Messages {
		id, err := l.data.AddMessage(u.Email, Message{Raw: m.Raw, Labels: m.Labels, Date: m.Date.Time, Thread: threads[m.Thread]})
		if err != nil {
			return fmt.Errorf("%s: %w", m.File, err)
		}
		if m.Thread != "" && threads[m.Thread] == "" {
			threads[m.Thread] = id
		}
	}
	return nil
}

func (l *loader) calendar(email string, c organisation.Calendar) error {
	details := Calendar{ID: c.ID, Summary: c.Summary, SummaryOverride: c.SummaryOverride, Description: c.Description,
		Location: c.Location, TimeZone: c.TimeZone, ColorID: c.Color, Hidden: c.Hidden}
	for _, r := range c.Reminders {
		details.DefaultReminders = append(details.DefaultReminders, Reminder(r))
	}
	id := c.ID
	var err error
	if id == "primary" {
		err = l.data.SetCalendar(email, id, func(c *Calendar) { *c = details })
	} else {
		id, err = l.data.AddCalendar(email, details)
	}
	if err != nil {
		return err
	}
	for i, e := range c.Events {
		body, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := l.data.AddEvent(email, id, body); err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	for _, s := range c.Subscribers {
		l.later = append(l.later, func() error { return l.data.Subscribe(s["email"], email, id, s["role"]) })
	}
	return nil
}

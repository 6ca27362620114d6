package caldav

import (
	"context"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// The losses where the user of the target changed an item there, or has something else in its place.
const (
	LossRenamed     = "event.conflict_renamed" // the user's stays, and the event lies beside it with another UID
	LossAside       = "event.conflict_aside"   // the user's lies beside the event, with another UID
	LossTaskRenamed = "task.conflict_renamed"  // as LossRenamed, of a task
	LossTaskAside   = "task.conflict_aside"    // as LossAside, of a task
)

var (
	renamedOf = map[string]string{"event": LossRenamed, "task": LossTaskRenamed}
	asideOf   = map[string]string{"event": LossAside, "task": LossTaskAside}
)

var (
	_ sinks.Keeper[sinks.Event] = (*Sink)(nil)
	_ sinks.Keeper[sinks.Task]  = (*Tasks)(nil)
)

// Beside implements sinks.Keeper.
func (s *Sink) Beside(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Receipt, error) {
	return s.store.Beside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// Aside implements sinks.Keeper. An event of which the server would tell its guests is left where it is.
func (s *Sink) Aside(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	return s.store.Aside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// Beside implements sinks.Keeper.
func (s *Tasks) Beside(ctx context.Context, item sinks.Item[sinks.Task], prev sinks.Receipt) (sinks.Receipt, error) {
	return s.store.Beside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// Aside implements sinks.Keeper.
func (s *Tasks) Aside(ctx context.Context, item sinks.Item[sinks.Task], prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	return s.store.Aside(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: item.Content.Data}, prev)
}

// isScheduled reports whether a server invites the component's guests, or answers its organizer, by itself (RFC 6638 §7.1).
func isScheduled(c *icalendar.Component) bool {
	return slices.ContainsFunc(c.Properties, func(p icalendar.Property) bool {
		by := strings.ToUpper(p.Param(agent))
		return isPerson(p) && by != "CLIENT" && by != "NONE"
	})
}

func isPerson(p icalendar.Property) bool { return p.Name == "ORGANIZER" || p.Name == "ATTENDEE" }

// copyProperty marks the second of two events that were one: its guests know the first alone, so that Release leaves it as it is.
const copyProperty = "X-REPATRIATE-COPY"

// copyObject returns the object with another UID in all its components. It is for its owner alone: no server may tell anybody of it, be it
// as an invitation or as a reminder by mail.
func copyObject(data []byte, uid string) ([]byte, error) {
	calendar, err := icalendar.Parse(data)
	if err != nil {
		return nil, err
	}
	calendar.Properties = slices.DeleteFunc(calendar.Properties, func(p icalendar.Property) bool {
		return p.Name == "METHOD" || p.Name == dav.DigestProperty || p.Name == copyProperty
	})
	calendar.Add(icalendar.Raw(copyProperty, "1"))
	for _, c := range calendar.Components {
		if c.Name == "VTIMEZONE" {
			continue
		}
		for i, p := range c.Properties {
			switch {
			case p.Name == "UID":
				c.Properties[i] = icalendar.Text("UID", uid)
			case isPerson(p):
				c.Properties[i].Params = silenced(p.Params)
			}
		}
		for _, alarm := range c.Children("VALARM") {
			displayAlarm(alarm)
		}
	}
	return calendar.Bytes(), nil
}

// silenced returns the parameters of a person of whom only clients take care.
func silenced(params []icalendar.Param) []icalendar.Param {
	kept := slices.DeleteFunc(slices.Clone(params), func(p icalendar.Param) bool { return p.Name == agent || p.Name == "SCHEDULE-FORCE-SEND" })
	return append(kept, icalendar.P(agent, "CLIENT"))
}

// displayAlarm makes a reminder by mail one that is displayed.
func displayAlarm(alarm *icalendar.Component) {
	for i, p := range alarm.Properties {
		if p.Name == "ACTION" && strings.EqualFold(strings.TrimSpace(p.Value), "EMAIL") {
			alarm.Properties[i].Value = "DISPLAY"
		}
	}
	alarm.Properties = slices.DeleteFunc(alarm.Properties, func(p icalendar.Property) bool { return p.Name == "ATTENDEE" })
}

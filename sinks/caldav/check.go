package caldav

import (
	"context"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// trials are what a check writes, by component.
var trials = map[string]string{
	"VEVENT": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//repatriate//check//EN\r\nBEGIN:VEVENT\r\nUID:repatriate-check-event\r\n" +
		"DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nDTEND:20260101T000100Z\r\nSUMMARY:Test of a migration: please ignore\r\n" +
		"TRANSP:TRANSPARENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
	"VTODO": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//repatriate//check//EN\r\nBEGIN:VTODO\r\nUID:repatriate-check-task\r\n" +
		"DTSTAMP:20260101T000000Z\r\nSUMMARY:Test of a migration: please ignore\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
}

// Limits asks how large an object may be. It writes nothing. CalDAV has no quota of its own.
func Limits(ctx context.Context, o Options) (preflight.Limits, error) {
	c, err := o.client()
	if err != nil {
		return preflight.NoLimits, err
	}
	defer c.Close()
	h, err := c.list(ctx)
	if err != nil {
		return preflight.NoLimits, err
	}
	return h.limits, nil
}

// Check looks whether the account can be logged into, and makes a calendar, writes an event (or with component VTODO a task) into it and
// removes both again; one that an interrupted check left is removed first.
func Check(ctx context.Context, o Options, component string, l *preflight.Log) error {
	c, err := o.client()
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.list(ctx); err != nil {
		return err
	}
	err = dav.Trial{
		Client: c.Client, Object: "check.ics", Type: "text/calendar; charset=utf-8", Data: trials[component],
		Make: func(ctx context.Context, path string) error {
			return c.make(ctx, path, sinks.Collection{Name: "repatriate check", Components: []string{component}})
		},
	}.Run(ctx)
	if err == nil {
		l.OK("logged in, made a calendar, wrote to it and removed it (%s)", strings.ToLower(component))
	}
	return err
}

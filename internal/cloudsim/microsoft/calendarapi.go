package microsoft

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"
)

// calendarsList answers calendars.list (learn.microsoft.com/graph/api/user-list-calendars).
func calendarsList(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	all := make([]object, len(c.user.calendars))
	for i, cal := range c.user.calendars {
		all[i] = cal.json(c.data)
	}
	return c.list(all, 10, 1000)
}

func (cal *calendar) json(d *Data) object {
	owner := object{"name": cal.owner.name(), "address": cal.owner.Email}
	shared := cal.Owner != ""
	if shared {
		owner = object{"name": cal.Owner, "address": cal.Owner}
		if u := d.find(cal.Owner); u != nil {
			owner["name"] = u.name()
		}
	}
	return object{"id": cal.id, "name": cal.Name, "color": "auto", "hexColor": cal.Color, "changeKey": "key", "isDefaultCalendar": cal.main,
		"canShare": !shared, "canViewPrivateItems": true, "canEdit": !cal.ReadOnly && !shared, "isRemovable": !cal.main, "owner": owner}
}

// eventsList answers events.list of a calendar: single events and the masters of series (learn.microsoft.com/graph/api/calendar-list-events).
func eventsList(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	c.immutable()
	cal := c.user.calendar(c.r.PathValue("calendar"))
	if cal == nil {
		return errOutlookNotFound()
	}
	all := make([]object, len(cal.events))
	for i, e := range cal.events {
		all[i] = c.event(e, e.body)
	}
	return c.list(all, 10, 1000)
}

// event renders an event or an exception with its times in UTC, as Graph does unless asked for another zone.
func (c *call) event(e *event, body object) object {
	o := body.with("changeKey", fmt.Sprintf("DwAAABYAAA%08d", e.change))
	o["@odata.etag"] = `W/"` + o.text("changeKey") + `"`
	for _, name := range []string{"start", "end"} {
		at, err := momentOf(body.child(name), c.user.zone())
		if err == nil {
			o[name] = object{"dateTime": at.UTC().Format("2006-01-02T15:04:05.0000000"), "timeZone": "UTC"}
		}
	}
	return o
}

// eventGet answers event.get. Exceptions must be expanded and cancelled occurrences selected (learn.microsoft.com/graph/api/event-get).
func eventGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	c.immutable()
	expand := c.query.Get("$expand")
	if expand != "" && expand != "exceptionOccurrences" {
		return errNotSimulated("$expand=" + expand)
	}
	e := c.user.event(c.r.PathValue("event"))
	if e == nil {
		return errOutlookNotFound()
	}
	if id := c.r.PathValue("calendar"); id != "" {
		if cal := c.user.calendar(id); cal == nil || !slices.Contains(cal.events, e) {
			return errOutlookNotFound()
		}
	}
	o := c.event(e, e.body)
	if strings.Contains(c.selected(), "cancelledOccurrences") {
		cancelled := []string{}
		for _, day := range e.cancelled {
			cancelled = append(cancelled, "OID."+e.id+"."+day)
		}
		o["cancelledOccurrences"] = cancelled
	}
	if expand != "" {
		list := []object{}
		for _, x := range e.exceptions {
			list = append(list, c.event(e, x).only(withoutSeries(c.selected())))
		}
		o["exceptionOccurrences"] = list
	}
	return c.reply(o.only(withExpanded(c.selected(), expand)))
}

// withoutSeries is a $select for exceptions: it filters them as it does their master.
func withoutSeries(selected string) string {
	var names []string
	for name := range strings.SplitSeq(selected, ",") {
		if name != "exceptionOccurrences" && name != "cancelledOccurrences" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}

// eventAttachments answers event.attachments (learn.microsoft.com/graph/api/event-list-attachments).
func eventAttachments(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	e := c.user.event(c.r.PathValue("event"))
	if e == nil {
		return errOutlookNotFound()
	}
	all := make([]object, len(e.files))
	for i, a := range e.files {
		all[i] = a.json(fmt.Sprintf("%s-%d", e.id, i))
	}
	return c.list(all, 10, 1000)
}

// eventAttachment answers event.attachment with one of them and its bytes (learn.microsoft.com/graph/api/attachment-get).
func eventAttachment(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	e := c.user.event(c.r.PathValue("event"))
	if e == nil {
		return errOutlookNotFound()
	}
	for i, a := range e.files {
		if id := fmt.Sprintf("%s-%d", e.id, i); id == c.r.PathValue("attachment") {
			return c.reply(a.json(id).only(c.selected()))
		}
	}
	return errOutlookNotFound()
}

func (a Attachment) json(id string) object {
	return object{"@odata.type": "#microsoft.graph.fileAttachment", "id": id, "name": a.Name, "contentType": a.MimeType,
		"size": len(a.Content), "isInline": false, "lastModifiedDateTime": stamp(time.Unix(0, 0)), "contentBytes": base64.StdEncoding.EncodeToString(a.Content)}
}

package google

import (
	"slices"
	"strconv"
)

// calendarListList answers calendarList.list.
// https://developers.google.com/workspace/calendar/api/v3/reference/calendarList/list
func calendarListList(c *call) error {
	size, err := c.pageSize("maxResults", 100, 250, false)
	if err != nil {
		return err
	}
	place, _, err := c.place()
	if err != nil {
		return err
	}
	if err := c.oneOf("minAccessRole", calendarRoles()...); err != nil {
		return err
	}
	from, _ := strconv.Atoi(place)
	items, next := c.calendarPage(from, size)
	answer := object{{"kind", "calendar#calendarList"}, {"etag", `"p1"`}, {"items", items}}
	if next > 0 {
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(next))})
	} else {
		answer = append(answer, member{"nextSyncToken", "calendarlist"})
	}
	return c.reply(answer)
}

func calendarRoles() []string {
	return []string{"freeBusyReader", "reader", "writerWithoutPrivateAccess", "writer", "owner"}
}

func (c *call) calendarPage(from, size int) (items []object, next int) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	least := slices.Index(calendarRoles(), c.query.Get("minAccessRole"))
	items = []object{}
	for i := from; i < len(c.user.calendars); i++ {
		e := c.user.calendars[i]
		if e.view.Hidden && !c.flag("showHidden") || slices.Index(calendarRoles(), e.role) < least {
			continue
		}
		if len(items) == size {
			return items, i
		}
		items = append(items, e.resource())
	}
	return items, 0
}

// resource is the entry as it stands in the list.
func (e *calendarEntry) resource() object {
	v, color := e.view, paletteColor(e.view.ColorID)
	o := object{{"kind", "calendar#calendarListEntry"}, {"etag", `"1"`}, {"id", e.calendar.id}, {"summary", e.calendar.details.Summary}}
	o = optional(o, "description", v.Description)
	o = optional(o, "location", v.Location)
	o = append(o, member{"timeZone", v.TimeZone})
	o = optional(o, "summaryOverride", v.SummaryOverride)
	o = append(o, member{"colorId", v.ColorID}, member{"backgroundColor", color}, member{"foregroundColor", "#000000"})
	if v.Hidden {
		o = append(o, member{"hidden", true})
	} else {
		o = append(o, member{"selected", true})
	}
	o = append(o, member{"accessRole", e.role}, member{"defaultReminders", v.reminders()})
	if e.primary {
		o = append(o, member{"primary", true})
	} else {
		o = append(o, member{"dataOwner", e.calendar.owner})
	}
	return append(o, member{"conferenceProperties", object{{"allowedConferenceSolutionTypes", []string{"hangoutsMeet"}}}})
}

func (v Calendar) reminders() []object {
	list := make([]object, len(v.DefaultReminders))
	for i, r := range v.DefaultReminders {
		list[i] = object{{"method", r.Method}, {"minutes", r.Minutes}}
	}
	return list
}

func optional(o object, name, value string) object {
	if value == "" {
		return o
	}
	return append(o, member{name, value})
}

func calendarListGet(c *call) error {
	e, err := c.entry()
	if err != nil {
		return err
	}
	answer := e.resource()
	c.data.mu.Unlock()
	return c.reply(answer)
}

// calendarsGet answers calendars.get.
func calendarsGet(c *call) error {
	e, err := c.entry()
	if err != nil {
		return err
	}
	details := e.calendar.details
	c.data.mu.Unlock()
	o := object{{"kind", "calendar#calendar"}, {"etag", `"1"`}, {"id", e.calendar.id}, {"summary", details.Summary}}
	o = optional(o, "description", details.Description)
	o = optional(o, "location", details.Location)
	return c.reply(append(o, member{"timeZone", details.TimeZone}))
}

// entry finds the calendar of the call. The caller holds data.mu afterwards unless there is an error.
func (c *call) entry() (*calendarEntry, error) {
	c.data.mu.Lock()
	e, err := c.data.calendarEntry(c.user.Email, c.r.PathValue("calendarId"))
	if err != nil {
		c.data.mu.Unlock()
		return nil, &apiError{code: 404, reason: "notFound", message: "Not Found"}
	}
	return e, nil
}

// colorsGet answers colors.get.
func colorsGet(c *call) error {
	palette := func(colors []string) object {
		o := object{}
		for i, background := range colors {
			o = append(o, member{strconv.Itoa(i + 1), object{{"background", background}, {"foreground", "#1d1d1d"}}})
		}
		return o
	}
	return c.reply(object{{"kind", "calendar#colors"}, {"updated", "2012-02-14T00:00:00.000Z"},
		{"calendar", palette(calendarColors())}, {"event", palette(eventColors())}})
}

func paletteColor(id string) string {
	n, _ := strconv.Atoi(id)
	colors := calendarColors()
	if n < 1 || n > len(colors) {
		return colors[13]
	}
	return colors[n-1]
}

// calendarColors are the backgrounds of colour ids 1 to 24.
func calendarColors() []string {
	return []string{"#ac725e", "#d06b64", "#f83a22", "#fa573c", "#ff7537", "#ffad46", "#42d692", "#16a765", "#7bd148", "#b3dc6c", "#fbe983", "#fad165",
		"#92e1c0", "#9fe1e7", "#9fc6e7", "#4986e7", "#9a9cff", "#b99aff", "#c2c2c2", "#cabdbf", "#cca6ac", "#f691b2", "#cd74e6", "#a47ae2"}
}

// eventColors are the backgrounds of colour ids 1 to 11.
func eventColors() []string {
	return []string{"#a4bdfc", "#7ae7bf", "#dbadff", "#ff887c", "#fbd75b", "#ffb878", "#46d6db", "#e1e1e1", "#5484ed", "#51b749", "#dc2127"}
}

package google

import (
	"strings"
	"time"

	"google.golang.org/api/calendar/v3"

	"codeberg.org/repatriate/repatriate/sources"
)

// eventView is what the conversion of an event depends on beside the event.
type eventView struct {
	// zone is the calendar's time zone, in which times without a zone of their own were set.
	zone string
	// defaults are the calendar's reminders, and palette the colours of events by id.
	defaults []sources.Reminder
	palette  map[string]string
}

// occurrence converts one component.
func (v eventView) occurrence(e *calendar.Event) sources.Occurrence {
	o := sources.Occurrence{
		ID: e.Id, OriginalStart: v.original(e), Start: v.time(e.Start), End: v.time(e.End), EndUnspecified: e.EndTimeUnspecified,
		Recurrence: e.Recurrence,
		Summary:    e.Summary, Location: e.Location, Description: e.Description,
		Status: e.Status, Visibility: e.Visibility, Free: e.Transparency == "transparent",
		Type: e.EventType, TypeDetail: typeDetail(e),
		Organizer: organizer(e), Attendees: attendees(e.Attendees),
		AttendeesOmitted: e.AttendeesOmitted, GuestsHidden: e.GuestsCanSeeOtherGuests != nil && !*e.GuestsCanSeeOtherGuests,
		Reminders: v.reminders(e.Reminders),
		Created:   timeOf(e.Created), Updated: timeOf(e.Updated), Sequence: int(e.Sequence),
		Color: v.palette[e.ColorId], Link: e.HtmlLink,
	}
	if e.RecurringEventId == "" {
		o.OriginalStart = sources.EventTime{}
	}
	if o.Visibility == "" {
		o.Visibility = "default"
	}
	if o.Type == "" {
		o.Type = "default"
	}
	o.ConferenceLink, o.ConferenceName = conference(e)
	if e.ConferenceData != nil {
		o.ConferenceWays, o.ConferenceNotes = ways(e.ConferenceData, o.ConferenceLink), e.ConferenceData.Notes
	}
	for _, a := range e.Attachments {
		if a != nil && a.FileUrl != "" {
			o.Attachments = append(o.Attachments, sources.Attachment{URL: a.FileUrl, Title: a.Title, MediaType: a.MimeType})
		}
	}
	if e.Source != nil {
		o.SourceURL, o.SourceTitle = e.Source.Url, e.Source.Title
	}
	return o
}

// time converts a date or a time. Google gives each time with its offset, and the zone beside it.
func (v eventView) time(t *calendar.EventDateTime) sources.EventTime {
	if t == nil {
		return sources.EventTime{}
	}
	if t.Date != "" {
		if _, err := time.Parse(time.DateOnly, t.Date); err != nil {
			return sources.EventTime{}
		}
		return sources.EventTime{Date: t.Date}
	}
	at := timeOf(t.DateTime).UTC()
	if at.IsZero() || at.Year() < 1 || at.Year() > 9999 {
		return sources.EventTime{}
	}
	zone := t.TimeZone
	if zone == "" {
		zone = v.zone
	}
	return sources.EventTime{Time: at, Zone: zone}
}

// original returns where the series would have placed a changed or cancelled occurrence. The id tells it as well.
func (v eventView) original(e *calendar.Event) sources.EventTime {
	if t := v.time(e.OriginalStartTime); !t.IsZero() {
		return t
	}
	suffix := e.Id[strings.LastIndexByte(e.Id, '_')+1:]
	if at, err := time.Parse("20060102T150405Z", suffix); err == nil {
		return sources.EventTime{Time: at, Zone: v.zone}
	}
	if day, err := time.Parse("20060102", suffix); err == nil {
		return sources.EventTime{Date: day.Format(time.DateOnly)}
	}
	return sources.EventTime{}
}

// typeDetail returns what the type of an event adds in words.
func typeDetail(e *calendar.Event) string {
	switch w := e.WorkingLocationProperties; {
	case w != nil && w.OfficeLocation != nil && w.Type != "customLocation":
		return w.OfficeLocation.Label
	case w != nil && w.CustomLocation != nil:
		return w.CustomLocation.Label
	case w != nil:
		return w.Type
	case e.BirthdayProperties != nil && e.BirthdayProperties.CustomTypeName != "":
		return e.BirthdayProperties.CustomTypeName
	case e.BirthdayProperties != nil:
		return e.BirthdayProperties.Type
	case e.OutOfOfficeProperties != nil:
		return e.OutOfOfficeProperties.DeclineMessage
	}
	return ""
}

func organizer(e *calendar.Event) *sources.Attendee {
	o := e.Organizer
	if o == nil || o.Email == "" && o.DisplayName == "" {
		return nil
	}
	return &sources.Attendee{Email: o.Email, Name: o.DisplayName, Self: o.Self, Organizer: true}
}

func attendees(list []*calendar.EventAttendee) []sources.Attendee {
	var out []sources.Attendee
	for _, a := range list {
		if a == nil {
			continue
		}
		out = append(out, sources.Attendee{
			Email: a.Email, Name: a.DisplayName, Response: a.ResponseStatus, Optional: a.Optional, Resource: a.Resource,
			Self: a.Self, Organizer: a.Organizer, AdditionalGuests: int(a.AdditionalGuests), Comment: a.Comment,
		})
	}
	return out
}

// reminders resolves the calendar's defaults.
func (v eventView) reminders(r *calendar.EventReminders) []sources.Reminder {
	switch {
	case r == nil:
		return nil
	case r.UseDefault:
		return v.defaults
	}
	return reminders(r.Overrides)
}

// maxReminder is the longest time before an event that Google takes: four weeks, in minutes.
const maxReminder = 40320

func reminders(list []*calendar.EventReminder) []sources.Reminder {
	var out []sources.Reminder
	for _, r := range list {
		if r != nil && r.Minutes >= 0 && r.Minutes <= maxReminder {
			out = append(out, sources.Reminder{Method: r.Method, Before: time.Duration(r.Minutes) * time.Minute})
		}
	}
	return out
}

// conference returns the link to a video conference, or else to what there is, and the name of its system.
func conference(e *calendar.Event) (link, name string) {
	link = e.HangoutLink
	if e.ConferenceData == nil {
		return link, ""
	}
	if s := e.ConferenceData.ConferenceSolution; s != nil {
		name = s.Name
	}
	first := ""
	for _, p := range e.ConferenceData.EntryPoints {
		switch {
		case p == nil || p.Uri == "":
		case p.EntryPointType == "video" && link == "":
			link = p.Uri
		case first == "":
			first = p.Uri
		}
	}
	if link == "" {
		link = first
	}
	return link, name
}

// ways returns the ways into a conference, except for the link to it where that is all.
func ways(c *calendar.ConferenceData, link string) (out []sources.ConferenceWay) {
	for _, p := range c.EntryPoints {
		if p == nil || p.Uri == "" {
			continue
		}
		w := sources.ConferenceWay{Kind: p.EntryPointType, URL: p.Uri, Label: p.Label}
		for _, code := range [][2]string{
			{"Meeting code", p.MeetingCode}, {"Access code", p.AccessCode}, {"Passcode", p.Passcode}, {"Password", p.Password}, {"PIN", p.Pin},
		} {
			if code[1] != "" {
				w.Codes = append(w.Codes, code[0]+": "+code[1])
			}
		}
		if w.URL != link || len(w.Codes) > 0 {
			out = append(out, w)
		}
	}
	return out
}

package microsoft

import (
	"encoding/json"
	"strings"
	"time"
)

// googleEvent is the part of an event of Google's Calendar API that Exchange would have too.
type googleEvent struct {
	ID           string
	ICalUID      string `json:"iCalUID"`
	Summary      string
	Description  string
	Location     string
	Status       string
	Visibility   string
	Transparency string
	EventType    string
	HangoutLink  string `json:"hangoutLink"`
	Series       string `json:"recurringEventId"`
	Start, End   googleTime
	Recurrence   []string
	Organizer    *googlePerson
	Attendees    []googlePerson
	Reminders    struct {
		UseDefault bool
		Overrides  []struct{ Minutes int }
	}
}

type googleTime struct{ Date, DateTime, TimeZone string }

type googlePerson struct {
	Email, DisplayName, ResponseStatus string
	Optional, Resource, Self           bool
}

// ImportEvent adds an event of Google's Calendar API to a calendar; an occurrence comes after its series. series holds the ids here by
// those there, and zone is what all-day events are in.
func (d *Data) ImportEvent(email, calendarID, zone string, raw json.RawMessage, series map[string]string) error {
	var g struct {
		googleEvent
		Original googleTime `json:"originalStartTime"`
	}
	if err := json.Unmarshal(raw, &g); err != nil {
		return err
	}
	master, known := series[g.Series]
	day := g.Original.day()
	switch {
	case known && g.Status == "cancelled":
		return d.CancelOccurrence(email, master, day)
	case known:
		patch := g.graph(zone)
		for _, name := range []string{"iCalUId", "recurrence", "organizer", "attendees"} {
			delete(patch, name)
		}
		return d.ChangeOccurrence(email, master, day, encode(patch))
	}
	if g.Series != "" {
		g.ICalUID = "" // of an occurrence whose series is elsewhere: Exchange gives each its own
	}
	id, err := d.AddEvent(email, calendarID, encode(g.graph(zone)))
	if err != nil {
		return err
	}
	series[g.ID] = id
	for _, day := range excludedDays(g.Recurrence) {
		if err := d.CancelOccurrence(email, id, day); err != nil {
			return err
		}
	}
	return nil
}

// graph writes the event as Graph does.
func (g googleEvent) graph(zone string) object {
	o := object{"subject": g.Summary, "start": g.Start.graph(zone), "end": g.End.graph(zone), "isAllDay": g.Start.Date != "",
		"body": object{"contentType": "html", "content": g.Description}}
	if g.ICalUID != "" {
		o["iCalUId"] = g.ICalUID
	}
	if g.Location != "" {
		o["location"] = object{"displayName": g.Location}
		o["locations"] = []object{{"displayName": g.Location}}
	}
	if g.Visibility == "private" || g.Visibility == "confidential" {
		o["sensitivity"] = g.Visibility
	}
	if g.HangoutLink != "" {
		o["isOnlineMeeting"], o["onlineMeeting"] = true, object{"joinUrl": g.HangoutLink}
	}
	o["showAs"] = g.showAs()
	if !g.Reminders.UseDefault {
		o["isReminderOn"] = len(g.Reminders.Overrides) > 0
		if len(g.Reminders.Overrides) > 0 {
			o["reminderMinutesBeforeStart"] = g.Reminders.Overrides[0].Minutes
		}
	}
	g.people(o)
	if r, ok := recurrenceOf(g, zone); ok {
		o["recurrence"] = r
	}
	return o
}

func (g googleEvent) showAs() string {
	switch {
	case g.EventType == "outOfOffice":
		return "oof"
	case g.EventType == "workingLocation":
		return "workingElsewhere"
	case g.Transparency == "transparent":
		return "free"
	case g.Status == "tentative":
		return "tentative"
	}
	return "busy"
}

var responses = map[string]string{"accepted": "accepted", "declined": "declined", "tentative": "tentativelyAccepted"}

func (g googleEvent) people(o object) {
	attendees := []object{}
	for _, p := range g.Attendees {
		if g.Organizer != nil && p.Email == g.Organizer.Email {
			continue
		}
		kind, response := "required", responses[p.ResponseStatus]
		if response == "" {
			response = "none"
		}
		switch {
		case p.Resource:
			kind = "resource"
		case p.Optional:
			kind = "optional"
		}
		attendees = append(attendees, object{"type": kind, "status": object{"response": response, "time": "0001-01-01T00:00:00Z"}, "emailAddress": p.address()})
	}
	o["attendees"] = attendees
	if g.Organizer != nil {
		o["organizer"], o["isOrganizer"] = object{"emailAddress": g.Organizer.address()}, g.Organizer.Self
	}
}

func (p googlePerson) address() object {
	name := p.DisplayName
	if name == "" {
		name = p.Email
	}
	return object{"name": name, "address": p.Email}
}

// windowsNames are the zones of the examples as Outlook names them. Outlook takes IANA's names too.
var windowsNames = map[string]string{"Europe/Berlin": "W. Europe Standard Time", "Europe/Paris": "Romance Standard Time", "Europe/London": "GMT Standard Time",
	"America/New_York": "Eastern Standard Time", "America/Los_Angeles": "Pacific Standard Time", "Asia/Tokyo": "Tokyo Standard Time", "UTC": "UTC"}

// at is the wall clock and its zone.
func (t googleTime) at(calendar string) (time.Time, string) {
	if day, err := time.Parse(time.DateOnly, t.Date); err == nil {
		return day, calendar
	}
	name := t.TimeZone
	at, _ := time.Parse(time.RFC3339, t.DateTime)
	if name == "" {
		return at.UTC(), "UTC"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return at.UTC(), "UTC"
	}
	return at.In(zone), name
}

func (t googleTime) day() string {
	at, _ := t.at("UTC")
	return at.Format(time.DateOnly)
}

func (t googleTime) graph(calendar string) object {
	at, zone := t.at(calendar)
	if zone == "" {
		zone = "UTC"
	}
	if windows, ok := windowsNames[zone]; ok {
		zone = windows
	}
	return object{"dateTime": at.Format("2006-01-02T15:04:05"), "timeZone": zone}
}

// excludedDays are the days of EXDATE lines, which have their zone.
func excludedDays(lines []string) (days []string) {
	for _, line := range lines {
		name, value := cutLine(line)
		if name != "EXDATE" || len(value) < 8 {
			continue
		}
		if day, err := time.Parse("20060102", value[:8]); err == nil {
			days = append(days, day.Format(time.DateOnly))
		}
	}
	return days
}

// cutLine takes a property apart: its name without parameters, and its value.
func cutLine(line string) (name, value string) {
	head, value, _ := strings.Cut(line, ":")
	name, _, _ = strings.Cut(head, ";")
	return name, value
}

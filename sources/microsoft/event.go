package microsoft

import (
	"cmp"
	"iter"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/winzone"
	"codeberg.org/repatriate/repatriate/sources"
)

// eventFields are the fields of an event that are read. They count for its exceptions too.
const eventFields = "id,iCalUId,changeKey,createdDateTime,lastModifiedDateTime,subject,body,start,end,isAllDay,originalStart,originalStartTimeZone," +
	"originalEndTimeZone,recurrence,location,locations,attendees,organizer,isOrganizer,sensitivity,showAs,isReminderOn,reminderMinutesBeforeStart," +
	"categories,importance,onlineMeeting,onlineMeetingUrl,webLink,isCancelled,hasAttachments,hideAttendees"

// event is the part of Graph's event that is read (learn.microsoft.com/graph/api/resources/event).
type event struct {
	ID             string                   `json:"id"`
	UID            string                   `json:"iCalUId"`
	ChangeKey      string                   `json:"changeKey"`
	Created        string                   `json:"createdDateTime"`
	Modified       string                   `json:"lastModifiedDateTime"`
	Subject        string                   `json:"subject"`
	Body           struct{ Content string } `json:"body"`
	Start          dateTime                 `json:"start"`
	End            dateTime                 `json:"end"`
	AllDay         bool                     `json:"isAllDay"`
	OriginalStart  string                   `json:"originalStart"`
	StartZone      string                   `json:"originalStartTimeZone"`
	EndZone        string                   `json:"originalEndTimeZone"`
	Recurrence     *recurrence              `json:"recurrence"`
	Location       location                 `json:"location"`
	Locations      []location               `json:"locations"`
	Attendees      []attendee               `json:"attendees"`
	Organizer      *attendee                `json:"organizer"`
	IsOrganizer    bool                     `json:"isOrganizer"`
	Sensitivity    string                   `json:"sensitivity"`
	Importance     string                   `json:"importance"`
	ShowAs         string                   `json:"showAs"`
	ReminderOn     bool                     `json:"isReminderOn"`
	ReminderBefore int                      `json:"reminderMinutesBeforeStart"`
	Categories     []string                 `json:"categories"`
	Meeting        *meeting                 `json:"onlineMeeting"`
	MeetingURL     string                   `json:"onlineMeetingUrl"`
	WebLink        string                   `json:"webLink"`
	Cancelled      bool                     `json:"isCancelled"`
	HasAttachments bool                     `json:"hasAttachments"`
	HideAttendees  bool                     `json:"hideAttendees"`

	Exceptions  []event  `json:"exceptionOccurrences"`
	CancelledOn []string `json:"cancelledOccurrences"`
}

// dateTime is Graph's dateTimeTimeZone: in UTC, since no other zone is asked for.
type dateTime struct {
	DateTime string `json:"dateTime"`
	TimeZone string `json:"timeZone"`
}

type location struct {
	Name        string `json:"displayName"`
	Coordinates struct {
		Latitude  *float64 `json:"latitude"`
		Longitude *float64 `json:"longitude"`
	} `json:"coordinates"`
}

// meeting is the part of Graph's onlineMeetingInfo that is read.
type meeting struct {
	JoinURL  string   `json:"joinUrl"`
	ID       string   `json:"conferenceId"`
	Toll     string   `json:"tollNumber"`
	TollFree []string `json:"tollFreeNumbers"`
}

// ways returns how the meeting is joined by telephone.
func (m meeting) ways() (out []sources.ConferenceWay) {
	for _, number := range append([]string{m.Toll}, m.TollFree...) {
		if number == "" {
			continue
		}
		w := sources.ConferenceWay{Kind: "phone", URL: "tel:" + strings.Map(dialled, number), Label: number}
		if m.ID != "" {
			w.Codes = []string{"Conference ID: " + m.ID}
		}
		out = append(out, w)
	}
	return out
}

// dialled leaves of a number what is dialled (RFC 3966 §3).
func dialled(r rune) rune {
	if r == '+' || r >= '0' && r <= '9' {
		return r
	}
	return -1
}

type attendee struct {
	Type   string `json:"type"`
	Status struct {
		Response string `json:"response"`
	} `json:"status"`
	Email struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	} `json:"emailAddress"`
}

// recurrence is Graph's patternedRecurrence with the zone in which it repeats.
type recurrence struct {
	Pattern graphrecur.Pattern `json:"pattern"`
	Range   struct {
		graphrecur.Range
		Zone string `json:"recurrenceTimeZone"`
	} `json:"range"`
}

// whole is the recurrence without its zone.
func (r *recurrence) whole() graphrecur.Recurrence {
	return graphrecur.Recurrence{Pattern: r.Pattern, Range: r.Range.Range}
}

// version changes with everything in an event, its exceptions among it: they are parts of the same item in the mailbox.
func (e event) version() string { return digestOf(e.ChangeKey, e.Modified) }

// eventView is what the conversion of events depends on.
type eventView struct {
	user  string
	zone  string // IANA name of the mailbox's; may be empty
	files map[string][]sources.Attachment
}

// item converts an event.
func (v eventView) item(e event) sources.Item[sources.Event] {
	i := sources.Item[sources.Event]{ID: e.ID, Version: e.version(), Title: httpx.OneLine(e.Subject), Link: webLink(e.WebLink)}
	i.Content.UID = e.UID
	zone := v.seriesZone(e)
	master, err := v.occurrence(e, zone)
	if err == nil && e.Recurrence != nil {
		err = v.series(e, zone, &master, &i.Content)
	}
	i.Content.Master = &master
	if err != nil {
		i.Problem = fault.New(fault.FailItem, fault.SourceUnreadable, "%w", err)
	}
	return i
}

// series adds the rule, the exceptions and the days without an occurrence.
func (v eventView) series(e event, zone string, master *sources.Occurrence, out *sources.Event) error {
	rule, err := graphrecur.Rule(e.Recurrence.whole(), v.location(zone), e.AllDay)
	if err != nil {
		return err
	}
	master.Recurrence = []string{"RRULE:" + rule}
	master.Days = v.days(e, *master, zone)
	v.toFirst(rule, zone, master)
	for _, x := range e.Exceptions {
		o, err := v.occurrence(x, v.seriesZone(x))
		if err != nil {
			return err
		}
		original, err := time.Parse(time.RFC3339, x.OriginalStart)
		if err != nil {
			return err
		}
		o.OriginalStart = v.moment(original, e.AllDay, zone)
		out.Exceptions = append(out.Exceptions, o)
	}
	for _, id := range e.CancelledOn {
		t, err := v.cancelled(id, master.Start)
		if err != nil {
			return err
		}
		out.Cancelled = append(out.Cancelled, t)
	}
	return nil
}

// days are those of a series by Graph's words, from the day on which it was set to start.
func (v eventView) days(e event, master sources.Occurrence, zone string) iter.Seq[time.Time] {
	start, err := time.Parse(time.DateOnly, master.Start.Date)
	if err != nil {
		start = dayOf(master.Start.Time.In(v.location(zone)))
	}
	return graphrecur.Days(e.Recurrence.whole(), start)
}

// toFirst moves the start of a series to the first day on which it falls.
func (v eventView) toFirst(rule, zone string, master *sources.Occurrence) {
	start := master.Start.Time.In(v.location(zone))
	if master.Start.Date != "" {
		start, _ = time.Parse(time.DateOnly, master.Start.Date) // as moment wrote it
	}
	first, ok := graphrecur.First(rule, start)
	if !ok || first.Equal(start) {
		return // a series without an occurrence stands where it starts
	}
	days := int(dayOf(first).Sub(dayOf(start)).Hours() / 24)
	for _, t := range []*sources.EventTime{&master.Start, &master.End} {
		if day, err := time.Parse(time.DateOnly, t.Date); err == nil {
			t.Date = day.AddDate(0, 0, days).Format(time.DateOnly)
		} else {
			t.Time = t.Time.In(v.location(t.Zone)).AddDate(0, 0, days)
		}
	}
}

// dayOf returns the day of a time as if in UTC, so that days have 24 hours.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// seriesZone is the zone in which an event was made, and a series repeats, as Graph names it.
func (v eventView) seriesZone(e event) string {
	if e.Recurrence != nil && e.Recurrence.Range.Zone != "" {
		return zoneName(e.Recurrence.Range.Zone)
	}
	return zoneName(cmp.Or(e.StartZone, e.Start.TimeZone))
}

// zoneName returns the IANA name, or what Graph says where there is none: the mapping then takes the mailbox's zone and says so.
func zoneName(graph string) string {
	if iana, ok := winzone.IANA(graph); ok {
		return iana
	}
	return graph
}

// location returns the zone's rules; those of the mailbox for a zone that only Exchange knows.
func (v eventView) location(zone string) *time.Location {
	for _, name := range []string{zone, v.zone} {
		if _, known := winzone.IANA(name); known {
			if loc, err := time.LoadLocation(name); err == nil {
				return loc
			}
		}
	}
	return time.UTC
}

// moment returns an instant as a time in a zone, or as the day that it means.
func (v eventView) moment(at time.Time, allDay bool, zone string) sources.EventTime {
	if !allDay {
		return sources.EventTime{Time: at, Zone: zone}
	}
	day := at.UTC()
	if day.Hour() != 0 || day.Minute() != 0 { // Graph gave midnight of the zone in which the day was set
		day = at.In(v.location(zone))
	}
	return sources.EventTime{Date: day.Format(time.DateOnly)}
}

// cancelled reads the id of an occurrence that does not take place. The day stands after its last dot and is one of the series' zone.
func (v eventView) cancelled(id string, start sources.EventTime) (sources.EventTime, error) {
	day, err := time.Parse(time.DateOnly, id[strings.LastIndexByte(id, '.')+1:])
	if err != nil {
		return sources.EventTime{}, err
	}
	if start.Date != "" {
		return sources.EventTime{Date: day.Format(time.DateOnly)}, nil
	}
	zone := v.location(start.Zone)
	at := start.Time.In(zone)
	return sources.EventTime{Time: time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, zone), Zone: start.Zone}, nil
}

// occurrence converts an event without its recurrence.
func (v eventView) occurrence(e event, zone string) (sources.Occurrence, error) {
	o := sources.Occurrence{ID: e.ID, Summary: e.Subject, Location: e.where(), Description: e.Body.Content, Status: "confirmed",
		Visibility: visibilities[e.Sensitivity], Free: e.ShowAs == "free", Busy: e.ShowAs, Categories: e.Categories, GuestsHidden: e.HideAttendees,
		Created: timeOf(e.Created), Updated: timeOf(e.Modified), Link: webLink(e.WebLink), ConferenceLink: e.MeetingURL, Attachments: v.files[e.ID]}
	start, err := e.Start.instant()
	if err != nil {
		return o, err
	}
	end, err := e.End.instant()
	if err != nil {
		return o, err
	}
	o.Start, o.End = v.moment(start, e.AllDay, zone), v.moment(end, e.AllDay, zoneName(cmp.Or(e.EndZone, e.StartZone, e.End.TimeZone)))
	if e.Recurrence != nil && !e.AllDay {
		o.End.Zone = zone
	}
	if e.Cancelled {
		o.Status = "cancelled"
	}
	o.Importance, o.Geo = e.Importance, e.Location.geo()
	if m := e.Meeting; m != nil {
		o.ConferenceLink, o.ConferenceWays = cmp.Or(m.JoinURL, o.ConferenceLink), m.ways()
	}
	if e.ReminderOn {
		o.Reminders = []sources.Reminder{{Method: "popup", Before: time.Duration(e.ReminderBefore) * time.Minute}}
	}
	v.people(e, &o)
	return o, nil
}

// visibilities are the words for Graph's sensitivity.
var visibilities = map[string]string{"normal": "default", "personal": "private", "private": "private", "confidential": "confidential"}

// where joins the places; location is only the first of them.
func (e event) where() string {
	var names []string
	for _, p := range e.Locations {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return cmp.Or(strings.Join(names, "; "), e.Location.Name)
}

// geo returns the place's coordinates, if it has any.
func (l location) geo() *sources.Geo {
	if l.Coordinates.Latitude == nil || l.Coordinates.Longitude == nil {
		return nil
	}
	return &sources.Geo{Latitude: *l.Coordinates.Latitude, Longitude: *l.Coordinates.Longitude}
}

// instant reads a time that Graph gives with seven decimals and without an offset.
func (t dateTime) instant() (time.Time, error) {
	zone := time.UTC
	if name, ok := winzone.IANA(t.TimeZone); ok {
		if loc, err := time.LoadLocation(name); err == nil {
			zone = loc
		}
	}
	return time.ParseInLocation("2006-01-02T15:04:05", t.DateTime, zone)
}

// answers are the words for Graph's responses.
var answers = map[string]string{"accepted": "accepted", "organizer": "accepted", "declined": "declined", "tentativelyAccepted": "tentative"}

func (v eventView) people(e event, o *sources.Occurrence) {
	if e.Organizer != nil {
		p := v.person(*e.Organizer)
		p.Organizer, p.Self = true, p.Self || e.IsOrganizer
		o.Organizer = &p
	}
	for _, a := range e.Attendees {
		o.Attendees = append(o.Attendees, v.person(a))
	}
}

// person converts somebody who takes part. The address may be a name of Exchange's directory (/o=…).
func (v eventView) person(a attendee) sources.Attendee {
	return sources.Attendee{Email: a.Email.Address, Name: a.Email.Name, Response: cmp.Or(answers[a.Status.Response], "needsAction"),
		Optional: a.Type == "optional", Resource: a.Type == "resource", Self: strings.EqualFold(a.Email.Address, v.user)}
}

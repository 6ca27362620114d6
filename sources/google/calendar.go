package google

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/googleapi"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

// eventsPage is the number of events asked for at once: the most that Google gives.
const eventsPage = 2500

// Calendars returns the calendars that the user owns, hidden ones too. Those of others, to which the user has subscribed
// or was given access, move with their owners; those that Google generates (holidays, birthdays) exist anywhere.
func Calendars(ctx context.Context, c *Client, user string) ([]sources.Collection, error) {
	var out []sources.Collection
	for token := ""; ; {
		var answer *calendar.CalendarList
		err := c.asCalendarUser(ctx, user, calendarListList, func(svc *calendar.Service) (err error) {
			call := svc.CalendarList.List().ShowHidden(true).MaxResults(250).Context(ctx).
				Fields("nextPageToken,items(id,summary,summaryOverride,description,timeZone,backgroundColor,accessRole,dataOwner,primary,deleted)")
			if token != "" {
				call.PageToken(token)
			}
			answer, err = call.Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range answer.Items {
			if e != nil && ownCalendar(e, user) {
				out = append(out, collection(e))
			}
		}
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			return out, nil
		}
		token = answer.NextPageToken
	}
}

func (c *Client) asCalendarUser(ctx context.Context, user string, m method, fn func(*calendar.Service) error) error {
	return as(ctx, c, user, m, c.calendar, fn)
}

// ownCalendar reports whether a calendar moves with the user. Several users may have the role of an owner; dataOwner is
// the one to whom a secondary calendar belongs.
func ownCalendar(e *calendar.CalendarListEntry, user string) bool {
	switch {
	case e.Id == "" || e.Deleted || e.AccessRole != "owner":
		return false
	case strings.HasSuffix(e.Id, "@group.v.calendar.google.com"):
		return false
	case e.Primary || e.DataOwner == "":
		return true
	}
	return strings.EqualFold(e.DataOwner, user)
}

func collection(e *calendar.CalendarListEntry) sources.Collection {
	name := e.SummaryOverride
	if name == "" {
		name = e.Summary
	}
	return sources.Collection{ID: e.Id, Name: name, Primary: e.Primary, Description: e.Description, Color: sources.HexColor(e.BackgroundColor), TimeZone: e.TimeZone}
}

// calendarSource reads one calendar.
type calendarSource struct {
	client   *Client
	user, id string
	palette  remembered.Value[map[string]string]
	orphans  orphans
}

// Calendar returns the events of one calendar: an item is an event with all its recurrences, changed occurrences and
// cancelled days.
func Calendar(c *Client, user, calendarID string) sources.Source[sources.Event] {
	return &calendarSource{client: c, user: user, id: calendarID, palette: remembered.New[map[string]string]()}
}

// calendarCursor is the place in a calendar's changes.
type calendarCursor struct {
	// Sync is the token of the last complete reading; empty in a full listing.
	Sync string `json:"sync,omitempty"`
	// Page is the next page of an unfinished reading.
	Page string `json:"page,omitempty"`
}

func (c calendarCursor) cursor() sources.Cursor {
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings alone
	}
	return sources.Cursor(b)
}

func parseCalendarCursor(c sources.Cursor) (cur calendarCursor, err error) {
	if c == "" {
		return cur, nil
	}
	if err := json.Unmarshal([]byte(c), &cur); err != nil || cur == (calendarCursor{}) {
		return cur, fmt.Errorf("google: calendar cursor: %w", sources.ErrCursorExpired)
	}
	return cur, nil
}

// eventFields are the fields of an event that are read.
const eventFields googleapi.Field = "id,iCalUID,status,htmlLink,created,updated,summary,description,location,colorId,organizer,attendees,attendeesOmitted," +
	"start,end,endTimeUnspecified,recurrence,recurringEventId,originalStartTime,transparency,visibility,sequence,hangoutLink," +
	"conferenceData(entryPoints(entryPointType,uri,label,pin,accessCode,meetingCode,passcode,password),conferenceSolution(name),notes),guestsCanSeeOtherGuests,reminders,source," +
	"attachments(fileUrl,title,mimeType),eventType,birthdayProperties,workingLocationProperties,outOfOfficeProperties"

// Changes implements sources.Source. A full listing that fits into one page comes with whole series. In a longer one, and
// among changes, the parts of a series may stand on different pages, so that a series comes as a stub.
func (s *calendarSource) Changes(ctx context.Context, after sources.Cursor) (page sources.Page[sources.Event], err error) {
	cur, err := parseCalendarCursor(after)
	if err != nil {
		return page, err
	}
	answer, err := s.events(ctx, func(call *calendar.EventsListCall) {
		if cur.Sync != "" {
			call.SyncToken(cur.Sync)
		}
		if cur.Page != "" {
			call.PageToken(cur.Page)
		}
	})
	if err != nil {
		return page, expired(err, cur.Sync+cur.Page)
	}
	s.orphans.note(answer.Items)
	view, err := s.view(ctx, answer, answer.Items)
	if err != nil {
		return page, err
	}
	page.Listing = cur.Sync == ""
	switch {
	case page.Listing && cur.Page == "" && answer.NextPageToken == "":
		page.Items = view.whole(answer.Items)
	default:
		page.Items = view.parts(answer.Items, page.Listing)
	}
	return page, s.next(&page, cur, answer)
}

// next completes the page with where to go on.
func (s *calendarSource) next(page *sources.Page[sources.Event], cur calendarCursor, answer *calendar.Events) error {
	page.More = answer.NextPageToken != ""
	page.ListingDone = page.Listing && !page.More
	if cur.Page = answer.NextPageToken; !page.More {
		cur.Sync = answer.NextSyncToken
	}
	if cur == (calendarCursor{}) {
		return fault.New(fault.Retry, fault.SourceBadAnswer, "Calendar events.list: neither a next page nor a sync token")
	}
	page.Next = cur.cursor()
	return nil
}

// events sends one events.list. The parameters are the same in a listing and with its sync token, as Google demands.
func (s *calendarSource) events(ctx context.Context, with func(*calendar.EventsListCall)) (answer *calendar.Events, err error) {
	err = s.client.asCalendarUser(ctx, s.user, calendarEventsList, func(svc *calendar.Service) error {
		call := svc.Events.List(s.id).SingleEvents(false).ShowDeleted(true).MaxResults(eventsPage).Context(ctx).
			Fields("nextPageToken,nextSyncToken,timeZone,defaultReminders,items(" + eventFields + ")")
		with(call)
		answer, err = call.Do()
		return err
	})
	return answer, err
}

// view returns what the conversion of events depends on. The palette is asked for when there is an event of a colour.
func (s *calendarSource) view(ctx context.Context, answer *calendar.Events, events []*calendar.Event) (eventView, error) {
	v := eventView{zone: answer.TimeZone, defaults: reminders(answer.DefaultReminders)}
	for _, e := range events {
		if e != nil && e.ColorId != "" {
			var err error
			v.palette, err = s.colors(ctx)
			return v, err
		}
	}
	return v, nil
}

// colors returns the colours of events by their ids.
func (s *calendarSource) colors(ctx context.Context) (map[string]string, error) {
	return s.palette.Get(ctx, func(ctx context.Context) (map[string]string, error) {
		colors := map[string]string{}
		err := s.client.asCalendarUser(ctx, s.user, calendarColorsGet, func(svc *calendar.Service) error {
			answer, err := svc.Colors.Get().Fields("event").Context(ctx).Do()
			if err != nil {
				return err
			}
			for id, c := range answer.Event {
				colors[id] = sources.HexColor(c.Background)
			}
			return nil
		})
		return colors, err
	})
}

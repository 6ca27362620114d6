package microsoft

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/remembered"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listEvents      = method{exchange, "events.list", 1, "Calendars.Read"}
	getEvent        = method{exchange, "event.get", 1, "Calendars.Read"}
	listAttachments = method{exchange, "event.attachments.list", 1, "Calendars.Read"}
	getAttachment   = method{exchange, "event.attachment", 1, "Calendars.Read"}
)

// eventsPage is the number of events that one page yields, and eventKeysPage that of keys that are asked for at once.
const (
	eventsPage    = 100
	eventKeysPage = 1000
)

// calendarSource reads one calendar.
//
// Graph has a documented delta for a range of the main calendar only (learn.microsoft.com/graph/api/event-delta). What changed is
// therefore found by comparison: the cursor knows the version of each event, and a later pass lists ids and versions, a thousand
// at a time, and reads the events that differ. An event that has vanished is asked for before it counts as deleted, since pages
// shift when others write meanwhile.
type calendarSource struct {
	client   *Client
	user, id string
	zone     remembered.Value[string] // of the mailbox
}

// Calendar returns the events of one calendar: an item is an event with all its recurrences, changed occurrences and cancelled days.
func Calendar(c *Client, user, calendarID string) sources.Source[sources.Event] {
	return &calendarSource{client: c, user: user, id: calendarID, zone: remembered.New[string]()}
}

// Changes implements sources.Source.
func (s *calendarSource) Changes(ctx context.Context, after sources.Cursor) (page sources.Page[sources.Event], err error) {
	cur := calendarCursor{Seen: map[string]string{}, Listing: true}
	if after != "" {
		if cur, err = parseCalendarCursor(after); err != nil {
			return page, err
		}
	}
	page.Listing = cur.Listing
	switch {
	case after == "" || cur.At != "":
		page.Items, cur, err = s.list(ctx, cur)
	case len(cur.Left) > 0:
		page.Items, cur, err = s.readLeft(ctx, cur)
	default:
		page.Items, cur, err = s.compare(ctx, cur)
	}
	if err != nil {
		return sources.Page[sources.Event]{}, err
	}
	if page.More = !cur.Done; cur.Done {
		page.ListingDone, cur.Listing, cur.Done = cur.Listing, false, false
	}
	page.Next = cur.encode()
	return page, nil
}

// list reads a page of a first listing. What it missed, the comparison at its end finds.
func (s *calendarSource) list(ctx context.Context, cur calendarCursor) ([]sources.Item[sources.Event], calendarCursor, error) {
	at := s.client.path(url.Values{"$select": {eventFields}, "$top": {strconv.Itoa(eventsPage)}}, "users", s.user, "calendars", s.id, "events")
	if cur.At != "" {
		var err error
		if at, err = s.client.fromCursor(cur.At); err != nil {
			return nil, cur, err
		}
	}
	answer, err := s.page(ctx, at)
	if err != nil {
		return nil, cur, expiredPage(cur, err)
	}
	only := cur.At == "" && answer.Next == ""
	cur.At = ""
	if answer.Next != "" {
		u, err := s.client.link(answer.Next)
		if err != nil {
			return nil, cur, err
		}
		cur.At = s.client.cursorOf(u)
	}
	items, err := s.items(ctx, answer.Value, &cur)
	cur.Done = only
	return items, cur, err
}

// compare finds out what changed since the cursor and reads the first of it.
func (s *calendarSource) compare(ctx context.Context, cur calendarCursor) ([]sources.Item[sources.Event], calendarCursor, error) {
	now, err := s.versions(ctx)
	if err != nil {
		return nil, cur, err
	}
	gone, err := s.vanished(ctx, cur, now)
	if err != nil {
		return nil, cur, err
	}
	for id, version := range now {
		if cur.Seen[id] != version {
			cur.Left = append(cur.Left, id)
		}
	}
	slices.Sort(cur.Left)
	items, cur, err := s.readLeft(ctx, cur)
	return append(gone, items...), cur, err
}

// versions lists the versions of all events by their ids. A calendar of several pages is listed twice, since an event may slip from one
// page to the next unseen.
func (s *calendarSource) versions(ctx context.Context) (map[string]string, error) {
	now := map[string]string{}
	pages, err := s.readVersions(ctx, now)
	if err == nil && pages > 1 {
		_, err = s.readVersions(ctx, now)
	}
	return now, err
}

// readVersions lists the versions once and returns the number of pages.
func (s *calendarSource) readVersions(ctx context.Context, into map[string]string) (n int, err error) {
	at := s.client.path(url.Values{"$select": {"id,changeKey,lastModifiedDateTime"}, "$top": {strconv.Itoa(eventKeysPage)}},
		"users", s.user, "calendars", s.id, "events")
	for {
		answer, err := s.page(ctx, at)
		if err != nil {
			return n, err
		}
		for _, e := range answer.Value {
			into[e.ID] = e.version()
		}
		if n++; answer.Next == "" {
			return n, nil
		}
		if at, err = s.client.link(answer.Next); err != nil {
			return n, err
		}
	}
}

type eventPage struct {
	Value []event `json:"value"`
	Next  string  `json:"@odata.nextLink"`
}

// page reads a page of the calendar.
func (s *calendarSource) page(ctx context.Context, at *url.URL) (answer eventPage, err error) {
	err = s.client.get(ctx, call{method: listEvents, of: s.user, url: at, header: mailHeader}, &answer)
	for _, e := range answer.Value {
		if e.ID == "" {
			return answer, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: an event without an id", listEvents)
		}
	}
	return answer, err
}

// vanished returns what is in the calendar no longer.
func (s *calendarSource) vanished(ctx context.Context, cur calendarCursor, now map[string]string) ([]sources.Item[sources.Event], error) {
	var ids []string
	for id := range cur.Seen {
		if _, there := now[id]; !there {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		urls[i] = s.client.path(url.Values{"$select": {"id"}}, "users", s.user, "calendars", s.id, "events", id)
	}
	answers, err := s.client.batch(ctx, getEvent, s.user, mailHeader, urls)
	if err != nil {
		return nil, err
	}
	var gone []sources.Item[sources.Event]
	for i, a := range answers {
		switch {
		case a.err == nil:
			now[ids[i]] = cur.Seen[ids[i]]
		case fault.Of(a.err).Reason != fault.SourceGone:
			return nil, a.err
		default:
			gone = append(gone, sources.Item[sources.Event]{ID: ids[i], Deleted: true})
			delete(cur.Seen, ids[i])
		}
	}
	return gone, nil
}

// readLeft reads the next of the events that are known to differ.
func (s *calendarSource) readLeft(ctx context.Context, cur calendarCursor) ([]sources.Item[sources.Event], calendarCursor, error) {
	n := min(eventsPage, len(cur.Left))
	events, err := s.events(ctx, cur.Left[:n])
	if err != nil {
		return nil, cur, err
	}
	cur.Left = cur.Left[n:]
	cur.Done = len(cur.Left) == 0
	items, err := s.convert(ctx, events, &cur)
	return items, cur, err
}

// events reads whole events. One that is gone meanwhile is left out: the next comparison finds that.
func (s *calendarSource) events(ctx context.Context, ids []string) ([]event, error) {
	urls := make([]*url.URL, len(ids))
	for i, id := range ids {
		urls[i] = s.eventURL(id)
	}
	answers, err := s.client.batch(ctx, getEvent, s.user, mailHeader, urls)
	if err != nil {
		return nil, err
	}
	var events []event
	for i, a := range answers {
		var e event
		if err := a.decode(&e); err != nil {
			if fault.Of(err).Reason == fault.SourceGone {
				continue
			}
			return nil, err
		}
		e.ID = ids[i]
		events = append(events, e)
	}
	return events, nil
}

// eventURL asks for an event with what only comes when it is asked for by its id (learn.microsoft.com/graph/api/event-get). It is gone
// where it is in another calendar by now.
func (s *calendarSource) eventURL(id string) *url.URL {
	return s.client.path(url.Values{"$select": {eventFields + ",exceptionOccurrences,cancelledOccurrences"}, "$expand": {"exceptionOccurrences"}},
		"users", s.user, "calendars", s.id, "events", id)
}

// items completes the series among listed events and converts all.
func (s *calendarSource) items(ctx context.Context, listed []event, cur *calendarCursor) ([]sources.Item[sources.Event], error) {
	var series []string
	for _, e := range listed {
		if e.Recurrence != nil {
			series = append(series, e.ID)
		}
	}
	whole, err := s.events(ctx, series)
	if err != nil {
		return nil, err
	}
	single := slices.DeleteFunc(slices.Clone(listed), func(e event) bool { return e.Recurrence != nil })
	return s.convert(ctx, append(single, whole...), cur)
}

// convert turns whole events into items, and notes their versions.
func (s *calendarSource) convert(ctx context.Context, events []event, cur *calendarCursor) ([]sources.Item[sources.Event], error) {
	if len(events) == 0 {
		return nil, nil
	}
	files, err := s.client.files(ctx, s.user, s.filesAt(), withFiles(events))
	if err != nil {
		return nil, err
	}
	zone, err := s.mailboxZone(ctx)
	if err != nil {
		return nil, err
	}
	items := make([]sources.Item[sources.Event], len(events))
	for i, e := range events {
		items[i] = eventView{user: s.user, zone: zone, files: files}.item(e)
		cur.Seen[e.ID] = items[i].Version
	}
	return items, nil
}

// filesAt says where the files of events are.
func (s *calendarSource) filesAt() filesOf {
	return filesOf{list: listAttachments, get: getAttachment, kind: "#microsoft.graph.fileAttachment", header: mailHeader,
		options: url.Values{"$select": {"id,name,contentType,size,isInline"}, "$top": {"100"}},
		at:      func(id string) []string { return []string{"users", s.user, "events", id} }}
}

// withFiles returns the ids of the events and exceptions that have files.
func withFiles(events []event) (ids []string) {
	for _, e := range events {
		for _, o := range append([]event{e}, e.Exceptions...) {
			if o.HasAttachments {
				ids = append(ids, o.ID)
			}
		}
	}
	return ids
}

func (s *calendarSource) mailboxZone(ctx context.Context) (string, error) {
	return s.zone.Get(ctx, func(ctx context.Context) (string, error) { return s.client.mailboxZone(ctx, s.user) })
}

// Fetch implements sources.Source.
func (s *calendarSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Event], error) {
	var e event
	if err := s.client.get(ctx, call{method: getEvent, of: s.user, url: s.eventURL(id), header: mailHeader}, &e); err != nil {
		return sources.Item[sources.Event]{}, err
	}
	e.ID = id
	items, err := s.convert(ctx, []event{e}, &calendarCursor{Seen: map[string]string{}})
	if err != nil {
		return sources.Item[sources.Event]{}, err
	}
	return items[0], nil
}

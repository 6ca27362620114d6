package google

import (
	"context"
	"sync"

	"google.golang.org/api/calendar/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// orphans knows the iCalUIDs of series of which a part was seen, where they do not follow from the id. The account may be a guest of
// single occurrences of a series that was made elsewhere: its master cannot be requested, and only the iCalUID finds what there is.
type orphans struct {
	mu     sync.Mutex
	listed bool // the whole calendar was looked through
	uids   map[string]string
}

// note remembers what is seen in passing.
func (o *orphans) note(events []*calendar.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(events)
}

func (o *orphans) keep(events []*calendar.Event) {
	for _, e := range events {
		if e == nil || e.RecurringEventId == "" || e.ICalUID == "" || e.ICalUID == e.RecurringEventId+"@google.com" {
			continue
		}
		if o.uids == nil {
			o.uids = map[string]string{}
		}
		o.uids[e.RecurringEventId] = e.ICalUID
	}
}

// orphan returns the occurrences of a series whose master is not visible.
func (s *calendarSource) orphan(ctx context.Context, id string) (sources.Item[sources.Event], error) {
	uid, err := s.orphanUID(ctx, id)
	if err == nil && uid == "" {
		err = gone(id)
	}
	if err != nil {
		return found{id: id}.item(err)
	}
	found, err := s.byUID(ctx, id, uid)
	return found.item(err)
}

// orphanUID returns the iCalUID of a series, or nothing if no part of it is there. What no page of this pass had, such as an item that
// failed in an earlier one, is looked for in the whole calendar, once.
func (s *calendarSource) orphanUID(ctx context.Context, id string) (string, error) {
	s.orphans.mu.Lock()
	defer s.orphans.mu.Unlock()
	if uid := s.orphans.uids[id]; uid != "" || s.orphans.listed {
		return uid, nil
	}
	for token := ""; ; {
		answer, err := s.events(ctx, func(call *calendar.EventsListCall) {
			call.ShowDeleted(false).Fields("nextPageToken,items(id,iCalUID,recurringEventId)")
			if token != "" {
				call.PageToken(token)
			}
		})
		if err != nil {
			return "", err
		}
		s.orphans.keep(answer.Items)
		if answer.NextPageToken == "" {
			s.orphans.listed = true
			return s.orphans.uids[id], nil
		}
		if answer.NextPageToken == token {
			return "", fault.New(fault.Retry, fault.SourceBadAnswer, "Calendar events.list: the next page is the same")
		}
		token = answer.NextPageToken
	}
}

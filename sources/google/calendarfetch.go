package google

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/api/calendar/v3"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// maxUIDPages bounds the pages of one event with all its changed occurrences.
const maxUIDPages = 20

// Fetch implements sources.Source. The parts of a series share their iCalUID, by which they are listed. Events that were
// made in Google have an iCalUID that follows from the id, so that one request does; others take two or three.
func (s *calendarSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Event], error) {
	guessed := found{id: id}
	if !strings.HasPrefix(id, "_") { // the id of an imported event
		var err error
		guessed, err = s.byUID(ctx, id, id+"@google.com")
		if err != nil || guessed.master() != nil {
			return guessed.item(err)
		}
	}
	master, err := s.event(ctx, id)
	switch {
	case errors.Is(err, sources.ErrGone) && len(guessed.parts) == 0:
		return s.orphan(ctx, id)
	case errors.Is(err, sources.ErrGone):
		return guessed.item(nil)
	case err != nil:
		return guessed.item(err)
	case master.Status == "cancelled" || master.ICalUID == "":
		return guessed.item(gone(id))
	}
	found, err := s.byUID(ctx, id, master.ICalUID)
	return found.item(err)
}

// gone says that an event is not part of the calendar any more.
func gone(id string) error {
	return fault.New(fault.Skip, fault.SourceDeleted, "the event %.80q was deleted: %w", id, sources.ErrGone)
}

// event requests one event.
func (s *calendarSource) event(ctx context.Context, id string) (e *calendar.Event, err error) {
	err = s.client.asCalendarUser(ctx, s.user, calendarEventsGet, func(svc *calendar.Service) error {
		e, err = svc.Events.Get(s.id, id).Fields("id,iCalUID,status").Context(ctx).Do()
		return err
	})
	return e, err
}

// found holds the parts of the event of an id.
type found struct {
	id    string
	view  eventView
	parts []*calendar.Event
}

// byUID lists the parts of the event of an id by their iCalUID.
func (s *calendarSource) byUID(ctx context.Context, id, uid string) (found, error) {
	f := found{id: id}
	token := ""
	for range maxUIDPages {
		answer, err := s.events(ctx, func(call *calendar.EventsListCall) {
			if call.ICalUID(uid); token != "" {
				call.PageToken(token)
			}
		})
		if err != nil {
			return f, err
		}
		for _, e := range answer.Items {
			if e != nil && seriesID(e) == id {
				f.parts = append(f.parts, e)
			}
		}
		if token = answer.NextPageToken; token == "" {
			f.view, err = s.view(ctx, answer, f.parts)
			return f, err
		}
	}
	return f, fault.New(fault.FailItem, fault.SourceBadAnswer, "the event %.80q has more than %d pages of occurrences", id, maxUIDPages)
}

// master returns the living master, or nil.
func (f found) master() *calendar.Event {
	for _, e := range f.parts {
		if e.Id == f.id && e.Status != "cancelled" {
			return e
		}
	}
	return nil
}

// item returns the event, unless err is set.
func (f found) item(err error) (sources.Item[sources.Event], error) {
	if err != nil {
		return sources.Item[sources.Event]{}, fmt.Errorf("event %.80q: %w", f.id, err)
	}
	it, ok := f.view.series(f.id, f.parts)
	if !ok {
		return sources.Item[sources.Event]{}, gone(f.id)
	}
	return it, nil
}

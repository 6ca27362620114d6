package dav

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// A collection holds one object of a UID (RFC 4791 §5.3.2.1), so that of two objects that were one the second needs another UID. It is
// derived from the first, and stands in the State of the receipt of an item that has it.
const uidState = "uid:"

// otherUID returns the UID that an item has on the target instead of its own.
func otherUID(r sinks.Receipt) (uid string, ok bool) { return strings.CutPrefix(r.State, uidState) }

// atUID returns the receipt of an object that is not written yet.
func atUID(href, state string) sinks.Receipt {
	if !strings.HasPrefix(state, uidState) {
		state = ""
	}
	return sinks.Receipt{Location: href, State: state}
}

// isPlanned reports whether the receipt is one of atUID.
func isPlanned(r sinks.Receipt) bool {
	return r.Location != "" && r.Version == "" && r.BodyVersion == ""
}

// The words by which the second object's UID and name differ from the first's, and how many of them are tried.
const (
	oursAside   = "source"
	theirsAside = "target"
	mostAside   = 100
)

func numbered(s, word string, n int) string {
	if n == 1 {
		return s + "-" + word
	}
	return s + "-" + word + "-" + strconv.Itoa(n)
}

// Beside implements sinks.Keeper: the item gets another UID.
func (s *Store) Beside(ctx context.Context, item Item, prev sinks.Receipt) (sinks.Receipt, error) {
	if removed, err := s.removed(ctx, prev); removed || err != nil {
		return atUID(prev.Location, prev.State), err
	}
	want, err := s.Format.Read(item.Data)
	if err != nil {
		return sinks.Receipt{}, fault.New(fault.FailItem, fault.MappingInvalid, "put %s: %w", s.Format.Noun, err)
	}
	tried, _ := otherUID(prev)
	for n := nextNumber(want.UID, tried); n <= mostAside; n++ {
		at := atUID(s.Path+s.Format.ObjectName(numbered(item.ID, oursAside, n)), uidState+numbered(want.UID, oursAside, n))
		free, err := s.freeFor(ctx, &at)
		if err != nil || free {
			return at, err
		}
	}
	return sinks.Receipt{}, s.conflict("put", "another object lies in its place, and at each name that it could have beside")
}

// nextNumber returns the number after that of a UID that was made before.
func nextNumber(uid, made string) int {
	for n := 1; n <= mostAside; n++ {
		if numbered(uid, oursAside, n) == made {
			return n + 1
		}
	}
	return 1
}

// freeFor reports whether an object can be written at the planned place. One that an interrupted write left there is replaced.
func (s *Store) freeFor(ctx context.Context, at *sinks.Receipt) (bool, error) {
	_, current, etag, err := s.fetch(ctx, at.Location)
	switch {
	case isGone(err):
		return true, nil
	case err != nil:
		return false, err
	}
	uid, _ := otherUID(*at)
	at.Version = etag
	return current.UID == uid && current.Untouched() && etag != "", nil
}

// removed reports whether the user removed what the receipt describes.
func (s *Store) removed(ctx context.Context, prev sinks.Receipt) (bool, error) {
	if prev.IsZero() || prev.State == Kept || isPlanned(prev) {
		return false, nil
	}
	_, _, _, err := s.fetch(ctx, prev.Location)
	if isGone(err) {
		return true, nil
	}
	return false, err
}

// Aside implements sinks.Keeper: what lies in the item's place is copied with another UID, and then the item may be written over it as long
// as nobody changes it. That is not done where the server would tell others of it, for other people's calendars, and for
// objects that are not the item.
func (s *Store) Aside(ctx context.Context, item Item, prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	if removed, err := s.removed(ctx, prev); removed || err != nil {
		return atUID(prev.Location, prev.State), nil, err
	}
	uid, other := otherUID(prev)
	if !other {
		want, err := s.Format.Read(item.Data)
		if err != nil {
			return sinks.Receipt{}, nil, fault.New(fault.FailItem, fault.MappingInvalid, "put %s: %w", s.Format.Noun, err)
		}
		uid = want.UID
	}
	at, data, current, err := s.inTheWay(ctx, item, prev, uid)
	if err != nil {
		return sinks.Receipt{}, nil, err
	}
	if current.UID != uid || current.Scheduled || at.Version == "" || !strings.HasPrefix(at.Location, s.Path) {
		next, err := s.Beside(ctx, item, prev)
		return next, nil, err
	}
	copied, err := s.copyAside(ctx, item, data, uid)
	if err != nil {
		return sinks.Receipt{}, nil, err
	}
	detail := "the user of the target had another " + s.Format.Noun + " in its place; that lies at " + copied + " now"
	return at, &sinks.Loss{Reason: s.Format.Aside, Detail: detail}, nil
}

// inTheWay returns the object in the item's place: where the item lies or would lie, and otherwise where the UID does. If there is none in the
// collection, the object has no UID.
func (s *Store) inTheWay(ctx context.Context, item Item, prev sinks.Receipt, uid string) (at sinks.Receipt, data []byte, current Object, err error) {
	at = atUID(prev.Location, prev.State)
	if at.Location == "" {
		at.Location = s.Path + s.Format.ObjectName(item.ID)
	}
	data, current, at.Version, err = s.fetch(ctx, at.Location)
	if !isGone(err) {
		return at, data, current, err
	}
	found, err := s.FindUID(ctx, s.Path, uid)
	if err != nil || len(found) == 0 {
		return at, nil, Object{}, err
	}
	at.Location = found[0]
	data, current, at.Version, err = s.fetch(ctx, at.Location)
	if isGone(err) {
		return at, nil, Object{}, nil
	}
	return at, data, current, err
}

// copyAside writes the user's object under another UID, and returns where. A copy that an interrupted attempt made serves as well.
func (s *Store) copyAside(ctx context.Context, item Item, data []byte, uid string) (string, error) {
	for n := 1; n <= mostAside; n++ {
		copied, err := s.Format.Copy(data, numbered(uid, theirsAside, n))
		if err != nil {
			return "", s.conflict("put", fmt.Sprintf("what lies in its place cannot be copied: %v", err))
		}
		href := s.Path + s.Format.ObjectName(numbered(item.ID, theirsAside, n))
		h := http.Header{"Content-Type": {s.Format.MediaType}, "If-None-Match": {"*"}}
		a, err := s.Client.Do(ctx, http.MethodPut, href, h, copied)
		switch {
		case err != nil:
			return "", err
		case a.OK():
			return href, nil
		case a.Status == http.StatusPreconditionFailed:
			same, err := s.holds(ctx, href, copied)
			if err != nil || same {
				return href, err
			}
		case !a.uidConflict():
			return "", s.Client.putFault(a)
		}
	}
	return "", s.conflict("put", "another object lies in its place, and at each name that this could have")
}

// holds reports whether the object at href has the content.
func (s *Store) holds(ctx context.Context, href string, data []byte) (bool, error) {
	want, err := s.Format.Read(data)
	if err != nil {
		return false, err
	}
	_, current, _, err := s.fetch(ctx, href)
	if isGone(err) {
		return false, nil
	}
	return err == nil && current.Full == want.Full, err
}

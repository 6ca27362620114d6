package imap

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/sinks"
)

// syncCopies makes the copies of the message at a place what the item wants, and keeps the state up to date as far as
// that succeeds. st.Flags are still those that were written before.
func (s *Sink) syncCopies(ctx context.Context, item sinks.Item[sinks.Message], at place, st *state) (changed bool, losses []sinks.Loss, err error) {
	want, losses, err := s.copyBoxes(ctx, item.Content.Copies, at.mailbox)
	if err != nil {
		return false, nil, err
	}
	have := st.copies()
	for _, box := range want {
		i := slices.IndexFunc(have, func(p place) bool { return p.mailbox == box })
		if i >= 0 {
			c, err := s.reflagCopy(ctx, item, have[i], st.Flags)
			if err != nil {
				return changed, losses, err
			}
			changed = changed || c
			continue
		}
		to, found, err := s.copyTo(ctx, item, at, box, *st)
		if err != nil {
			return changed, losses, err
		}
		st.Found = st.Found || found
		st.Copies = append(st.Copies, to.String())
		changed = true
	}
	for _, p := range have {
		if slices.Contains(want, p.mailbox) {
			continue
		}
		if err := s.discard(ctx, p, state{}); err != nil {
			return changed, losses, err
		}
		st.Copies = slices.DeleteFunc(st.Copies, func(c string) bool { return c == p.String() })
		changed = true
	}
	return changed, losses, nil
}

// copyBoxes returns the names of the copies' mailboxes, each once and without the message's own.
func (s *Sink) copyBoxes(ctx context.Context, wanted []sinks.Mailbox, own string) (names []string, losses []sinks.Loss, err error) {
	for _, m := range wanted {
		name, more, err := s.boxes.ensure(ctx, m)
		if err != nil {
			return nil, nil, err
		}
		if name != own && !slices.Contains(names, name) {
			if err := s.boxes.setMark(ctx, name); err != nil {
				return nil, nil, err
			}
			names, losses = append(names, name), append(losses, more...)
		}
	}
	return names, losses, nil
}

// copies returns the places of the copies that the state remembers.
func (s state) copies() []place {
	var out []place
	for _, c := range s.Copies {
		if p, err := parsePlace(c); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// copyTo copies the message. After an interrupted Put a copy that is found there already is taken.
func (s *Sink) copyTo(ctx context.Context, item sinks.Item[sinks.Message], at place, box string, st state) (to place, isFound bool, err error) {
	if item.Again {
		found, err := s.lookup(ctx, box, st.traits())
		if err != nil && !gone(err) {
			return place{}, false, err
		}
		if len(found) > 0 {
			return found[0].place, !s.boxes.since(found[0].place), nil
		}
	}
	to = place{mailbox: box}
	err = s.sessions.do(ctx, at.mailbox, func(x *session) error {
		x.count(1)
		data, err := x.Copy(imap.UIDSetNum(imap.UID(at.uid)), box).Wait()
		if err == nil {
			to.validity, to.uid = data.UIDValidity, single(data.DestUIDs)
		}
		return err
	})
	if err == nil && to.uid == 0 {
		to, err = s.newest(ctx, box, st.traits())
	}
	return to, false, err
}

// reflagCopy changes the flags of a copy. One that the user took away stays away.
func (s *Sink) reflagCopy(ctx context.Context, item sinks.Item[sinks.Message], p place, base []string) (changed bool, err error) {
	want, _, err := s.keepable(ctx, p.mailbox, item.Content.Flags)
	if err != nil || sameFlags(base, want) {
		return false, err
	}
	err = s.sessions.do(ctx, p.mailbox, func(x *session) error {
		now, ok, err := x.flagsOf(p)
		if err != nil || !ok {
			return err
		}
		changed, err = x.reflag(p.uid, base, want, now)
		return err
	})
	if gone(err) {
		err = nil
	}
	return changed, err
}

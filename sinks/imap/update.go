package imap

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// update changes what the source changed of a message that was written before.
func (s *Sink) update(ctx context.Context, item sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	at, err := parsePlace(prev.Location)
	if err != nil {
		return sinks.Written{}, err
	}
	st, err := parseState(prev.State)
	if err != nil {
		return sinks.Written{}, err
	}
	d, err := s.plan(ctx, item, st)
	if err != nil {
		return sinks.Written{}, err
	}
	st.Next = nil
	if item.Content.Body.Version != prev.BodyVersion {
		return s.replace(ctx, d, at, st)
	}
	if err := s.note(ctx, d, st.traits().state()); err != nil {
		return sinks.Written{}, err
	}
	now, changed, err := s.change(ctx, d, at, st)
	if err != nil {
		return sinks.Written{}, err
	}
	copiesChanged, losses, err := s.syncCopies(ctx, item, now, &st)
	st.Flags = d.flags
	w, err := s.written(item, now, st, append(d.losses, losses...), err)
	w.Unchanged = !changed && !copiesChanged
	return w, err
}

// change brings flags and mailbox of the message to what is planned, wherever it lies now.
func (s *Sink) change(ctx context.Context, d *delivery, at place, st state) (now place, changed bool, err error) {
	now, changed, found, err := s.changeAt(ctx, d, at, st)
	if err != nil || found {
		return now, changed, err
	}
	at, err = s.relocate(ctx, d, at, st)
	if err != nil {
		return place{}, false, err
	}
	now, changed, found, err = s.changeAt(ctx, d, at, st)
	if err == nil && !found {
		err = conflict("the message is not where it was put: the user moved or deleted it")
	}
	return now, changed, err
}

func (s *Sink) changeAt(ctx context.Context, d *delivery, at place, st state) (now place, changed, found bool, err error) {
	now = at
	err = s.sessions.do(ctx, at.mailbox, func(x *session) error {
		flags, ok, err := x.flagsOf(at)
		if found = ok; err != nil || !ok {
			return err
		}
		if changed, err = x.reflag(at.uid, s.base(d, st, flags), d.flags, flags); err != nil || d.box == at.mailbox {
			return err
		}
		changed = true
		now, err = x.move(at, d.box)
		return err
	})
	if gone(err) {
		return at, false, false, nil
	}
	if err == nil && now.uid == 0 { // the server did not tell the new UID
		now, err = s.newest(ctx, d.box, st.traits())
	}
	return now, changed, found, err
}

// relocate looks for a message that is not at its place. It is taken for ours in the mailbox where it is to be now, since
// an interrupted pass or the user may have moved it there, and in its old one when that was numbered anew; only if there
// is exactly one like it besides its copies. A message that the user deleted or moved elsewhere stays so.
func (s *Sink) relocate(ctx context.Context, d *delivery, at place, st state) (place, error) {
	var all []place
	for _, box := range []string{at.mailbox, d.box} {
		if len(all) > 0 && box == at.mailbox {
			break
		}
		found, err := s.lookup(ctx, box, st.traits())
		if err != nil && !gone(err) {
			return place{}, err
		}
		for _, c := range found {
			if (box != at.mailbox || c.validity != at.validity) && !slices.Contains(st.Copies, c.place.String()) {
				all = append(all, c.place)
			}
		}
	}
	if len(all) != 1 {
		return place{}, conflict("the message is not where it was put: the user moved or deleted it")
	}
	return all[0], nil
}

// replace puts a message with other bytes in the place of one that was written before.
func (s *Sink) replace(ctx context.Context, d *delivery, at place, st state) (sinks.Written, error) {
	var present bool
	err := s.sessions.do(ctx, at.mailbox, func(x *session) error {
		flags, ok, err := x.flagsOf(at)
		if present = ok; !ok || err != nil {
			return err
		}
		add, del := difference(s.base(d, st, flags), d.flags, flags)
		d.flags = append(without(flags, append(del, `\Recent`)), add...)
		return x.needUIDPlus()
	})
	if err != nil && !gone(err) {
		return sinks.Written{}, err
	}
	w, done, err := s.lostReplacement(ctx, d, at)
	if err != nil {
		return w, err
	}
	if !done {
		if !present {
			return w, conflict("the message that is to be replaced is not where it was put")
		}
		if w, err = s.write(ctx, d); err != nil {
			return w, err
		}
	}
	return w, s.discard(ctx, at, st)
}

// lostReplacement returns what an interrupted replace has written already.
func (s *Sink) lostReplacement(ctx context.Context, d *delivery, old place) (w sinks.Written, done bool, err error) {
	if !d.item.Again {
		return w, false, nil
	}
	found, err := s.Find(ctx, d.item)
	if err != nil {
		return w, false, err
	}
	for _, r := range found {
		if r.Location != old.String() {
			w, err = s.Put(ctx, d.item, r)
			return w, true, err
		}
	}
	return w, false, nil
}

// discard expunges a message and its copies, whatever their flags.
func (s *Sink) discard(ctx context.Context, at place, st state) error {
	for _, p := range append([]place{at}, st.copies()...) {
		err := s.sessions.do(ctx, p.mailbox, func(x *session) error {
			_, ok, err := x.flagsOf(p)
			if err != nil || !ok {
				return err
			}
			return x.expunge(p.uid)
		})
		if err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// flagsOf returns the flags of a message of the selected mailbox; ok is false if it is not there.
func (x *session) flagsOf(at place) (flags []string, ok bool, err error) {
	if x.selected.UIDValidity != at.validity {
		return nil, false, nil
	}
	x.count(1)
	list, err := x.Fetch(imap.UIDSetNum(imap.UID(at.uid)), &imap.FetchOptions{UID: true, Flags: true}).Collect()
	if err != nil {
		return nil, false, err
	}
	for _, m := range list {
		if uint32(m.UID) == at.uid {
			for _, f := range m.Flags {
				flags = append(flags, string(f))
			}
			return flags, true, nil
		}
	}
	return nil, false, nil
}

// reflag stores what the source changed of the flags.
func (x *session) reflag(uid uint32, base, want, now []string) (changed bool, err error) {
	add, del := difference(base, want, now)
	if err := x.storeFlags(uid, imap.StoreFlagsAdd, add); err != nil {
		return false, err
	}
	return len(add)+len(del) > 0, x.storeFlags(uid, imap.StoreFlagsDel, del)
}

func (x *session) storeFlags(uid uint32, op imap.StoreFlagsOp, flags []string) error {
	if len(flags) == 0 {
		return nil
	}
	list := make([]imap.Flag, len(flags))
	for i, f := range flags {
		list[i] = imap.Flag(f)
	}
	x.count(1)
	return x.Store(imap.UIDSetNum(imap.UID(uid)), &imap.StoreFlags{Op: op, Silent: true, Flags: list}, nil).Close()
}

// move moves a message of the selected mailbox. The UID of the answer is zero if the server does not tell it.
func (x *session) move(at place, box string) (place, error) {
	if !x.Caps().Has(imap.CapMove) { // the library then copies, deletes and expunges
		if err := x.needUIDPlus(); err != nil {
			return at, err
		}
	}
	x.count(1)
	data, err := x.Move(imap.UIDSetNum(imap.UID(at.uid)), box).Wait()
	if err != nil {
		return at, err
	}
	to := place{mailbox: box}
	if set, ok := data.DestUIDs.(imap.UIDSet); ok {
		to.validity, to.uid = data.UIDValidity, single(set)
	}
	return to, nil
}

// single returns the one UID of a set; zero if there is not exactly one.
func single(set imap.UIDSet) uint32 {
	if len(set) != 1 || set[0].Start != set[0].Stop {
		return 0
	}
	return uint32(set[0].Start)
}

func (x *session) needUIDPlus() error {
	if x.Caps().Has(imap.CapUIDPlus) {
		return nil
	}
	return fault.New(fault.FailItem, fault.TargetUnsupported, "the server lacks UIDPLUS (RFC 4315), so that single messages cannot be expunged")
}

// expunge removes one message and no other one that is marked as deleted.
func (x *session) expunge(uid uint32) error {
	if err := x.needUIDPlus(); err != nil {
		return err
	}
	if err := x.storeFlags(uid, imap.StoreFlagsAdd, []string{`\Deleted`}); err != nil {
		return err
	}
	x.count(1)
	return x.UIDExpunge(imap.UIDSetNum(imap.UID(uid))).Close()
}

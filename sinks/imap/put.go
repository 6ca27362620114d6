package imap

import (
	"context"
	"errors"
	"io"
	"math"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// Put appends a message that is new, and otherwise brings flags, mailbox and copies of the one at prev to what the item
// wants. With an error the Receipt in Written may be set all the same: what was written until then.
func (s *Sink) Put(ctx context.Context, item sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	if err := ctx.Err(); err != nil {
		return sinks.Written{}, err
	}
	if prev.IsZero() {
		w, err := s.create(ctx, item, prev)
		return inherit(w, prev), err
	}
	return s.update(ctx, item, prev)
}

// delivery is one message on its way into one mailbox.
type delivery struct {
	item  sinks.Item[sinks.Message]
	box   string
	flags []string
	date  time.Time
	// old is the state until now.
	old state
	// losses are those of mailbox and flags, which each pass finds anew; dateLosses stay with the message.
	losses, dateLosses []sinks.Loss
}

// plan decides mailbox, flags and date of a new message, or of one whose state until now is old.
func (s *Sink) plan(ctx context.Context, item sinks.Item[sinks.Message], old state) (*delivery, error) {
	if err := s.noteMaking(ctx, item, old); err != nil {
		return nil, err
	}
	box, losses, err := s.boxes.ensure(ctx, item.Content.Mailbox)
	if err != nil {
		return nil, err
	}
	if err := s.boxes.setMark(ctx, box); err != nil {
		return nil, err
	}
	d := &delivery{item: item, box: box, losses: losses, old: old}
	flags, more, err := s.keepable(ctx, box, item.Content.Flags)
	if err != nil {
		return nil, err
	}
	d.flags, d.losses = flags, append(d.losses, more...)
	d.date, d.dateLosses = internalDate(item.Content.InternalDate)
	return d, nil
}

// keepable returns the flags that the mailbox keeps. The server is only asked about keywords: all have the system flags.
func (s *Sink) keepable(ctx context.Context, box string, wanted []string) ([]string, []sinks.Loss, error) {
	flags, losses := legalFlags(wanted)
	if !hasKeywords(flags) {
		return flags, losses, nil
	}
	permanent, err := s.boxes.permanent(ctx, box)
	if err != nil {
		return nil, nil, err
	}
	flags, more := permitted(flags, permanent)
	return flags, append(losses, more...), nil
}

// internalDate returns the date in whole seconds, within what servers keep: they store seconds since 1970.
func internalDate(t time.Time) (time.Time, []sinks.Loss) {
	if t.IsZero() {
		return t, nil
	}
	sec := min(max(t.Unix(), 1), math.MaxUint32)
	if sec == t.Unix() {
		return time.Unix(sec, 0).UTC(), nil
	}
	return time.Unix(sec, 0).UTC(), []sinks.Loss{{Reason: "mail.date_changed", Detail: t.UTC().Format(time.RFC3339)}}
}

func (s *Sink) create(ctx context.Context, item sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	old, _ := parseState(prev.State) // what cannot be read tells of nothing
	d, err := s.plan(ctx, item, old)
	if err != nil {
		return sinks.Written{}, err
	}
	return s.write(ctx, d)
}

// write appends a planned message and makes its copies.
func (s *Sink) write(ctx context.Context, d *delivery) (sinks.Written, error) {
	p, err := s.prepareNoted(ctx, d)
	if err != nil {
		return sinks.Written{}, err
	}
	defer p.hold()()
	what := p.traits(d.date)
	at, err := s.deliver(ctx, d, p)
	if err == nil && at.uid == 0 { // no UIDPLUS
		at, err = s.newest(ctx, d.box, what)
	}
	if err != nil {
		return sinks.Written{}, err
	}
	st := what.state()
	st.Flags, st.Losses = d.flags, append(p.losses, d.dateLosses...)
	s.noteKept(ctx, at, p, &st)
	_, losses, err := s.syncCopies(ctx, d.item, at, &st)
	return s.written(d.item, at, st, append(d.losses, losses...), err)
}

// prepareNoted reads the message, and notes that it is about to be appended.
func (s *Sink) prepareNoted(ctx context.Context, d *delivery) (*prepared, error) {
	s.gatherer.coming.Add(1)
	defer s.gatherer.coming.Add(-1)
	p, err := s.prepare(ctx, d.item.Content.Body, false)
	if err != nil {
		return nil, err
	}
	next := p.traits(d.date).state()
	if p.digest != nil { // that of the body is another one
		next.Digest = digestText(p.digest)
	}
	if err := s.note(ctx, d, next); err != nil {
		p.Release()
		return nil, err
	}
	return p, nil
}

// traits returns by what the message is found, without its digest.
func (p *prepared) traits(date time.Time) traits {
	return traits{messageID: p.messageID, size: p.Size(), date: date}
}

// written makes the outcome of a Put that ended with err. With an error nobody keeps the receipt, and what was made for the message is
// left to the next one.
func (s *Sink) written(item sinks.Item[sinks.Message], at place, st state, losses []sinks.Loss, err error) (sinks.Written, error) {
	if err == nil {
		st.Made = append(st.Made, s.boxes.claim(append(st.copies(), at))...)
	}
	r := sinks.Receipt{Location: at.String(), BodyVersion: item.Content.Body.Version, State: st.String()}
	return sinks.Written{Receipt: r, Losses: append(losses, st.Losses...), Digest: st.Digest}, err
}

// deliver appends the prepared message. A place without UID says that the server does not tell it.
func (s *Sink) deliver(ctx context.Context, d *delivery, p *prepared) (place, error) {
	if s.limit > 0 && p.Size() > s.limit {
		return place{}, fault.New(fault.FailItem, fault.TargetTooBig, "the message has %d bytes, the server takes %d", p.Size(), s.limit)
	}
	m := wire.Message{Flags: d.flags, Date: d.date, Size: p.Size(), Open: func() (io.ReadCloser, error) { return p.Open() }}
	for attempt := 0; ; attempt++ {
		answer, err := s.gatherer.append(ctx, s.wireName(d.box), m, d.item.Again, p.hold())
		if err == nil {
			return place{d.box, answer.UIDValidity, answer.UID}, nil
		}
		if attempt > 0 || !vanished(err) {
			return place{}, s.classify("APPEND", err)
		}
		s.boxes.forget(d.box)
		if _, _, err := s.boxes.ensure(ctx, d.item.Content.Mailbox); err != nil {
			return place{}, err
		}
	}
}

// wireName returns the name as APPEND sends it.
func (s *Sink) wireName(box string) string {
	if s.utf8Names {
		return box
	}
	return utf7(box)
}

// vanished reports whether an APPEND failed because the mailbox is not there any more.
func vanished(err error) bool {
	var status *wire.StatusError
	return errors.As(err, &status) && (status.Code == "TRYCREATE" || status.Code == "NONEXISTENT")
}

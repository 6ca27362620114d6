package imap

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

var _ sinks.Recoverer = (*Sink)(nil)

// intent is what is noted of a message before it is appended, or before a change of it that moves or replaces it.
type intent struct {
	// Traits are the message's as it will be, and Flags those that it is to have.
	state
	// Body is the Body.Version that will be its.
	Body string `json:"body,omitempty"`
	// To are places, each the first in its mailbox at which the message may come to lie, and Copied those of its copies.
	To     []string `json:"to,omitempty"`
	Copied []string `json:"copied,omitempty"`
}

// mostTo bounds how many attempts that were broken off are remembered: the latest.
const mostTo = 8

// note makes durable what is about to be done to the message, which will have the traits.
func (s *Sink) note(ctx context.Context, d *delivery, traits state) error {
	if d.item.Note == nil {
		return nil
	}
	next := &intent{state: traits, Body: d.item.Content.Body.Version}
	next.Flags = d.flags
	st := d.old
	if st.Next != nil {
		next.To = st.Next.To
	}
	next.To = withLatest(next.To, s.boxes.markOf(d.box).String())
	copies, _, err := s.copyBoxes(ctx, d.item.Content.Copies, d.box)
	if err != nil {
		return err
	}
	for _, box := range copies {
		next.Copied = append(next.Copied, s.boxes.markOf(box).String())
	}
	st.Next = next
	st.Made = s.boxes.madeFor(st.Made, append(copies, d.box))
	return d.item.Note(ctx, st.String())
}

func withLatest(to []string, mark string) []string {
	if slices.Contains(to, mark) {
		return to
	}
	to = append(slices.Clone(to), mark)
	return to[max(0, len(to)-mostTo):]
}

// markOf returns the place from which on no message of a mailbox can have been there before; without a mark one that parsePlace refuses.
func (b *mailboxes) markOf(name string) place {
	b.mu.Lock()
	defer b.mu.Unlock()
	if box := b.known[name]; box != nil && box.mark != nil {
		return *box.mark
	}
	return place{mailbox: name}
}

// Recover implements sinks.Recoverer. It looks where the noted message was to go, at what came there since.
func (s *Sink) Recover(ctx context.Context, _ string, p sinks.Proof) ([]sinks.Receipt, error) {
	st, err := parseState(p.Receipt.State)
	if err != nil || st.Next == nil {
		return nil, err
	}
	what := st.Next.traits()
	switch {
	case st.Next.Digest != "":
		what.digest = digestBytes(st.Next.Digest)
	case p.Receipt.IsZero():
		what.digest = digestBytes(p.Digest)
	}
	found, err := s.arrived(ctx, st.Next.To, what)
	if err != nil {
		return nil, err
	}
	at := st.Next.state
	at.Made, at.Losses = st.Made, st.Losses
	if len(found) == 1 { // of several, nobody can tell whose the copies are
		if at.Copies, err = s.arrivedCopies(ctx, st.Next.Copied, what); err != nil {
			return nil, err
		}
	}
	if !p.Receipt.IsZero() {
		still, err := s.candidateAt(ctx, p.Receipt.Location)
		if err != nil {
			return nil, err
		}
		found = append(found, still...)
	}
	receipts := make([]sinks.Receipt, len(found))
	for i, c := range found {
		if at.Flags = st.Next.Flags; !p.Receipt.IsZero() && between(c.flags, st.Flags, st.Next.Flags) {
			at.Flags = c.flags // of the changes some were made
		}
		receipts[i] = sinks.Receipt{Location: c.place.String(), BodyVersion: st.Next.Body, State: at.String()}
	}
	return receipts, nil
}

// arrived returns the messages with the traits that lie at one of the places or came to its mailbox later.
func (s *Sink) arrived(ctx context.Context, to []string, what traits) (all []candidate, err error) {
	for _, text := range to {
		from, err := parsePlace(text)
		if err != nil {
			continue // there was no mark, so that nothing is certain
		}
		found, err := s.lookup(ctx, from.mailbox, what)
		if err != nil && !gone(err) {
			return nil, err
		}
		for _, c := range found {
			known := slices.ContainsFunc(all, func(a candidate) bool { return a.place == c.place })
			if c.validity == from.validity && c.uid >= from.uid && !known {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// arrivedCopies returns the places of the copies, each of which is the only one of its mailbox.
func (s *Sink) arrivedCopies(ctx context.Context, to []string, what traits) (places []string, err error) {
	for _, mark := range to {
		found, err := s.arrived(ctx, []string{mark}, what)
		if err != nil {
			return nil, err
		}
		if len(found) == 1 {
			places = append(places, found[0].String())
		}
	}
	return places, nil
}

// candidateAt returns the message at a place; none if it is not there.
func (s *Sink) candidateAt(ctx context.Context, location string) (found []candidate, err error) {
	at, err := parsePlace(location)
	if err != nil {
		return nil, err
	}
	err = s.sessions.look(ctx, at.mailbox, func(x *session) error {
		found = nil
		flags, ok, err := x.flagsOf(at)
		if ok {
			found = []candidate{{at, flags}}
		}
		return err
	})
	if gone(err) {
		return nil, nil
	}
	return found, err
}

// between reports whether flags are on the way from the old ones to the new.
func between(now, old, want []string) bool {
	now = without(now, []string{`\Recent`, `\Deleted`})
	return len(without(without(now, old), want)) == 0 && len(without(intersect(old, want), now)) == 0
}

// digestBytes reads a digest as a ledger has it; nil if it is none.
func digestBytes(digest string) []byte {
	sum, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil || len(sum) == 0 {
		return nil
	}
	return sum
}

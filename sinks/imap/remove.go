package imap

import (
	"context"
	"errors"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

// Remove expunges the message at prev and its copies, each if its flags are those that were written. What lies in a
// mailbox that was numbered anew cannot be told from the user's own and stays.
func (s *Sink) Remove(ctx context.Context, prev sinks.Receipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	at, err := parsePlace(prev.Location)
	if err != nil {
		return err
	}
	st, err := parseState(prev.State)
	if err != nil {
		return err
	}
	for _, p := range append([]place{at}, st.copies()...) {
		err = errors.Join(err, s.removeOne(ctx, p, st.Flags))
	}
	return err
}

func (s *Sink) removeOne(ctx context.Context, p place, written []string) error {
	err := s.sessions.do(ctx, p.mailbox, func(x *session) error {
		if x.selected.UIDValidity != p.validity {
			return conflict("the mailbox was numbered anew: the message cannot be told from others")
		}
		now, ok, err := x.flagsOf(p)
		if err != nil || !ok {
			return err
		}
		// \Deleted is what an interrupted Remove leaves, or the user who wants the same.
		if !sameFlags(without(now, []string{`\Deleted`}), written) {
			return conflict("the user changed the flags of the message")
		}
		return x.expunge(p.uid)
	})
	if gone(err) {
		return nil
	}
	return err
}

// without returns the flags that are not in the other list.
func without(flags, other []string) []string {
	return slices.DeleteFunc(slices.Clone(flags), func(f string) bool {
		return slices.ContainsFunc(other, func(o string) bool { return strings.EqualFold(o, f) })
	})
}

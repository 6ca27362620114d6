package imap

import (
	"context"
	"maps"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

// LossReset is the loss of a message whose user had changed flags or mailbox; they are as at the source again.
const LossReset = "mail.conflict_reset"

// base returns the flags from which the source's changes are counted: with Overrule those that the message has now, so that it gets just the
// wanted ones. What the user did is noted.
func (s *Sink) base(d *delivery, st state, now []string) []string {
	if !s.opts.Overrule {
		return st.Flags
	}
	now = without(now, []string{`\Recent`})
	set := without(without(now, st.Flags), d.flags)
	unset := without(intersect(st.Flags, d.flags), now)
	var did []string
	if len(set) > 0 {
		did = append(did, "set "+strings.Join(set, " "))
	}
	if len(unset) > 0 {
		did = append(did, "taken away "+strings.Join(unset, " "))
	}
	if len(did) > 0 {
		d.reset(strings.Join(did, " and "))
	}
	return now
}

// reset notes what the user of the target had done to the message, once.
func (d *delivery) reset(did string) {
	loss := sinks.Loss{Reason: LossReset, Detail: "the user of the target had " + did}
	if !slices.Contains(d.losses, loss) {
		d.losses = append(d.losses, loss)
	}
}

// Seek implements sinks.Seeker: it looks for the message in all mailboxes, to which its user may have moved it. One without a Message-ID
// cannot be told from others, and is not found.
func (s *Sink) Seek(ctx context.Context, _ sinks.Item[sinks.Message], prev sinks.Receipt) ([]sinks.Receipt, sinks.Loss, error) {
	loss := sinks.Loss{Reason: LossReset, Detail: "the user of the target had moved or deleted it"}
	st, err := parseState(prev.State)
	if err != nil || st.MessageID == "" {
		return nil, loss, err
	}
	var receipts []sinks.Receipt
	for _, box := range s.boxes.all() {
		found, err := s.lookup(ctx, box, st.traits())
		if err != nil && !gone(err) {
			return nil, loss, err
		}
		for _, c := range found {
			if !slices.Contains(st.Copies, c.place.String()) {
				receipts = append(receipts, sinks.Receipt{Location: c.place.String(), BodyVersion: prev.BodyVersion, State: prev.State})
			}
		}
	}
	return receipts, loss, nil
}

// all returns the mailboxes of the account that are known, in order.
func (b *mailboxes) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.known))
}

package imap

import (
	"cmp"
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

const (
	// pageMessages is how many messages are asked for at once.
	pageMessages = 300
	// maxField is how many bytes of a header's field are asked for: with those of a page an answer stays far below maxAnswer.
	maxField = 1 << 10
	// stepTries is how often a step is tried that a passing fault stopped.
	stepTries = 3
)

// walk is how far the messages of a mailbox were read. Their UIDs ascend with their numbers (RFC 9051 §2.3.1.2), which are dense, but
// change when others expunge: so the walk goes by numbers and finds its place again by the UID.
type walk struct {
	mailbox  string
	begun    bool
	validity uint32
	last     imap.UID // of the messages that were there at first
	seq      uint32   // of the message that was read last; zero before the first
	uid      imap.UID // of that message
}

// walk sends the pages of a mailbox; false says that there is nobody to go on for.
func (s *Sink) walk(ctx context.Context, mailbox string, pages chan<- page) bool {
	w := &walk{mailbox: mailbox}
	for {
		objects, more, err := s.step(ctx, w)
		select {
		case pages <- page{objects, err}:
		case <-ctx.Done():
			return false
		}
		if err != nil || !more {
			return err == nil
		}
	}
}

// step reads the next page. A mailbox that is not there any more has none.
func (s *Sink) step(ctx context.Context, w *walk) (objects []sinks.Object, more bool, err error) {
	for range stepTries {
		err = s.sessions.examine(ctx, w.mailbox, func(x *session) (err error) {
			objects, more, err = w.next(x)
			return err
		})
		if gone(err) {
			return nil, false, nil
		}
		if err == nil || ctx.Err() != nil || fault.Of(err).Action != fault.Retry {
			break
		}
	}
	return objects, more, err
}

func (w *walk) next(x *session) (objects []sinks.Object, more bool, err error) {
	count, err := x.messages()
	if count == 0 || err != nil {
		return nil, false, err
	}
	if err := w.begin(x, count); err != nil {
		return nil, false, err
	}
	list, err := w.page(x, count)
	if err != nil {
		return nil, false, err
	}
	for _, m := range list {
		if m.UID <= w.uid {
			return nil, false, badAnswer("the UIDs of messages do not ascend")
		}
		if m.UID > w.last {
			return objects, false, nil
		}
		w.seq, w.uid = m.SeqNum, m.UID
		objects = append(objects, object(place{w.mailbox, w.validity, uint32(m.UID)}, m))
	}
	return objects, len(list) > 0 && w.uid < w.last, nil
}

// messages returns how many messages the selected mailbox has by now.
func (x *session) messages() (uint32, error) {
	if x.fresh {
		return x.selected.NumMessages, nil
	}
	box := x.Mailbox()
	if box == nil || box.Name != x.mailbox {
		return 0, badAnswer("no mailbox is selected")
	}
	return box.NumMessages, nil
}

// begin notes what is there at first, and later that the mailbox is still the same.
func (w *walk) begin(x *session, count uint32) (err error) {
	if w.begun {
		if x.selected.UIDValidity != w.validity {
			return fault.New(fault.Retry, fault.TargetConflict, "the mailbox was numbered anew while it was read")
		}
		return nil
	}
	w.validity = x.selected.UIDValidity
	w.last, err = x.uidAt(count)
	w.begun = err == nil
	return err
}

// page fetches the messages after the last one; none at the end.
func (w *walk) page(x *session, count uint32) ([]*imapclient.FetchMessageBuffer, error) {
	from := min(w.seq, count)
	if from > 0 {
		list, err := x.fetchPage(from, count)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 && list[0].SeqNum == from && list[0].UID == w.uid {
			return list[1:], nil
		}
		if from, err = x.upTo(w.uid, from); err != nil || from >= count {
			return nil, err
		}
	}
	list, err := x.fetchPage(from+1, count)
	if err == nil && len(list) == 0 {
		err = badAnswer("the server does not show the messages that it counts")
	}
	return list, err
}

// upTo returns how many of the first messages, at most most, have no greater UID.
func (x *session) upTo(uid imap.UID, most uint32) (uint32, error) {
	low, high := uint32(0), most
	for low < high {
		middle := high - (high-low)/2
		at, err := x.uidAt(middle)
		if err != nil {
			return 0, err
		}
		if at <= uid {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low, nil
}

func (x *session) uidAt(seq uint32) (imap.UID, error) {
	x.count(1)
	list, err := x.Fetch(imap.SeqSetNum(seq), &imap.FetchOptions{UID: true}).Collect()
	if err != nil {
		return 0, err
	}
	if len(list) != 1 || list[0].UID == 0 {
		return 0, badAnswer("the server does not tell the UID of a message")
	}
	return list[0].UID, nil
}

// fetchPage fetches what is told of the messages beginning with a number, in their order.
func (x *session) fetchPage(from, count uint32) ([]*imapclient.FetchMessageBuffer, error) {
	section := func(name string) *imap.FetchItemBodySection {
		return &imap.FetchItemBodySection{
			Peek: true, Specifier: imap.PartSpecifierHeader, HeaderFields: []string{name}, Partial: &imap.SectionPartial{Size: maxField},
		}
	}
	options := &imap.FetchOptions{
		UID: true, Flags: true, RFC822Size: true, InternalDate: true,
		BodySection: []*imap.FetchItemBodySection{section("Message-ID"), section("Subject")},
	}
	for range stepTries {
		x.conn.allow(maxAnswer)
		x.count(1)
		set := imap.SeqSet{{Start: from, Stop: from + min(count-from, pageMessages)}}
		list, err := x.Fetch(set, options).Collect()
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(list, incomplete) {
			slices.SortFunc(list, func(a, b *imapclient.FetchMessageBuffer) int { return cmp.Compare(a.SeqNum, b.SeqNum) })
			return list, nil
		}
	}
	return nil, badAnswer("the server does not tell what was asked of a message")
}

// incomplete: the client library takes it for the answer when the server tells, of itself, that another client changed flags.
func incomplete(m *imapclient.FetchMessageBuffer) bool {
	return m.UID == 0 || m.InternalDate.IsZero() || len(m.BodySection) == 0
}

// badAnswer is worth another try: a mailbox that others change is not always told of consistently.
func badAnswer(what string) error {
	return fault.New(fault.Retry, fault.TargetBadAnswer, "%s", what)
}

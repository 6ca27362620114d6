package imap

import (
	"context"

	"github.com/emersion/go-imap/v2"
)

// setMark notes the UID that comes next in a mailbox, before this sink writes into it for the first time. By that a search can tell what
// was there before from what an interrupted write left (RFC 9051 §2.3.1.1). A sink that was opened anew knows nothing of the writes of an
// earlier one: what those left is then taken for what was there before.
func (b *mailboxes) setMark(ctx context.Context, name string) error {
	if b.marked(name) {
		return nil
	}
	b.marking.Lock()
	defer b.marking.Unlock()
	if b.marked(name) {
		return nil
	}
	mark := &place{mailbox: name}
	err := b.sink.sessions.look(ctx, "", func(x *session) error {
		x.count(1)
		status, err := x.Status(name, &imap.StatusOptions{UIDNext: true, UIDValidity: true}).Wait()
		if refused(err) {
			return nil // without a mark nothing is known, and the write tells better what is wrong
		}
		if err == nil {
			mark.validity, mark.uid = status.UIDValidity, uint32(status.UIDNext)
		}
		return err
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if box := b.known[name]; box != nil {
		box.mark = mark
	}
	return nil
}

func (b *mailboxes) marked(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	box := b.known[name]
	return box != nil && box.mark != nil
}

// since reports whether a message came after the mark of its mailbox, so that it cannot have been there before.
func (b *mailboxes) since(at place) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	box := b.known[at.mailbox]
	return box != nil && box.mark != nil && box.mark.uid != 0 && box.mark.validity == at.validity && at.uid >= box.mark.uid
}

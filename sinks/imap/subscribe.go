package imap

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// noteSubscriptions keeps which mailboxes have no subscription; told says that the server was asked about them (RFC 5258 §3.4).
func (b *mailboxes) noteSubscriptions(list []*imap.ListData, told bool) {
	for _, data := range list {
		if box := b.known[data.Mailbox]; box != nil && told {
			box.unsubscribed = !slices.Contains(data.Attrs, imap.MailboxAttrSubscribed)
		}
	}
}

// subscribeNew subscribes to a mailbox without a subscription that no message was ever in: an earlier run was broken off
// between its CREATE and its SUBSCRIBE, and the user's program would not show it. One that holds or held something is left
// as the user wants it.
func (b *mailboxes) subscribeNew(ctx context.Context, name string) error {
	if !b.unsubscribed(name) {
		return nil
	}
	b.making.Lock()
	defer b.making.Unlock()
	if !b.unsubscribed(name) {
		return nil
	}
	err := b.sink.sessions.do(ctx, "", func(x *session) error {
		x.count(1)
		data, err := x.Status(name, &imap.StatusOptions{UIDNext: true}).Wait()
		if err != nil || data.UIDNext != 1 {
			return lasting(err)
		}
		x.count(1)
		return lasting(x.Subscribe(name).Wait())
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if box := b.known[name]; box != nil {
		box.unsubscribed = false
	}
	return nil
}

func (b *mailboxes) unsubscribed(name string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	box := b.known[name]
	return box != nil && box.unsubscribed
}

// passing reports whether a refusal says nothing of what was asked: a moment later the server may do it.
func passing(err error) bool {
	s := statusOf(err)
	return s != nil && (s.Code == "UNAVAILABLE" || s.Code == "INUSE" || s.Code == "SERVERBUG")
}

// lasting makes nothing of a refusal that would be the same next time.
func lasting(err error) error {
	if refused(err) && !passing(err) {
		return nil
	}
	return err
}

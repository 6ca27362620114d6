package imap_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/sinks"
)

// A mailbox that a run made without coming to its subscription is subscribed to by the next one; what a user keeps without
// a subscription, or once used, stays so.
func TestSubscriptionIsCompleted(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		into := func(box string) sinks.Item[sinks.Message] {
			it := item(box, "Message-ID: <"+box+"@example.org>\r\n", []byte(box))
			it.Content.Mailbox = sinks.Mailbox{Path: []string{box}}
			return it
		}
		a.put(into("Used"), sinks.Receipt{})
		at := slices.IndexFunc(a.mailboxes(), func(name string) bool { return strings.HasSuffix(name, "Used") })
		used := a.mailboxes()[at]
		fresh := strings.TrimSuffix(used, "Used") + "New"
		c := a.client()
		if err := errors.Join(c.Unsubscribe(used).Wait(), c.Create(fresh, nil).Wait()); err != nil {
			t.Fatal(err)
		}
		next := target{address: a.address}.openAs(t, a.user, a.password, nil)
		for _, box := range []string{"New", "Used"} {
			it := into(box)
			it.ID += " again"
			next.put(it, sinks.Receipt{})
		}
		if got := next.subscribed(); !slices.Contains(got, fresh) || slices.Contains(got, used) {
			t.Errorf("subscribed to %q", got)
		}
	})
}

func (a *account) subscribed() (names []string) {
	a.tb.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	list, err := c.List("", "*", &goimap.ListOptions{ReturnSubscribed: true}).Collect()
	if err != nil {
		a.tb.Fatal(err)
	}
	for _, data := range list {
		if slices.Contains(data.Attrs, goimap.MailboxAttrSubscribed) {
			names = append(names, data.Mailbox)
		}
	}
	return names
}

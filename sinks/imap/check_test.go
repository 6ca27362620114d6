package imap_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks/imap"
)

func (a *account) check(ctx context.Context) ([]preflight.Finding, error) {
	l := new(preflight.Log)
	err := imap.Check(ctx, imap.Options{URL: "imap://" + a.address, Insecure: true, User: a.user, Password: a.password}, l)
	return l.Findings(), err
}

// A check leaves nothing, also where an earlier one was cut off, and says the same each time.
func TestCheckLeavesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		before := a.mailboxes()
		first, err := a.check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		name := "repatriate-check"
		if i := slices.IndexFunc(before, func(n string) bool { return strings.HasPrefix(n, "INBOX.") }); i >= 0 {
			name = "INBOX." + name
		}
		if err := a.client().Create(name, nil).Wait(); err != nil {
			t.Logf("what an earlier check left cannot be made as %s: %v", name, err)
		}
		again, err := a.check(t.Context())
		if err != nil || !slices.Equal(again, first) {
			t.Errorf("the second check: %v, %v; the first %v", again, err, first)
		}
		if after := a.mailboxes(); !slices.Equal(after, before) {
			t.Errorf("mailboxes %q, before the checks %q", after, before)
		}
	})
}

func TestCheckOfAFullAccount(t *testing.T) {
	a := dovecot(t, realserver.DovecotOptions{Quota: "1M"}).open(t, nil)
	found, err := a.check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 || found[0].Level != preflight.Error || found[0].Reason != fault.TargetQuota {
		t.Errorf("an account of 1 MB: %+v", found)
	}
}

// Whatever command ends the check, the mailbox goes.
func TestCheckThatIsInterrupted(t *testing.T) {
	for _, at := range []string{"CREATE", "APPEND", "SELECT"} {
		m, err := embedded.StartMail([]embedded.User{{Name: "u1", Password: "secret"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		ctx, cancel := context.WithCancel(t.Context())
		m.SetFault(func(command string) error {
			if command == at {
				cancel()
			}
			return nil
		})
		l := new(preflight.Log)
		err = imap.Check(ctx, imap.Options{URL: m.URL, Insecure: true, User: "u1", Password: "secret"}, l)
		m.SetFault(nil)
		if err == nil {
			t.Errorf("%s: no error", at)
		}
		// The server may still be at the command whose connection was cut; the next check takes away what that leaves.
		if err := imap.Check(t.Context(), imap.Options{URL: m.URL, Insecure: true, User: "u1", Password: "secret"}, l); err != nil {
			t.Errorf("%s: the next check: %v", at, err)
		}
		boxes, err := m.Mailboxes("u1")
		if err != nil || len(boxes) != 1 {
			t.Errorf("%s: %s, %v", at, fmt.Sprint(boxes), err)
		}
	}
}

// Limits are numbers: the room of the account, and how large a message may be.
func TestLimits(t *testing.T) {
	const mebi = 1 << 20
	a := dovecot(t, realserver.DovecotOptions{Quota: "50M"}).open(t, nil)
	before := a.mailboxes()
	got, err := imap.Limits(t.Context(), imap.Options{URL: "imap://" + a.address, Insecure: true, User: a.user, Password: a.password})
	if err != nil || got.Room <= 49*mebi || got.Room > 50*mebi {
		t.Errorf("of 50 MB: %+v, %v", got, err)
	}
	if after := a.mailboxes(); !slices.Equal(after, before) {
		t.Errorf("asking made mailboxes: %q, before %q", after, before)
	}
	open := dovecot(t, realserver.DovecotOptions{}).open(t, nil)
	if got, err := imap.Limits(t.Context(), imap.Options{URL: "imap://" + open.address, Insecure: true, User: open.user, Password: open.password}); err != nil || got.Room != -1 {
		t.Errorf("without a quota: %+v, %v", got, err)
	}
	if got, err := imap.Limits(t.Context(), imap.Options{URL: "imap://" + open.address, Insecure: true, User: open.user, Password: "wrong"}); fault.Of(err).Reason != fault.TargetAuth || got != preflight.NoLimits {
		t.Errorf("with a wrong password: %+v, %v", got, err)
	}
}

package imap_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// everywhere runs a test against each kind of server.
func everywhere(t *testing.T, run func(t *testing.T, a *account)) {
	for name, start := range map[string]func() target{
		"embedded":  func() target { return embeddedTarget(t) },
		"dovecot":   func() target { return dovecot(t, realserver.DovecotOptions{}) },
		"dovecot++": func() target { return dovecot(t, realserver.DovecotOptions{Layout: "++"}) },
		"cyrus":     func() target { return cyrus(t) },
	} {
		t.Run(name, func(t *testing.T) { run(t, start().open(t, nil)) })
	}
}

func (a *account) put(it sinks.Item[sinks.Message], prev sinks.Receipt) sinks.Written {
	a.tb.Helper()
	w, err := a.Put(a.tb.Context(), it, prev)
	if err != nil {
		a.tb.Fatal(err)
	}
	return w
}

// store changes flags as the user would.
func (a *account) store(box string, op goimap.StoreFlagsOp, flags ...goimap.Flag) {
	a.tb.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	if _, err := c.Select(box, nil).Wait(); err != nil {
		a.tb.Fatal(err)
	}
	if err := c.Store(goimap.SeqSet{{Start: 1, Stop: 0}}, &goimap.StoreFlags{Op: op, Flags: flags}, nil).Close(); err != nil {
		a.tb.Fatal(err)
	}
}

// move moves all messages of a mailbox.
func (a *account) move(from, to string) {
	a.tb.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	if _, err := c.Select(from, nil).Wait(); err != nil {
		a.tb.Fatal(err)
	}
	if _, err := c.Move(goimap.SeqSet{{Start: 1, Stop: 0}}, to).Wait(); err != nil {
		a.tb.Fatal(err)
	}
}

func (a *account) expunge(box string) {
	a.tb.Helper()
	a.store(box, goimap.StoreFlagsAdd, goimap.FlagDeleted)
	c := a.client()
	defer func() { _ = c.Close() }()
	if _, err := c.Select(box, nil).Wait(); err != nil {
		a.tb.Fatal(err)
	}
	if err := c.Expunge().Close(); err != nil {
		a.tb.Fatal(err)
	}
}

func show(messages []message) string {
	var lines []string
	for _, m := range messages {
		lines = append(lines, fmt.Sprintf("%s %s", m.mailbox, strings.ToLower(strings.Join(m.flags, " "))))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (a *account) holds(want ...string) {
	a.tb.Helper()
	if got := show(a.messages()); got != strings.Join(want, "\n") {
		a.tb.Fatalf("the account holds\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// wantReason checks what an error means.
func wantReason(t *testing.T, err error, action fault.Action, reason fault.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", reason)
	}
	if f := fault.Of(err); f.Reason != reason || f.Action != action {
		t.Fatalf("%v is %s, %s; want %s, %s", err, f.Reason, f.Action, reason, action)
	}
}

func TestFlagsOfALaterPass(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		it.Content.Flags = []string{`\Seen`, "$project"}
		w := a.put(it, sinks.Receipt{})
		a.holds(`INBOX $project \seen`)
		// The user reads it as unread, and flags it; the source then answers it, and drops the keyword.
		a.store("INBOX", goimap.StoreFlagsDel, goimap.FlagSeen)
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagFlagged)
		it.Content.Flags = []string{`\Seen`, `\Answered`}
		w = a.put(it, w.Receipt)
		if w.Unchanged {
			t.Error("a change of flags is said to be none")
		}
		a.holds(`INBOX \answered \flagged`)
		if w = a.put(it, w.Receipt); !w.Unchanged {
			t.Error("nothing was changed, but Put does not say so")
		}
		wantReason(t, a.Remove(t.Context(), w.Receipt), fault.FailItem, fault.TargetConflict)
		a.holds(`INBOX \answered \flagged`)
	})
}

func TestMoveKeepsWhatTheUserDid(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		w := a.put(it, sinks.Receipt{})
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagFlagged)
		it.Content.Mailbox = sinks.Mailbox{Path: []string{"Projects", "Größe & Maß"}}
		w = a.put(it, w.Receipt)
		box := a.messages()[0].mailbox
		if !strings.HasSuffix(box, "Größe & Maß") || len(w.Losses) != 0 {
			t.Errorf("moved to %q with %v", box, w.Losses)
		}
		a.holds(box + ` \flagged \seen`)
	})
}

func TestCopies(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		b, c := sinks.Mailbox{Path: []string{"B"}}, sinks.Mailbox{Path: []string{"C"}}
		it.Content.Copies = []sinks.Mailbox{b, c, b}
		w := a.put(it, sinks.Receipt{})
		a.holds(`B \seen`, `C \seen`, `INBOX \seen`)
		// As after a cut between the APPEND and the last COPY: the receipt that Find gives knows no copies.
		it.Again = true
		found, err := a.Find(t.Context(), it)
		if err != nil || len(found) != 1 {
			t.Fatalf("Find: %v, %v", found, err)
		}
		a.expunge("C")
		w = a.put(it, found[0])
		a.holds(`B \seen`, `C \seen`, `INBOX \seen`)
		it.Again = false
		it.Content.Copies = []sinks.Mailbox{c}
		it.Content.Flags = []string{`\Seen`, `\Flagged`}
		w = a.put(it, w.Receipt)
		a.holds(`C \flagged \seen`, `INBOX \flagged \seen`)
		if err := a.Remove(t.Context(), w.Receipt); err != nil {
			t.Fatal(err)
		}
		a.holds()
	})
}

// TestMoveOntoACopyThatWasBrokenOff: a message whose place goes to the mailbox of its copy was moved there, and nothing is on record of it.
func TestMoveOntoACopyThatWasBrokenOff(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		it.Content.Copies = []sinks.Mailbox{{Path: []string{"B"}}}
		w := a.put(it, sinks.Receipt{})
		a.move("INBOX", "B")
		it.Content.Mailbox, it.Content.Copies, it.Again = it.Content.Copies[0], nil, true
		a.put(it, w.Receipt)
		a.holds(`B \seen`)
	})
}

func TestTheUsersDeletionStays(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		w := a.put(it, sinks.Receipt{})
		a.expunge("INBOX")
		it.Content.Flags = nil
		for _, again := range []bool{false, true} {
			it.Again = again
			_, err := a.Put(t.Context(), it, w.Receipt)
			wantReason(t, err, fault.FailItem, fault.TargetConflict)
		}
		a.holds()
	})
}

// Between the mark and the expunge a Remove may have been interrupted.
func TestRemoveIsCompleted(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		w := a.put(numbered(1), sinks.Receipt{})
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagDeleted)
		if err := a.Remove(t.Context(), w.Receipt); err != nil {
			t.Fatal(err)
		}
		a.holds()
	})
}

// A new draft takes the place of the one before, also when the answer to that was lost.
func TestReplacement(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		it := numbered(1)
		first := a.put(it, sinks.Receipt{})
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagFlagged)
		it.Content.Body = sinktest.Bytes("v2", []byte("Subject: second\r\nMessage-ID: <m1@example.org>\r\n\r\nother words\r\n"))
		it.Again = true
		a.put(it, first.Receipt)
		a.holds(`INBOX \flagged \seen`)
		if m := a.messages()[0]; !strings.Contains(string(m.body), "other words") {
			t.Errorf("the account holds %q", m.body)
		}
		_, err := a.Put(t.Context(), it, first.Receipt) // the answer was lost; the receipt is still the old one
		if err != nil {
			t.Fatal(err)
		}
		a.holds(`INBOX \flagged \seen`)
		it.Again = false
		_, err = a.Put(t.Context(), it, first.Receipt)
		wantReason(t, err, fault.FailItem, fault.TargetConflict)
	})
}

func TestFindTellsMessagesApart(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		none := item("no id", "", []byte("one\r\n"))
		other := item("no id", "", []byte("two\r\n")) // same size, date and header
		late := numbered(1)
		late.Content.InternalDate = late.Content.InternalDate.Add(1e9)
		for _, it := range []sinks.Item[sinks.Message]{none, other, numbered(1), late, numbered(2)} {
			a.put(it, sinks.Receipt{})
		}
		for _, it := range []sinks.Item[sinks.Message]{none, other, numbered(1), late} {
			found, err := a.Find(t.Context(), it)
			if err != nil || len(found) != 1 {
				t.Fatalf("%s: %d found, %v", it.ID, len(found), err)
			}
			want := sinktest.BodyDigest(t, it.Content.Body)
			for _, m := range a.messages() {
				if strings.HasSuffix(found[0].Location, fmt.Sprintf(";UID=%d", m.uid)) && sinktest.Digest(m.body) != want {
					t.Errorf("Find returned another message")
				}
			}
		}
		a.put(none, sinks.Receipt{})
		if found, err := a.Find(t.Context(), none); err != nil || len(found) != 2 {
			t.Errorf("%d of two equal messages found, %v", len(found), err)
		}
	})
}

func TestMailboxNames(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		paths := [][]string{
			{"Plain"}, {"example.org"}, {"a/b"}, {"a∕b"}, {"100%"}, {"*"}, {"~root"}, {"#news"}, {`back\slash`}, {`"quoted"`},
			{"R&D"}, {"&AOk-"}, {"日本語"}, {"👍"}, {" padded "}, {"padded"}, {"tab\there"}, {"new"}, {"cur"}, {"tmp"}, {"."}, {".."},
			{"e\u0301"}, {"\u00e9"}, {"Inbox"}, {"inbox", "sub"}, {"parent", "child", "grandchild"}, {strings.Repeat("long", 100)},
			{strings.Repeat("ü", 120)}, strings.Split(strings.Repeat("deep/", 20)+"x", "/"), {"a", "", "b"}, {"!bang"}, {"(paren)"}, {"{5}"}, {"a^b"},
		}
		names := map[string]string{}
		for i, path := range paths {
			it := numbered(i)
			it.Content.Mailbox = sinks.Mailbox{Path: path}
			w, err := a.Put(t.Context(), it, sinks.Receipt{})
			if err != nil {
				t.Errorf("%q: %v", path, err)
				continue
			}
			box, _, _ := strings.Cut(w.Receipt.Location, ";")
			if other, taken := names[box]; taken {
				t.Errorf("%q and %q are both %s", path, other, box)
			}
			names[box] = strings.Join(path, "/")
		}
		// Another process gives the same names.
		b := target{address: a.address}.openAs(t, a.user, a.password, nil)
		before := len(a.mailboxes())
		for i, path := range paths {
			it := numbered(1000 + i)
			it.Content.Mailbox = sinks.Mailbox{Path: path}
			w := b.put(it, sinks.Receipt{})
			if box, _, _ := strings.Cut(w.Receipt.Location, ";"); names[box] != strings.Join(path, "/") {
				t.Errorf("%q is now %s", path, box)
			}
		}
		if after := len(a.mailboxes()); after != before {
			t.Errorf("%d mailboxes became %d", before, after)
		}
	})
}

// A label of the user's own that has the name of a special mailbox by chance is not mixed with it, whichever comes first.
func TestSpecialUse(t *testing.T) {
	everywhere(t, func(t *testing.T, a *account) {
		for i, use := range []string{`\Sent`, "", `\Sent`} {
			it := numbered(i)
			it.Content.Mailbox = sinks.Mailbox{Path: []string{"Sent"}, Use: use}
			w := a.put(it, sinks.Receipt{})
			if renamed := len(w.Losses) == 1 && w.Losses[0].Reason == "mail.mailbox_renamed"; renamed != (use == "") {
				t.Errorf("use %q: losses %v", use, w.Losses)
			}
		}
		b := target{address: a.address}.openAs(t, a.user, a.password, nil)
		for i, use := range []string{"", `\Archive`} {
			it := numbered(i)
			it.Content.Mailbox = sinks.Mailbox{Path: []string{"Archive"}, Use: use}
			b.put(it, sinks.Receipt{})
		}
		boxes := map[string]int{}
		for _, m := range a.messages() {
			boxes[m.mailbox]++
		}
		if len(boxes) != 4 {
			t.Errorf("the messages lie in %v", boxes)
		}
	})
}

func TestQuota(t *testing.T) {
	a := dovecot(t, realserver.DovecotOptions{QuotaMessages: 40}).open(t, nil)
	put := func(from, to int) (refused int) {
		errs := make(chan error)
		for i := from; i < to; i++ {
			go func() {
				_, err := a.Put(t.Context(), numbered(i), sinks.Receipt{})
				errs <- err
			}()
		}
		for range to - from {
			if err := <-errs; err != nil {
				wantReason(t, err, fault.FailTask, fault.TargetQuota)
				refused++
			}
		}
		return refused
	}
	// Within one MULTIAPPEND Dovecot counts late: what goes beyond the quota is sent when it is full.
	if n := put(0, 40); n != 0 {
		t.Errorf("%d messages were refused below the quota", n)
	}
	if n := put(40, 60); n != 20 || len(a.messages()) != 40 {
		t.Errorf("%d messages are there and %d of 20 were refused", len(a.messages()), n)
	}
}

// putAsEngine puts again what a passing fault stopped, after a search for what may have been stored all the same.
func (a *account) putAsEngine(ctx context.Context, it sinks.Item[sinks.Message]) error {
	var prev sinks.Receipt
	for tries := 0; ; tries++ {
		_, err := a.Put(ctx, it, prev)
		if err == nil || tries == 8 || fault.Of(err).Action != fault.Retry {
			return err
		}
		found, findErr := a.Find(ctx, it)
		if findErr == nil && len(found) > 0 {
			prev = found[0]
		}
	}
}

// One message that the server refuses must not take those down that are sent with it.
func TestTheGuiltyAloneFails(t *testing.T) {
	a := cyrus(t).open(t, nil)
	errs := make([]chan error, 40)
	for i := range errs {
		errs[i] = make(chan error, 1)
		it := numbered(i)
		if i%10 == 7 {
			it.Content.Body = sinktest.Bytes("bad", []byte("this is no header at all\r\n\r\nbody\r\n"))
		}
		go func() {
			errs[i] <- a.putAsEngine(t.Context(), it)
		}()
	}
	for i := range errs {
		err := <-errs[i]
		if i%10 == 7 {
			wantReason(t, err, fault.FailItem, fault.TargetInvalid)
		} else if err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if n := len(a.messages()); n != 36 {
		t.Errorf("%d messages are there", n)
	}
}

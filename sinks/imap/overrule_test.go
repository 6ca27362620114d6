package imap_test

import (
	"testing"

	goimap "github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap"
)

// overruling runs a test against servers on which the source wins over the user.
func overruling(t *testing.T, run func(t *testing.T, a *account)) {
	for name, start := range map[string]func() target{
		"embedded": func() target { return embeddedTarget(t) },
		"dovecot":  func() target { return dovecot(t, realserver.DovecotOptions{}) },
		"cyrus":    func() target { return cyrus(t) },
	} {
		t.Run(name, func(t *testing.T) { run(t, start().open(t, func(o *imap.Options) { o.Overrule = true })) })
	}
}

func wantLoss(t *testing.T, w sinks.Written, details ...string) {
	t.Helper()
	var got []string
	for _, l := range w.Losses {
		if l.Reason == imap.LossReset {
			got = append(got, l.Detail)
		}
	}
	if len(got) != len(details) || len(got) > 0 && got[0] != details[0] {
		t.Errorf("losses %q, want %q", w.Losses, details)
	}
}

func TestTheSourcesFlagsWin(t *testing.T) {
	overruling(t, func(t *testing.T, a *account) {
		it := numbered(1)
		it.Content.Flags = []string{`\Seen`, "$project"}
		w := a.put(it, sinks.Receipt{})
		a.store("INBOX", goimap.StoreFlagsDel, goimap.FlagSeen)
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagFlagged)
		it.Content.Flags = []string{`\Seen`, `\Answered`}
		w = a.put(it, w.Receipt)
		a.holds(`INBOX \answered \seen`)
		wantLoss(t, w, `the user of the target had set \Flagged and taken away \Seen`)
		if w = a.put(it, w.Receipt); !w.Unchanged {
			t.Error("nothing was changed, but Put does not say so")
		}
		wantLoss(t, w)
		a.store("INBOX", goimap.StoreFlagsAdd, goimap.FlagFlagged)
		it.Content.Mailbox = sinks.Mailbox{Path: []string{"Projects"}}
		w = a.put(it, w.Receipt)
		a.holds(`Projects \answered \seen`)
		wantLoss(t, w, `the user of the target had set \Flagged`)
	})
}

// What the user moved is found wherever it lies; whether it is another item's is for the engine to know.
func TestSeek(t *testing.T) {
	overruling(t, func(t *testing.T, a *account) {
		it, other := numbered(1), numbered(2)
		other.Content.Mailbox = sinks.Mailbox{Path: []string{"Other"}}
		a.put(other, sinks.Receipt{}) // makes the mailbox
		w := a.put(it, sinks.Receipt{})
		c := a.client()
		defer func() { _ = c.Close() }()
		if _, err := c.Select("INBOX", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Move(goimap.SeqSet{{Start: 1, Stop: 1}}, "Other").Wait(); err != nil {
			t.Fatal(err)
		}
		it.Content.Flags = nil
		_, err := a.Put(t.Context(), it, w.Receipt)
		wantReason(t, err, fault.FailItem, fault.TargetConflict)
		found, loss, err := a.Seek(t.Context(), it, w.Receipt)
		if err != nil || len(found) != 1 || loss.Reason != imap.LossReset {
			t.Fatalf("Seek: %v, %v, %v", found, loss, err)
		}
		w = a.put(it, found[0])
		a.holds(`INBOX`+" ", `Other \seen`)
		if w = a.put(it, w.Receipt); !w.Unchanged {
			t.Error("nothing was changed, but Put does not say so")
		}
		a.expunge("INBOX")
		if found, _, err := a.Seek(t.Context(), it, w.Receipt); err != nil || len(found) != 0 {
			t.Errorf("of a message that is nowhere: %v, %v", found, err)
		}
	})
}

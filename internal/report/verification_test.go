package report_test

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/undo"
)

// TestVerificationTellsPlaces in words, without what each finding of its heading says, and the least important ones in few.
func TestVerificationTellsPlaces(t *testing.T) {
	v := report.NewVerification("pilot", 1)
	r := readback.Result{Counts: map[readback.Outcome]int64{readback.Changed: 9, readback.Differs: 1}}
	for i := range 9 {
		r.Findings = append(r.Findings, readback.Finding{Outcome: readback.Changed, Title: fmt.Sprintf("edited %d", i), Location: fmt.Sprintf("INBOX;UIDVALIDITY=7/;UID=%d", i),
			Detail: "it has another version on the target than when it was written"})
	}
	r.Findings = append(r.Findings, readback.Finding{Outcome: readback.Differs, Title: "secret", Location: "A%2FB;UIDVALIDITY=7/;UID=42", Detail: "the server does not hand it out"})
	v.Add(checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "mail", Collection: "mailbox"}, Name: "Mail"}, r, nil)
	var b strings.Builder
	if err := v.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"    at INBOX (UID 4)\n", "… and 4 more; --json has them.", "    at A/B (UID 42): the server does not hand it out\n", "Not proven: see above."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "UIDVALIDITY") || v.ExitCode() != 3 {
		t.Errorf("exit code %d:\n%s", v.ExitCode(), text)
	}
}

// TestUndoingTellsWhatStays in the order of the places.
func TestUndoingTellsWhatStays(t *testing.T) {
	var u report.Undoing
	u.Add(checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}, Name: "Drive"}, undo.Result{Removed: 3, Stayed: 2, Left: []undo.Left{
		{ID: "2", Title: "b.txt", Location: "x/b.txt", Reason: "target.conflict", Detail: "the file was changed"},
		{ID: "1", Title: "a.txt", Location: "x/a.txt", Reason: "target.conflict", Detail: "it lay there before"},
	}}, nil)
	var b strings.Builder
	if err := u.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	first, second := strings.Index(text, "at x/a.txt: it lay there before\n"), strings.Index(text, "at x/b.txt: the file was changed\n")
	if first < 0 || second < first || !strings.Contains(text, "Undone.") || u.ExitCode() != 0 {
		t.Error(text)
	}
}

// TestVerificationThatWasInterrupted tells what it found, and proves nothing.
func TestVerificationThatWasInterrupted(t *testing.T) {
	v := report.NewVerification("pilot", 0)
	v.Add(checkpoint.Status{Task: checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}, Name: "Drive"}, readback.Result{
		Counts:   map[readback.Outcome]int64{readback.Proven: 7, readback.Missing: 1},
		Findings: []readback.Finding{{Outcome: readback.Missing, Title: "plan.txt", Location: "x/plan.txt"}},
	}, nil)
	v.Interrupted, v.Proven = true, false
	var b strings.Builder
	if err := v.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "plan.txt") || !strings.Contains(text, "verify was interrupted") || v.ExitCode() != 130 {
		t.Errorf("exit code %d:\n%s", v.ExitCode(), text)
	}
}

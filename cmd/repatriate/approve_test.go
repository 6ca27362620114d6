package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

const anna = "anna.keller@example.org"

// heldBy are the accounts that a run left out.
func heldBy(r report.Report) (names []string) {
	for _, h := range r.Held {
		names = append(names, h.Account)
	}
	return names
}

// movedFrom are the accounts of which a report has tasks.
func movedFrom(r report.Report) (names []string) {
	for _, a := range r.Accounts {
		names = append(names, a.Account)
	}
	return names
}

// TestApproval follows a job from its first plan to the last account.
func TestApproval(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	dir := filepath.Dir(s.Job)
	edit(t, s.Job, "accounts: accounts.csv", "accounts: accounts.csv\napprove: B")

	first := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if len(first.Held) != 6 || first.State != report.Incomplete || len(first.Tasks) != 0 {
		t.Errorf("before a plan: %+v", first)
	}
	if _, err := os.Stat(filepath.Join(dir, "simulation.db")); !os.IsNotExist(err) {
		t.Errorf("a run that left out everybody made a state: %v", err)
	}
	read(t, ran(t, exitIncomplete, "run", s.Job), "Left out, since nobody approved it: 6 accounts", "not planned yet", "repatriate plan "+s.Job+" --account", "repatriate approve "+s.Job+" --account")
	ran(t, exitUsage, "approve", s.Job, "--account", anna)
	ran(t, exitOK, "run", "--dry-run", s.Job)

	if p := planOf(t, exitIncomplete, s.Job); p.Waiting != 1 {
		t.Errorf("%d wait for an approval", p.Waiting)
	}
	run := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if !slices.Equal(heldBy(run), []string{anna}) || run.Held[0].Grade != "D" || slices.Contains(movedFrom(run), anna) || len(run.Accounts) != 5 || run.Pass.Written == 0 {
		t.Errorf("%+v, moved %q", run.Held, movedFrom(run))
	}
	if r := reported(t, ran(t, exitIncomplete, "retry", "--json", s.Job)); !slices.Equal(heldBy(r), []string{anna}) {
		t.Errorf("retry: %+v", r.Held)
	}
	final := reported(t, ran(t, exitIncomplete, "run", "--final", "--despite-failures", "--json", s.Job))
	if final.Final == nil || final.Final.Closed != nil || !strings.Contains(final.Final.Why, "1 account nobody approved") {
		t.Errorf("a last run without her: %+v", final.Final)
	}

	p := ran(t, exitOK, "approve", s.Job, "--account", strings.ToUpper(anna), "--by", "head of IT", "--note", "sealed files\nare known")
	read(t, p, "D "+anna+" by head of IT: sealed files are known", "files:", "source.encrypted", "Recorded: 1 approval")
	approved := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job)) // a download fails
	if len(approved.Held) != 0 || !slices.Contains(movedFrom(approved), anna) || approved.Totals.Failed != 1 {
		t.Errorf("after the approval: %+v, moved %q", approved.Held, movedFrom(approved))
	}
	approvedInReport(t, s)

	// What a later plan finds besides is asked for again: files that the provider refused to give as malware. A download that may be allowed
	// tomorrow is none of it.
	later := planOf(t, exitIncomplete, s.Job)
	again := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if later.Waiting != 2 || len(again.Held) != 2 || again.Held[0].Account != anna || again.Held[0].Why != "source.malware" {
		t.Errorf("after a later plan: %d, %+v", later.Waiting, again.Held)
	}
	read(t, ran(t, exitOK, "approve", s.Job, "--all-grade", "d"), "Recorded: 1 approval")
	read(t, ran(t, exitOK, "approve", s.Job, "--all-grade", "C", "--by", "head of IT"), "Recorded: 1 approval")
	if r := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job)); len(r.Held) != 0 {
		t.Errorf("after all is approved: %+v", r.Held)
	}
	ran(t, exitUsage, "approve", s.Job, "--all-grade", "D")
}

func approvedInReport(t *testing.T, s *simulation.Simulation) {
	t.Helper()
	page := filepath.Join(t.TempDir(), "r.html")
	var got struct {
		Accounts []struct {
			Account  string
			Approved *struct{ By, Grade, Note string }
		}
	}
	if err := json.Unmarshal(ran(t, exitOK, "report", s.Job, "--json", "--output", page).stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, a := range got.Accounts {
		if (a.Approved != nil) != (a.Account == anna) || a.Approved != nil && (a.Approved.By != "head of IT" || a.Approved.Grade != "D") {
			t.Errorf("%s: %+v", a.Account, a.Approved)
		}
	}
	if !strings.Contains(mustRead(t, page), "approved by <bdi>head of IT on ") {
		t.Error("the page does not say who approved")
	}
}

// TestApprovalByKind: what was planned in part runs in part.
func TestApprovalByKind(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	edit(t, s.Job, "accounts: accounts.csv", "accounts: accounts.csv\napprove: C")
	planOf(t, exitOK, "--kind", "mail", "--account", "user0001@example.org", s.Job)
	r := reported(t, ran(t, exitIncomplete, "run", "--json", "--kind", "mail", s.Job))
	if !slices.Equal(heldBy(r), []string{"user0002@example.org"}) || len(r.Tasks) != 1 {
		t.Errorf("of mail: %+v, %d tasks", r.Held, len(r.Tasks))
	}
	r = reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if !slices.Equal(heldBy(r), []string{"user0001@example.org", "user0002@example.org"}) || r.Held[0].Why != "not planned yet: files, calendar, contacts, tasks" {
		t.Errorf("of everything: %+v", r.Held)
	}
	planOf(t, exitOK, s.Job)
	if r := reported(t, ran(t, exitOK, "run", "--json", s.Job)); len(r.Held) != 0 {
		t.Errorf("after a whole plan: %+v", r.Held)
	}
}

// TestApproveList shows what was approved and what waits, and names no secret.
func TestApproveList(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	read(t, ran(t, exitOK, "approve", s.Job, "--list"), "Nothing was approved yet", "every account runs without an approval")
	planOf(t, exitIncomplete, s.Job)
	read(t, ran(t, exitOK, "approve", s.Job, "--account", anna, "--by", "\x1b[31mhead of IT"), "nothing waited for it")
	edit(t, s.Job, "accounts: accounts.csv", "accounts: accounts.csv\napprove: A")
	var list struct {
		Approve   string
		Approvals []plan.Approval
		Waiting   []report.Held
	}
	p := ran(t, exitOK, "approve", s.Job, "--list", "--json")
	if err := json.Unmarshal(p.stdout.Bytes(), &list); err != nil || list.Approve != "A" || len(list.Approvals) != 1 || len(list.Waiting) != 3 {
		t.Errorf("%+v, %v", list, err)
	}
	text := ran(t, exitOK, "approve", s.Job, "--list")
	if read(t, text, "Left out by approve: A until somebody approves: 3 accounts", "B ben.osei@example.org: "); strings.Contains(text.stdout.String(), "\x1b") {
		t.Error("an escape sequence reached the terminal")
	}
	approvals := filepath.Join(filepath.Dir(s.Job), "google-workspace.approvals.jsonl")
	if info, err := os.Stat(approvals); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("others may read the approvals: %v, %v", info, err)
	}
	noSecrets(t, s, mustRead(t, approvals))
	for _, args := range [][]string{{}, {"--list", "--account", anna}, {"--json", "--account", anna}, {"--account", anna, "--all-grade", "D"}, {"--all-grade", "E"}, {"--all-grade", "A"},
		{"--account", "nobody@example.org"}} {
		ran(t, exitUsage, append([]string{"approve", s.Job}, args...)...)
	}
}

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// TestTheLastRun closes the ledger once nothing fails any more, names what changed since the run before, and keeps later runs away.
func TestTheLastRun(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	ran(t, exitIncomplete, "run", "--json", s.Job)
	r := reported(t, ran(t, exitIncomplete, "run", "--final", "--json", s.Job))
	if r.Final == nil || r.Final.Closed != nil || !strings.Contains(r.Final.Why, "1 item failed") || r.Final.Again != 1 || !r.Final.Changes[0].Again {
		t.Fatalf("with a failed item: %+v", r.Final)
	}
	const user = "anna.keller@example.org"
	if _, err := data.AddFile(user, sim.File{Name: "late.txt", Content: cloudsim.Bytes([]byte("late"))}); err != nil {
		t.Fatal(err)
	}
	r = reported(t, ran(t, exitIncomplete, "run", "--final", "--despite-failures", "--json", s.Job))
	if r.Final.Closed == nil || r.Final.Counts["new"] != 1 || r.Final.Counts["failed"] != 1 || len(r.Final.Changes) != 2 {
		t.Fatalf("closed in spite of it: %+v", r.Final)
	}
	for _, again := range [][]string{{"run", s.Job}, {"retry", s.Job}, {"run", "--final", s.Job}} {
		if text := ran(t, exitUsage, again...).stderr.String(); !strings.Contains(text, "--reopen") {
			t.Errorf("%q on a closed job: %s", again, text)
		}
	}
	if text := ran(t, exitIncomplete, "status", s.Job).stdout.String(); !strings.Contains(text, "closed by a final run") {
		t.Errorf("status: %s", text)
	}
	ran(t, exitOK, "run", "--dry-run", s.Job) // a run would take up what failed for a passing reason
	if err := liftDownloadQuota(data); err != nil {
		t.Fatal(err)
	}
	r = reported(t, ran(t, exitOK, "run", "--reopen", "--final", "--json", s.Job))
	if r.Final.Closed == nil || r.State != report.Complete || r.Final.Counts["failed"] != 0 || r.Final.Counts["new"] != 1 {
		t.Errorf("when nothing fails any more: %s, %+v", r.State, r.Final)
	}
}

func TestWhatIsNoLastRun(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	for _, args := range [][]string{{"--final", "--dry-run"}, {"--final", "--kind", "mail"}, {"--final", "--account", "user0001@example.org"}, {"--despite-failures"}} {
		ran(t, exitUsage, append([]string{"run", s.Job}, args...)...)
	}
}

// TestARunOfOneAccount does not fail for what stopped another one before.
func TestARunOfOneAccount(t *testing.T) {
	data := sim.Generate(organisation.Spec{Users: 3, Mail: 5, Files: 5, Events: 4, Seed: 1})
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	accounts := filepath.Join(filepath.Dir(s.Job), "accounts.csv")
	lines := strings.Split(strings.TrimSpace(mustRead(t, accounts)), "\n")
	broken := strings.Replace(lines[1], "file:", "file:missing-", 1)
	edit(t, accounts, lines[1], broken)
	ran(t, exitStopped, "run", s.Job)
	other, _, _ := strings.Cut(lines[2], ",")
	if r := reported(t, ran(t, exitOK, "run", "--json", "--account", other, s.Job)); len(r.Tasks) == 0 || r.Tasks[0].Account != other {
		t.Errorf("%+v", r.Tasks)
	}
	for _, args := range [][]string{{"--kind", ""}, {"--kind", "post"}} {
		ran(t, exitUsage, append([]string{"run", s.Job}, args...)...)
	}
}

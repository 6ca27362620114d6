package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// simulating starts the simulate command and waits for its line. stop ends it by an interrupt, with 0.
func simulating(t *testing.T, args ...string) (job string, stop func()) {
	t.Helper()
	out, in := io.Pipe()
	p := startedWith(t, func(p *program) { p.Stdout = in }, append([]string{"simulate"}, args...)...)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("simulate %q printed nothing: %s", args, p.stderr.String())
	}
	path, ok := strings.CutPrefix(lines.Text(), "ready ")
	if !ok {
		t.Fatalf("simulate printed %q", lines.Text())
	}
	rest := make(chan string)
	go func() {
		b, _ := io.ReadAll(out)
		rest <- string(b)
	}()
	return path, func() {
		if err := p.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if code := p.code(t); code != exitOK {
			t.Errorf("simulate ended with %d: %s", code, p.stderr.String())
		}
		_ = in.Close()
		if more := <-rest; more != "" {
			t.Errorf("simulate printed more than its line: %q", more)
		}
	}
}

// TestSimulate moves a made-up organisation from one process to another.
func TestSimulate(t *testing.T) {
	dir := t.TempDir()
	job, stop := simulating(t, "--dir", dir, "--users", "3", "--mail", "5", "--files", "4", "--events", "2", "--contacts", "3", "--tasks", "4",
		"--seed", "7", "--items", "4", "--quotas", "new")
	defer stop()
	if job != filepath.Join(dir, "job.yaml") {
		t.Errorf("ready %s", job)
	}
	text, err := os.ReadFile(job)
	if err != nil || !bytes.Contains(text, []byte("items: 4")) || !bytes.Contains(text, []byte("tier: new")) {
		t.Errorf("%v: %s", err, text)
	}
	r := reported(t, ran(t, exitOK, "run", "--json", job))
	listed := map[string]int64{}
	for _, task := range r.Tasks {
		listed[task.Kind] += task.Listed
	}
	// Each user has two lists of tasks.
	if len(r.Tasks) != 18 || listed["mail"] != 15 || listed["contacts"] != 9 || listed["tasks"] != 12 || !r.Balanced || r.Pass.SourceRequests == 0 || r.Pass.TargetRequests == 0 {
		t.Errorf("%d tasks, %v, %+v", len(r.Tasks), listed, r.Pass)
	}
}

// TestSimulateWords: --quotas may stand alone, its value is no provider, a provider is named once, and no flag is passed over.
func TestSimulateWords(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--quotas new microsoft --dir", "flag needs an argument: --dir"},
		{"--quotas fast", `"fast" is none of google, microsoft, and no value of --quotas, new, old`},
		{"--quotas=fast", `--quotas "fast" is none of new, old`},
		{"--quotas new old", `provider "old" is none of google, microsoft`},
		{"microsoft --quotas old", `--quotas "old": Microsoft has one kind, new`},
		{"--provider microsoft --quotas old", `--quotas "old": Microsoft has one kind, new`},
		{"gogle", `provider "gogle" is none of google, microsoft`},
		{"--users -1", "--users is a number from 0 on"},
		{"--users 2 --mail -1", "--mail is a number from 0 on"},
		{"--mail 5", "--mail is for organisations that are made up: give --users as well"},
		{"--data . --users 2", "give --data or --users"},
		{"--data /nowhere", "--data /nowhere: load organisation"},
		{"google microsoft", "simulate takes one provider"},
		{"google --provider microsoft", "simulate takes one provider"},
	} {
		args := append([]string{"simulate", "--dir=" + t.TempDir()}, strings.Fields(c.args)...)
		if text := ran(t, exitUsage, args...).stderr.String(); !strings.Contains(text, c.want) {
			t.Errorf("%s: %s", c.args, text)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"--provider google --quotas", "tier: new"},
		{"--quotas old google", "tier: old"},
		{"--provider google google --quotas=old", "tier: old"},
	} {
		job, stop := simulating(t, append(strings.Fields(c.args), "--dir="+t.TempDir(), "--users=1")...)
		text, err := os.ReadFile(job)
		if err != nil || !bytes.Contains(text, []byte(c.want)) {
			t.Errorf("%s: %v: %s", c.args, err, text)
		}
		stop()
	}
}

// TestSimulateIntoOtherServers has one simulation fill the servers of another.
func TestSimulateIntoOtherServers(t *testing.T) {
	other := simulated(t, googleOf(sim.Options{}))
	dir := t.TempDir()
	job, stop := simulating(t, "--dir", dir, "--users", "2", "--mail", "3", "--files", "2", "--events", "1", "--contacts", "2", "--tasks", "2", "--target", other.Job)
	defer stop()
	ran(t, exitOK, "run", job)
	boxes, err := other.Targets.Mail.Mailboxes("user0001")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, b := range boxes {
		n += len(b.Messages)
	}
	if n != 3 {
		t.Errorf("the other server has %d messages", n)
	}
}

// TestWhatPeopleRead follows an administrator through a job with a failure and a wrong password, by the texts alone.
func TestWhatPeopleRead(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	if p := ran(t, exitUsage, "status", s.Job); !strings.Contains(p.stderr.String(), "no state yet") {
		t.Errorf("status before the first run: %s", p.stderr.String())
	}
	dry := ran(t, exitOK, "run", "--dry-run", s.Job)
	read(t, dry, "Dry run: nothing was written, and no file was downloaded", "A run would write", "source.no_export", `" leading space" is now "leading space"`)
	if len(onTarget(t, s)) > 0 {
		t.Error("a dry run wrote to the target")
	}

	dir := filepath.Dir(s.Job)
	if err := os.WriteFile(filepath.Join(dir, "wrong"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "accounts.csv"), "file:password-ben.osei", "file:wrong")
	stopped := ran(t, exitStopped, "run", s.Job)
	read(t, stopped, "Stopped: ben.osei@example.org, mail", "check the user and password", "popular.zip", "a run after some hours takes it up",
		"repatriate run "+s.Job, "Failed for a passing reason: 1 item", "The ledger balances")

	for _, want := range []string{"  stopped: ben.osei@example.org, mail: ", "  failed: anna.keller@example.org, files: popular.zip: source."} {
		if !strings.Contains(stopped.stderr.String(), want) {
			t.Errorf("%q is not told as it happens: %s", want, stopped.stderr.String())
		}
	}
	edit(t, filepath.Join(dir, "accounts.csv"), "file:wrong", "file:password-ben.osei")
	failed := ran(t, exitIncomplete, "run", s.Job)
	read(t, failed, "failed: anna.keller@example.org: popular.zip", "Failed for a passing reason: 1 item")
	for p, lines := range map[*program]int{
		dry: 0, stopped: 6, // five kinds of an account with a wrong password, and one file
		failed: 1, // what failed for a passing reason is tried again
	} {
		if got := strings.Count(p.stderr.String(), "\n"); got != lines {
			t.Errorf("%d lines on standard error, beside the summary, want %d: %s", got, lines, p.stderr.String())
		}
		for _, secret := range append(secretsOf(t, s), "hunter2") {
			if strings.Contains(p.stdout.String()+p.stderr.String(), secret) {
				t.Error("a secret stands in the summary")
			}
		}
	}
}

// read demands texts of a summary, wherever its lines were broken.
func read(t *testing.T, p *program, texts ...string) {
	t.Helper()
	got := strings.Join(strings.Fields(p.stdout.String()), " ")
	for _, want := range texts {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not stand in\n%s", want, p.stdout.String())
		}
	}
}

// TestStateHoldsNoSecret looks for passwords and the key in everything that a run leaves beside them.
func TestStateHoldsNoSecret(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	dir := filepath.Dir(s.Job)
	states, err := filepath.Glob(filepath.Join(dir, "simulation.db*"))
	if err != nil || len(states) == 0 {
		t.Fatalf("no state: %v", err)
	}
	for _, path := range append(states, s.Job, filepath.Join(dir, "accounts.csv")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secretsOf(t, s) {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("a secret stands in %s", path)
			}
		}
	}
}

// TestDemoKeep leaves the folder, whose state can be read.
func TestDemoKeep(t *testing.T) {
	p := ran(t, exitOK, "demo", "--keep", "--source", "microsoft")
	_, rest, ok := strings.Cut(p.stdout.String(), "repatriate status ")
	job, _, _ := strings.Cut(rest, "\n")
	if !ok {
		t.Fatalf("the demo does not say where it left everything: %s", p.stdout.String())
	}
	if r := reported(t, ran(t, exitOK, "status", "--json", job)); r.State != report.Complete || r.Totals.Listed < 100 {
		t.Errorf("what the demo left: %+v", r.Totals)
	}
}

// TestSimulateTwice: the mailboxes of the first start are gone, so that its state would not fit.
func TestSimulateTwice(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "job.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := ran(t, exitUsage, "simulate", "--dir", dir)
	if text := p.stderr.String(); !strings.Contains(text, "take a new --dir") {
		t.Error(text)
	}
}

// TestSimulateMicrosoft: the made-up tenant has as many contacts and tasks as were asked for.
func TestSimulateMicrosoft(t *testing.T) {
	job, stop := simulating(t, "microsoft", "--dir", t.TempDir(), "--users", "2", "--mail", "1", "--files", "1", "--events", "1", "--contacts", "5", "--tasks", "0")
	defer stop()
	r := reported(t, ran(t, exitOK, "run", "--json", "--kind", "contacts,tasks", job))
	listed := map[string]int64{}
	for _, task := range r.Tasks {
		listed[task.Kind] += task.Listed
	}
	if listed["contacts"] != 10 || listed["tasks"] != 0 || !r.Balanced {
		t.Errorf("%v, balanced: %v", listed, r.Balanced)
	}
}

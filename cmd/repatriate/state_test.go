package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

func mustRead(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// stateOf returns the state file of a simulated job.
func stateOf(s *simulation.Simulation) string {
	return filepath.Join(filepath.Dir(s.Job), "simulation.db")
}

// beside lists what lies in the job's folder whose name begins as the state file's.
func beside(t *testing.T, s *simulation.Simulation) []string {
	t.Helper()
	found, err := filepath.Glob(stateOf(s) + "*")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// withoutState takes the state file and what lies beside it away, and returns where it is.
func withoutState(t *testing.T, s *simulation.Simulation) (moved string) {
	t.Helper()
	dir := t.TempDir()
	for _, path := range beside(t, s) {
		if err := os.Rename(path, filepath.Join(dir, filepath.Base(path))); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.Base(stateOf(s)))
}

// TestStateMoves moves a job's state through an export: nothing is different afterwards, and nothing is written twice.
func TestStateMoves(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	export := filepath.Join(t.TempDir(), "state.jsonl")
	for _, command := range []string{"check", "export"} {
		if p := ran(t, exitUsage, "state", command, s.Job); !strings.Contains(p.stderr.String(), "run it first") {
			t.Errorf("state %s before the first run: %s", command, p.stderr.String())
		}
	}
	first := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	before := onTarget(t, s)
	checked(t, exitOK, s.Job)

	ran(t, exitOK, "state", "export", s.Job, "--output", export)
	text := mustRead(t, export)
	if info, err := os.Stat(export); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the export: %v, %v", info, err)
	}
	if got := ran(t, exitOK, "state", "export", s.Job).stdout.String(); got != text {
		t.Error("standard output has something else")
	}
	p := ran(t, exitUsage, "state", "export", s.Job, "--output", export)
	if !strings.Contains(p.stderr.String(), "left as it is") || mustRead(t, export) != text {
		t.Errorf("an export that is there: %s", p.stderr.String())
	}
	noSecrets(t, s, text)

	withoutState(t, s)
	if p := ran(t, exitOK, "state", "import", s.Job, "--input", export); !strings.Contains(p.stdout.String(), "The state is made") {
		t.Errorf("import says %s", p.stdout.String())
	}
	checked(t, exitOK, s.Job)
	if got := ran(t, exitOK, "state", "export", s.Job).stdout.String(); got != text {
		t.Error("after import, the export is another")
	}
	state := mustRead(t, stateOf(s))
	p = ran(t, exitUsage, "state", "import", s.Job, "--input", export)
	if !strings.Contains(p.stderr.String(), "move it away first") || mustRead(t, stateOf(s)) != state {
		t.Errorf("a state that is there: %s", p.stderr.String())
	}
	again := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if again.Pass.Written != 0 || again.Totals != first.Totals || strings.Join(onTarget(t, s), "\n") != strings.Join(before, "\n") {
		t.Errorf("the pass after: %+v %+v", again.Totals, again.Pass)
	}
}

// noSecrets fails if a password or key of the job stands in a text.
func noSecrets(t *testing.T, s *simulation.Simulation, text string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(s.Job), "password-*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no passwords to look for: %v", err)
	}
	for _, f := range files {
		if strings.Contains(text, strings.TrimSpace(mustRead(t, f))) {
			t.Errorf("what %s holds is in the export", filepath.Base(f))
		}
	}
	if strings.Contains(text, "PRIVATE KEY") {
		t.Error("a key is in the export")
	}
}

// checked returns what state check says as JSON.
func checked(t *testing.T, code int, job string) report.Check {
	t.Helper()
	var c report.Check
	p := ran(t, code, "state", "check", "--json", job)
	d := json.NewDecoder(strings.NewReader(p.stdout.String()))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatalf("%v in %s", err, p.stdout.String())
	}
	if c.Sound != (code == exitOK) || c.Sound != (len(c.Findings) == 0) || c.Sound && (c.Tasks == 0 || c.Listed == 0) {
		t.Errorf("check: %+v", c)
	}
	return c
}

// TestStateImportRefuses: what is no whole export leaves nothing behind.
func TestStateImportRefuses(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	text := ran(t, exitOK, "state", "export", s.Job).stdout.String()
	withoutState(t, s)
	input := filepath.Join(t.TempDir(), "state.jsonl")
	for name, c := range map[string]struct{ text, says string }{
		"cut":       {text[:len(text)/2], "breaks off"},
		"changed":   {strings.Replace(text, `"copied"`, `"failed"`, 1), "digest"},
		"another's": {strings.Replace(text, `"job":"`, `"job":"x`, 1), "belongs to the job"},
		"newer":     {strings.Replace(text, `"version":1`, `"version":9`, 1), "newer release"},
		"foreign":   {"hello", "state export"},
	} {
		if err := os.WriteFile(input, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := ran(t, exitUsage, "state", "import", s.Job, "--input", input)
		if !strings.Contains(p.stderr.String(), c.says) {
			t.Errorf("%s: %s", name, p.stderr.String())
		}
		if left := beside(t, s); len(left) != 1 || !strings.HasSuffix(left[0], ".lock") {
			t.Errorf("%s leaves %q", name, left)
		}
	}
	ran(t, exitUsage, "state", "import", s.Job)
	ran(t, exitUsage, "state", "import", s.Job, "--input", input+".missing")
}

// usesState are the commands that read a job's state, or go on with it.
var usesState = [][]string{{"run"}, {"run", "--dry-run"}, {"retry"}, {"status"}, {"report", "--json"}, {"state", "check"}, {"state", "export"}}

// TestDamagedStates asks every command to use a state file that cannot be used: each says so, and none changes it.
func TestDamagedStates(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	export := filepath.Join(t.TempDir(), "state.jsonl")
	ran(t, exitOK, "state", "export", s.Job, "--output", export)
	sound := mustRead(t, withoutState(t, s))
	lying := strings.Join(onTarget(t, s), "\n")
	for name, c := range map[string]struct {
		text, says string
		unseen     bool // by what does not read the whole file
	}{
		"foreign":   {strings.Repeat("job: example\n", 500), "belongs to another program", false},
		"truncated": {sound[:len(sound)/2/4096*4096], "damaged", false},
		"one page":  {sound[:4096], "damaged", false},
		"newer":     {sound[:63] + "\x63" + sound[64:], "newer release (schema 99", false},
		"headless":  {strings.Repeat("\x00", 100) + sound[100:], "its beginning is lost", false},
		"holed":     {sound[:5*4096] + strings.Repeat("\xff", 4*4096) + sound[9*4096:], "damaged", true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, command := range append(usesState, []string{"state", "import", "--input", export}) {
				if c.unseen && (command[0] == "status" || command[0] == "report" || command[len(command)-1] == "export") {
					continue
				}
				if err := os.WriteFile(stateOf(s), []byte(c.text), 0o600); err != nil {
					t.Fatal(err)
				}
				code, says := exitInternal, c.says
				switch command[len(command)-1] {
				case "check":
					code = exitIncomplete
				case export:
					code, says = exitUsage, "move it away first"
				}
				p := ran(t, code, append(command, s.Job)...)
				all := strings.Join(strings.Fields(p.stdout.String()+p.stderr.String()), " ")
				if !strings.Contains(all, says) || !strings.Contains(all, "simulation.db") {
					t.Errorf("%q says %s", command, all)
				}
				if mustRead(t, stateOf(s)) != c.text {
					t.Errorf("%q changed the file", command)
				}
				withoutState(t, s)
			}
		})
	}
	if strings.Join(onTarget(t, s), "\n") != lying {
		t.Error("something was written to the targets")
	}
}

// TestStateBesideARun checks and exports at several requests of a run: each is of one moment, at which all of it adds up.
func TestStateBesideARun(t *testing.T) {
	pause := make(chan chan struct{})
	var count atomic.Int64
	hook := func(*http.Request, string) (cloudsim.Fault, bool) {
		if count.Add(1)%50 == 0 {
			goOn := make(chan struct{})
			pause <- goOn
			<-goOn
		}
		return cloudsim.Fault{}, false
	}
	s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: hook}}))
	run := started(t, "run", s.Job)
	ended := make(chan int, 1)
	go func() {
		_ = run.Wait()
		ended <- run.ProcessState.ExitCode()
	}()
	for looked := 0; ; looked++ {
		select {
		case goOn := <-pause:
			lookAt(t, s.Job)
			close(goOn)
		case code := <-ended:
			if code != exitOK || looked < 3 {
				t.Errorf("run ended with %d after %d looks: %s", code, looked, run.stderr.String())
			}
			return
		}
	}
}

func lookAt(t *testing.T, job string) {
	t.Helper()
	p := started(t, "state", "check", job)
	if code := p.code(t); code != exitOK {
		t.Errorf("check: exit code %d: %s%s", code, p.stdout.String(), p.stderr.String())
	}
	p = started(t, "state", "export", job)
	if code := p.code(t); code != exitOK {
		t.Errorf("export: exit code %d: %s", code, p.stderr.String())
	}
	imported(t, job, p.stdout.String())
}

// imported imports an export into a job like another one that has no state.
func imported(t *testing.T, job, text string) {
	t.Helper()
	dir, other := t.TempDir(), filepath.Join(filepath.Dir(job), "other.yaml")
	yaml := strings.ReplaceAll(mustRead(t, job), "state: simulation.db", "state: "+filepath.Join(dir, "copy.db"))
	if err := os.WriteFile(other, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(dir, "state.jsonl")
	if err := os.WriteFile(input, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ran(t, exitOK, "state", "import", other, "--input", input)
	if got := ran(t, exitOK, "state", "export", other).stdout.String(); got != text {
		t.Error("the import of an export from a run under way is another")
	}
}

package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	graphsim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// planned is a plan as --json prints it.
type planned struct {
	State       string         `json:"state"`
	LookedAt    int            `json:"looked_at"`
	NotLookedAt int            `json:"not_looked_at"`
	Waiting     int            `json:"waiting_for_approval"`
	Grades      map[string]int `json:"grades"`
	Totals      plan.Total     `json:"totals"`
	Kinds       []plan.Total   `json:"kinds"`
	Accounts    []plan.Account `json:"accounts"`
	Others      []string       `json:"others"`
	Reasons     []plan.Reason  `json:"reasons"`
	Tasks       []report.Task  `json:"tasks"`
	Cost        *report.Pass   `json:"cost"`
	Duration    struct {
		Optimistic  float64 `json:"optimistic_seconds"`
		Likely      float64 `json:"likely_seconds"`
		Pessimistic float64 `json:"pessimistic_seconds"`
		Binding     string  `json:"binding"`
		Requests    int64   `json:"requests"`
	} `json:"duration"`
	RoomUnknown []struct{ Kind, Why string }
}

func planOf(t *testing.T, code int, args ...string) planned {
	t.Helper()
	p := ran(t, code, append([]string{"plan", "--json"}, args...)...)
	var out planned
	if err := json.Unmarshal(p.stdout.Bytes(), &out); err != nil {
		t.Fatalf("%v in %.400s", err, p.stdout.String())
	}
	return out
}

// numbers are items by kind.
func (p planned) numbers() map[string]int64 {
	out := map[string]int64{}
	for _, k := range p.Kinds {
		out[k.Kind] = k.Items
	}
	return out
}

// demoGoogle and demoMicrosoft are the demo organisation at both providers.
func demoGoogle(t *testing.T) *simulation.Source {
	t.Helper()
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	return simulation.Google(data, sim.Options{}, "")
}

func demoMicrosoft(t *testing.T) *simulation.Source {
	t.Helper()
	data, err := graphsim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	return simulation.Microsoft(data, graphsim.Options{}, 0)
}

// TestPlan: what a plan counts is what a run writes then, at both providers, and it writes nothing.
func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		source *simulation.Source
		code   int
		counts map[string]int64
		grades map[string]int
		empty  int64 // folders and shortcuts
	}{
		"google": {demoGoogle(t), exitIncomplete, map[string]int64{"files": 56, "mail": 22, "calendar": 20, "contacts": 7, "tasks": 9},
			map[string]int{"A": 2, "B": 3, "C": 0, "D": 1}, 16},
		"microsoft": {demoMicrosoft(t), exitOK, map[string]int64{"files": 57, "mail": 22, "calendar": 21, "contacts": 7, "tasks": 7},
			map[string]int{"A": 2, "B": 2, "C": 2, "D": 0}, 16},
	} {
		t.Run(name, func(t *testing.T) {
			s := simulated(t, simulation.Options{Source: c.source})
			before := filesOf(t, s)
			p := planOf(t, c.code, s.Job)
			if got := p.numbers(); !maps.Equal(got, c.counts) {
				t.Errorf("items: %v, want %v", got, c.counts)
			}
			if !maps.Equal(p.Grades, c.grades) || p.LookedAt != 6 || p.NotLookedAt != 0 || p.State != report.Complete || len(p.Others) != 0 || p.Cost.Written == 0 {
				t.Errorf("grades %v of %d, %s", p.Grades, p.LookedAt, p.State)
			}
			if d := p.Duration; d.Optimistic <= 0 || d.Likely < d.Optimistic || d.Pessimistic < d.Likely || d.Binding == "" || d.Requests < p.Totals.Items {
				t.Errorf("it takes %+v", d)
			}
			if p.Totals.Empty != c.empty {
				t.Errorf("%d items without content, want %d", p.Totals.Empty, c.empty)
			}
			if largest := p.Totals.Largest; largest == nil || largest.Bytes < 6e6 || p.Totals.Longest.Characters != 41 || p.Totals.Unsized == 0 {
				t.Errorf("%+v", p.Totals)
			}
			if left := onTarget(t, s); len(left) > 0 {
				t.Errorf("a plan wrote to the target: %q", left)
			}
			job := map[string]string{"google": "google-workspace", "microsoft": "microsoft-365"}[name]
			if after := filesOf(t, s); !slices.Equal(after, append(before, job+".plan.json")) {
				t.Errorf("beside the job there are %q, before %q", after, before)
			}
			for reason, want := range map[string]int64{"source.no_export": 5, "event.end_repaired": 1} {
				i := slices.IndexFunc(p.Reasons, func(r plan.Reason) bool { return r.Reason == reason })
				if i < 0 || p.Reasons[i].Items != want || len(p.Reasons[i].Examples) == 0 || p.Reasons[i].Examples[0].Account != "anna.keller@example.org" {
					t.Errorf("%s: %+v", reason, p.Reasons)
				}
			}
			wroteAsPlanned(t, s, p)
		})
	}
}

// filesOf lists the files beside the job file, without those of the target servers.
func filesOf(t *testing.T, s *simulation.Simulation) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(s.Job))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() && !strings.HasSuffix(e.Name(), ".plan.json") {
			names = append(names, e.Name())
		}
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".plan.json") {
			names = append(names, e.Name())
		}
	}
	return names
}

// wroteAsPlanned runs the job, and compares what was written with what was planned: of each kind as much, but for what only reading shows.
func wroteAsPlanned(t *testing.T, s *simulation.Simulation, p planned) {
	t.Helper()
	run := started(t, "run", "--json", s.Job)
	if code := run.code(t); code != exitOK && code != exitIncomplete {
		t.Fatalf("run: %d, %s", code, run.stderr.String())
	}
	r := reported(t, run)
	got := map[string]int64{}
	refused := int64(0) // downloads that the provider refuses when they are asked for
	of := func(t report.Task) (n int64) {
		for _, reason := range []string{"source.malware", "source.download_quota", "source.no_export"} {
			n += t.Reasons[reason]
		}
		return n
	}
	for _, task := range r.Tasks {
		got[task.Kind] += task.Copied + task.CopiedWithLosses
		refused += of(task)
	}
	for _, task := range p.Tasks {
		refused -= of(task)
	}
	got["files"] += refused
	if want := p.numbers(); !maps.Equal(got, want) {
		t.Errorf("the run wrote %v, planned were %v", got, want)
	}
	again := planOf(t, run.ProcessState.ExitCode(), s.Job)
	if again.Duration.Requests >= p.Duration.Requests { // its time depends on the round trips that either plan saw
		t.Errorf("after the run it asks for as much: %+v", again.Duration)
	}
	passing := r.Passing() // what a run would take up again
	if again.Totals.Items != passing || passing == 0 && again.Totals.Bytes != 0 || again.Totals.Collections != p.Totals.Collections {
		t.Errorf("after the run there is still to move: %+v", again.Totals)
	}
}

// TestPlanFits compares what there is with the room and the limits that the targets tell.
func TestPlanFits(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	whole := planOf(t, exitOK, "--kind", "files", s.Job)
	needs := whole.Accounts[0].Kinds[0].Needs
	if needs == 0 || whole.Accounts[0].Kinds[0].Room != nil {
		t.Fatalf("%+v", whole.Accounts[0])
	}
	account := whole.Accounts[0]
	for _, c := range []struct {
		room int64
		code int
	}{{needs, exitOK}, {needs - 1, exitIncomplete}} {
		at := seededProxy(t, s.Targets.Files.URL, nil, quota(account.Target, c.room))
		original := mustRead(t, s.Job)
		through(t, s, s.Targets.Files.URL, at)
		p := planOf(t, c.code, "--kind", "files", s.Job)
		a := p.Accounts[0]
		if *a.Kinds[0].Room != c.room || a.Kinds[0].Fits() != (c.code == exitOK) || slices.Contains(a.Why, plan.NoRoom) == (c.code == exitOK) {
			t.Errorf("room for %d, needs %d: %+v", c.room, needs, a)
		}
		if p.Accounts[1].Kinds[0].Room != nil {
			t.Errorf("of the other: %+v", p.Accounts[1])
		}
		if c.code != exitOK {
			read(t, ran(t, c.code, "plan", "--kind", "files", s.Job), "What does not fit on the target:", account.Source+", files: needs")
		}
		if err := os.WriteFile(s.Job, []byte(original), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// quota answers for one account with a room (RFC 4331).
func quota(user string, room int64) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != "PROPFIND" || !strings.HasSuffix(r.URL.Path, "/"+user+"/") {
			return false
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusMultiStatus)
		fmt.Fprintf(w, `<d:multistatus xmlns:d="DAV:"><d:response><d:href>%s</d:href><d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>`+
			`<d:quota-available-bytes>%d</d:quota-available-bytes></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`, r.URL.Path, room)
		return true
	}
}

// TestPlanWithoutTargets: who cannot be asked is named, and keeps nobody from planning.
func TestPlanWithoutTargets(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	whole := planOf(t, exitOK, s.Job)
	edit(t, filepath.Join(filepath.Dir(s.Job), "accounts.csv"), "file:password-user0002", "file:gone")
	through(t, s, s.Targets.Mail.URL, "imap://"+closedPort(t))
	p := planOf(t, exitOK, s.Job)
	if p.Totals.Items != whole.Totals.Items || !maps.Equal(p.Grades, whole.Grades) {
		t.Errorf("%+v, with the targets %+v", p.Totals, whole.Totals)
	}
	for _, a := range p.Accounts {
		for _, k := range a.Kinds {
			asked := k.Kind != "mail" && a.Source != "user0002@example.org"
			if (k.NotAsked == "") != asked || k.Room != nil {
				t.Errorf("%s of %s: %+v", k.Kind, a.Source, k)
			}
		}
	}
	read(t, ran(t, exitOK, "plan", s.Job), "Room not known:", "mail (2)")
}

// TestPlanOfASample looks at some, the same each time, and marks the others.
func TestPlanOfASample(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	p := started(t, "plan", "--json", "--sample", "50%", s.Job)
	p.code(t)
	q := started(t, "plan", "--json", "--sample", "3", s.Job)
	q.code(t)
	var one, two planned
	for text, into := range map[string]*planned{p.stdout.String(): &one, q.stdout.String() + " ": &two} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	if one.LookedAt != 3 || one.NotLookedAt != 3 || !slices.Equal(one.Others, two.Others) || len(one.Accounts) != 3 || one.Totals.Accounts != 6 {
		t.Errorf("%d and %d: %q, %q", one.LookedAt, one.NotLookedAt, one.Others, two.Others)
	}
	looked := int64(0)
	for _, a := range one.Accounts {
		looked += a.Sum().Items
		if slices.Contains(one.Others, a.Source) {
			t.Errorf("%s was looked at and not", a.Source)
		}
	}
	if one.Totals.Items < looked {
		t.Errorf("of all %d items, of the sample %d", one.Totals.Items, looked)
	}
	for _, text := range []string{"0", "200%", "some"} {
		ran(t, exitUsage, "plan", "--sample", text, s.Job)
	}
}

// TestPlanWritesFiles for their owner alone, and never over what is there; the summary is whole in a pipe.
func TestPlanWritesFiles(t *testing.T) {
	s := simulated(t, simulation.Options{Source: demoGoogle(t)})
	dir := t.TempDir()
	page, lines := filepath.Join(dir, "p.html"), filepath.Join(dir, "p.csv")
	p := ran(t, exitIncomplete, "plan", s.Job, "--html", page, "--csv", lines)
	for line := range strings.Lines(p.stdout.String()) {
		if strings.HasSuffix(line, "…\n") {
			t.Errorf("cut: %s", line)
		}
	}
	if n := strings.Count(p.stdout.String(), "\n"); n > 40 {
		t.Errorf("%d lines:\n%s", n, p.stdout.String())
	}
	read(t, p, "Grades: 2 A, 3 B, 0 C, 1 D", "D anna.keller@example.org: source.encrypted, source.restricted")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(mustRead(t, lines), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 1+25 {
		t.Errorf("%d lines of CSV, %v", len(rows), err)
	}
	kept := filepath.Join(filepath.Dir(s.Job), "google-workspace.plan.json")
	for _, path := range []string{page, lines, kept} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("others may read %s: %v, %v", path, info, err)
		}
		noSecrets(t, s, mustRead(t, path))
	}
	if err := os.WriteFile(page, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ran(t, exitUsage, "plan", s.Job, "--html", page); mustRead(t, page) != "mine" {
		t.Error("a file was written over")
	}
	before := s.Provider.Requests()
	for _, args := range [][]string{{"--html", lines + "x", "--csv", lines + "x"}, {"--csv", filepath.Join(dir, "none", "p.csv")}, {"--csv", lines}} {
		ran(t, exitUsage, append([]string{"plan", s.Job}, args...)...)
	}
	if after := s.Provider.Requests(); after != before {
		t.Errorf("the provider was asked %d times before the files were looked at", after-before)
	}
	ran(t, exitIncomplete, "plan", s.Job, "--html", page, "--force")
	if !strings.HasPrefix(mustRead(t, page), "<!doctype html>") {
		t.Error("--force did not replace the page")
	}
}

// TestPlanOfWhatCannotBeRead: a task that stops is named, and makes a D; the others are planned.
func TestPlanOfWhatCannotBeRead(t *testing.T) {
	s := simulated(t, simulation.Options{Source: simulation.Google(googleTeam(t), apiOff(t, "gmail.*"), "")})
	p := planOf(t, exitStopped, s.Job)
	for _, a := range p.Accounts {
		hasMail := slices.ContainsFunc(a.Kinds, func(k plan.Kind) bool { return k.Kind == "mail" })
		if (a.Grade.String() == "D") != hasMail || hasMail && !slices.Contains(a.Why, "stopped") {
			t.Errorf("%s: %s for %q", a.Source, a.Grade, a.Why)
		}
	}
	read(t, ran(t, exitStopped, "plan", s.Job), "Stopped: ada@example.org, mail:", "Could not be read: 2 collections")
}

// TestInterruptedPlan keeps nothing, and leaves what was planned before.
func TestInterruptedPlan(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{})
	var once sync.Once
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	at := seededProxy(t, s.Targets.Files.URL, nil, func(_ http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { close(asked) })
		_, _ = io.Copy(io.Discard, r.Body) // the server does not see that a client is gone before
		<-r.Context().Done()               // until the plan is interrupted
		return true
	})
	through(t, s, s.Targets.Files.URL, at)
	page := filepath.Join(t.TempDir(), "p.html")
	p := started(t, "plan", s.Job, "--html", page)
	<-asked
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := p.code(t); code != exitInterrupted || p.stdout.Len() > 0 {
		t.Errorf("exit code %d: %s", code, p.stdout.String())
	}
	for _, path := range []string{page, filepath.Join(filepath.Dir(s.Job), "google-workspace.plan.json")} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is there: %v", path, err)
		}
	}
}

// TestPlanOfWhatIsMovedNoMore: what the ledger has of a kind that the accounts file has no more is no part of a plan.
func TestPlanOfWhatIsMovedNoMore(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	accounts := filepath.Join(filepath.Dir(s.Job), "accounts.csv")
	original := mustRead(t, accounts)
	edit(t, accounts, "file:password-user0002", "file:password-user0001")
	ran(t, exitStopped, "run", "--kind", "mail", s.Job)
	if p := planOf(t, exitOK, s.Job); p.Grades["D"] != 0 { // nothing of the target is needed, and the next pass may go well
		t.Errorf("a task that was stopped by the target: %v", p.Grades)
	}
	if err := os.WriteFile(accounts, []byte(strings.Replace(original, "file:password-user0002,", "file:password-user0002,files", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := planOf(t, exitOK, s.Job)
	for _, task := range p.Tasks {
		if task.Account == "user0002@example.org" && task.Kind != "files" {
			t.Errorf("planned: %+v", task)
		}
	}
	if len(p.Accounts) != 2 || len(p.Accounts[1].Kinds) != 1 {
		t.Errorf("%+v", p.Accounts)
	}
}

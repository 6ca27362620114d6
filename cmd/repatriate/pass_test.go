package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// reported reads a report that --json printed, and refuses what no report has.
func reported(t *testing.T, p *program) report.Report {
	t.Helper()
	var r report.Report
	d := json.NewDecoder(strings.NewReader(p.stdout.String()))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%v in %.400s", err, p.stdout.String())
	}
	if d.More() {
		t.Error("more than one document on standard output")
	}
	return r
}

// salt finds what is another one in the objects of each process.
var salt = regexp.MustCompile(`(X-REPATRIATE-DIGEST:[0-9a-f]+)\.[A-Z0-9]+`)

// onTarget lists what lies on the targets, bodies by their hash, without what differs from run to run.
func onTarget(t *testing.T, s *simulation.Simulation) (all []string) {
	t.Helper()
	for _, user := range s.Users() {
		files, err := s.Targets.Files.List(user)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all = append(all, fmt.Sprintf("%s file %q %v %d %s", user, f.Path, f.Folder, f.Size, f.Checksum))
		}
		boxes, err := s.Targets.Mail.Mailboxes(user)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range boxes {
			for _, m := range b.Messages {
				all = append(all, fmt.Sprintf("%s mail %q %q %s %x", user, b.Name, m.Flags, m.InternalDate.UTC(), sha256.Sum256(m.Body)))
			}
		}
		calendars, err := s.Targets.Calendar.Calendars(user)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calendars {
			for _, o := range c.Objects {
				all = append(all, fmt.Sprintf("%s event %q %q %x", user, c.Name, o.UID, sha256.Sum256(salt.ReplaceAll(o.Body, []byte("$1")))))
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestPasses follows a job from the directory over a dry run and passes to its status.
func TestPasses(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	listing := ran(t, exitOK, "accounts", s.Job)
	if lines, err := csv.NewReader(strings.NewReader(listing.stdout.String())).ReadAll(); err != nil || len(lines) != 3 {
		t.Errorf("accounts: %d lines, %v", len(lines), err)
	}
	if p := started(t, "status", s.Job); p.code(t) == exitInternal {
		t.Errorf("status before the first run: %s", p.stderr.String())
	}

	dry := reported(t, ran(t, exitOK, "run", "--dry-run", "--json", s.Job))
	if len(onTarget(t, s)) > 0 || dry.Totals.Listed == 0 || !dry.Simulated {
		t.Errorf("a dry run: %+v", dry.Totals)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(s.Job), "simulation.db")); !os.IsNotExist(err) {
		t.Errorf("a dry run left a state file: %v", err)
	}

	first := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if first.Totals.Listed != dry.Totals.Listed || !first.Balanced || first.State != report.Complete || first.Pass.Written == 0 {
		t.Errorf("first pass: %+v %+v", first, first.Pass)
	}
	before := onTarget(t, s)
	again := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if again.Pass.Written != 0 || again.Pass.Bytes != 0 || again.Totals != first.Totals || !slices.Equal(before, onTarget(t, s)) {
		t.Errorf("second pass: %+v %+v", again.Totals, again.Pass)
	}
	status := reported(t, ran(t, exitOK, "status", "--json", s.Job))
	if p := status.Pass; p == nil || p.Written != 0 || p.SourceRequests != again.Pass.SourceRequests || p.TargetRequests != again.Pass.TargetRequests {
		t.Errorf("the last pass is %+v, and was %+v", p, again.Pass)
	}
	if status.Totals != first.Totals || len(status.Tasks) != len(first.Tasks) {
		t.Errorf("status: %+v", status.Totals)
	}
	if text := ran(t, exitOK, "status", s.Job).stdout.String(); !strings.Contains(text, "The ledger balances") || strings.Contains(text, "This pass") {
		t.Errorf("status says %s", text)
	}
	if problems := s.Provider.Problems(); len(problems) > 0 {
		t.Errorf("the provider was asked what it does not know: %q", problems)
	}
	if sent := s.Targets.Calendar.Sent(); len(sent) > 0 {
		t.Errorf("guests would have been mailed: %d times", len(sent))
	}
}

// TestSelection moves a part of a job, then the rest.
func TestSelection(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	r := reported(t, ran(t, exitOK, "run", "--json", "--account", "USER0001@example.org", "--kind", "mail", s.Job))
	if len(r.Tasks) != 1 || r.Tasks[0].Kind != "mail" || r.Tasks[0].Account != "user0001@example.org" {
		t.Errorf("tasks: %+v", r.Tasks)
	}
	for args, want := range map[string]string{"--account nobody@example.org": "nobody@example.org", "--kind mial": "mial"} {
		p := ran(t, exitUsage, append([]string{"run", s.Job}, strings.Fields(args)...)...)
		if !strings.Contains(p.stderr.String(), want) {
			t.Errorf("%s: %s", args, p.stderr.String())
		}
	}
	whole := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if len(whole.Tasks) <= 1 || whole.Pass.Written+r.Pass.Written < whole.Totals.Copied {
		t.Errorf("the rest: %+v %+v", whole.Totals, whole.Pass)
	}
}

// TestDemo runs the demo; nothing stays on disk.
func TestDemo(t *testing.T) {
	p := ran(t, exitOK, "demo", "--json")
	var passes []report.Report
	if err := json.Unmarshal(p.stdout.Bytes(), &passes); err != nil || len(passes) != 4 {
		t.Fatalf("%d passes, %v", len(passes), err)
	}
	for i, job := range []string{"google-workspace", "microsoft-365"} {
		first, second := passes[2*i], passes[2*i+1]
		if first.Job != job || !first.Balanced || first.Pass.Written == 0 || first.Totals.CopiedWithLosses == 0 || first.Totals.Skipped == 0 || first.Totals.Failed != 0 {
			t.Errorf("%s, first pass of %s: %+v", job, first.Job, first.Totals)
		}
		kinds := map[string]int64{}
		for _, task := range first.Tasks {
			kinds[task.Kind] += task.Copied + task.CopiedWithLosses
		}
		for _, kind := range config.Kinds {
			if kinds[kind] == 0 {
				t.Errorf("%s: nothing of the kind %s", job, kind)
			}
		}
		if contacts, tasks := kinds["contacts"], kinds["tasks"]; contacts != 7 || tasks != []int64{9, 7}[i] { // Microsoft's steps are no tasks
			t.Errorf("%s: %d contacts, %d tasks", job, contacts, tasks)
		}
		if second.Pass.Written != 0 || second.Totals != first.Totals {
			t.Errorf("%s, second pass: %+v", job, second.Pass)
		}
	}
	for _, env := range p.Env {
		if dir, ok := strings.CutPrefix(env, "TMPDIR="); ok {
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("the demo left %v (%v)", left, err)
			}
		}
	}
	text := ran(t, exitOK, "demo").stdout.String()
	_, short, _ := strings.Cut(text, "== In short ==")
	_, block := readme(t)
	for line := range strings.Lines(block("The second pass wrote")) {
		if !strings.Contains(strings.Join(strings.Fields(short), " "), strings.TrimSpace(line)) {
			t.Errorf("the README has %q, the demo says %s", line, short)
		}
	}
	for _, want := range []string{"Google Workspace: 122 items listed, each accounted for: 60 copied", "Microsoft 365: 121 items listed", "wrote 0.", "repatriate demo --keep"} {
		if !strings.Contains(short, want) {
			t.Errorf("in short, the demo does not say %q: %s", want, short)
		}
	}
	for _, want := range []string{"Second pass", "balances", "file.renamed", "file.rewritten", "would have mailed a guest: 0", "Google Workspace", "Microsoft 365",
		"  calendar  Workshop rota (2 events)\n", "(4 contacts)\n", "  tasks     My Tasks (5 tasks)\n", "  tasks     Aufgaben (3 tasks)\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the demo does not say %q", want)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("escape sequences in output that goes to no terminal")
	}
}

// TestDemoKeeps what there is to look at, and says where.
func TestDemoKeeps(t *testing.T) {
	text := ran(t, exitOK, "demo", "--keep", "--source", "microsoft").stdout.String()
	for _, name := range []string{"report.html", "letters", "files"} {
		path := ""
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); strings.HasSuffix(line, "/"+name) {
				path = line
			}
		}
		if info, err := os.Stat(path); err != nil || info.IsDir() != (name != "report.html") {
			t.Errorf("%s at %q: %v", name, path, err)
		}
	}
}

// TestFailureAndRetry moves the demo organisation, one file of which cannot be downloaded today.
func TestFailureAndRetry(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	r := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if r.Totals.Failed != 1 || !r.Balanced || r.State != report.Incomplete {
		t.Fatalf("first pass: %+v", r.Totals)
	}
	if text := ran(t, exitIncomplete, "status", s.Job).stdout.String(); !strings.Contains(text, "The next run takes it up:") || !strings.Contains(text, "source.download_quota") {
		t.Errorf("status does not say what to do: %s", text)
	}
	if r := reported(t, ran(t, exitIncomplete, "retry", "--json", s.Job)); r.Totals.Failed != 1 || r.Pass.Written != 0 {
		t.Errorf("retry before the quota is free again: %+v %+v", r.Totals, r.Pass)
	}
	if err := liftDownloadQuota(data); err != nil {
		t.Fatal(err)
	}
	if r := reported(t, ran(t, exitOK, "retry", "--json", s.Job)); r.Totals.Failed != 0 || r.Pass.Written != 1 {
		t.Errorf("retry: %+v %+v", r.Totals, r.Pass)
	}
}

// TestNextRunBringsWhatATargetRefused: while the calendar server cannot write for one account, its events fail; the next run brings them.
func TestNextRunBringsWhatATargetRefused(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	real, err := url.Parse(regexp.MustCompile(`caldav: "(http://[^/]+)`).FindStringSubmatch(readText(t, s.Job))[1])
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	down.Store(true)
	through := httputil.NewSingleHostReverseProxy(real)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() && r.Method == http.MethodPut && strings.Contains(r.URL.Path, "user0001") && !strings.Contains(r.URL.Path, "canary") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	edit(t, s.Job, `caldav: "`+real.String(), `caldav: "`+proxy.URL)
	r := reported(t, ran(t, exitIncomplete, "run", "--json", s.Job))
	if r.Totals.Failed == 0 || r.Totals.Copied == 0 || !r.Balanced || r.Passing() != r.Totals.Failed || r.Pass.TakenUp != 0 {
		t.Fatalf("while it is down: %+v %+v", r.Totals, r.Pass)
	}
	down.Store(false)
	again := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if again.Totals.Failed != 0 || again.Pass.TakenUp != r.Totals.Failed || again.Pass.Written != r.Totals.Failed || !again.Balanced {
		t.Errorf("when it is back: %+v %+v", again.Totals, again.Pass)
	}
}

// TestOneAccountsTrouble gives one account a wrong password: the others are moved all the same.
func TestOneAccountsTrouble(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	wrong := filepath.Join(filepath.Dir(s.Job), "wrong")
	if err := os.WriteFile(wrong, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(filepath.Dir(s.Job), "accounts.csv"), "file:password-user0002", "file:wrong")
	// The canary needs two accounts, so that calendars are left out here.
	r := reported(t, ran(t, exitStopped, "run", "--json", "--kind", "files,mail", s.Job))
	for _, task := range r.Tasks {
		stopped := task.Account == "user0002@example.org"
		if (task.Error != "") != stopped || stopped == task.Complete {
			t.Errorf("%s %s: error %q, complete: %v", task.Account, task.Kind, task.Error, task.Complete)
		}
		if strings.Contains(task.Error, "hunter2") {
			t.Error("the password stands in the report")
		}
	}
	edit(t, filepath.Join(filepath.Dir(s.Job), "accounts.csv"), "file:wrong", "file:password-user0002")
	if r := reported(t, ran(t, exitOK, "run", "--json", s.Job)); r.State != report.Complete {
		t.Errorf("after it was mended: %+v", r)
	}
}

// TestLogsKeepSecretsAndTitles looks for secrets in the most talkative log, and for titles at the level info.
func TestLogsKeepSecretsAndTitles(t *testing.T) {
	for level, titles := range map[string]bool{"info": false, "debug": true} {
		s := simulated(t, googleOf(sim.Options{}))
		p := ran(t, exitOK, "run", "--log-level", level, "--log-format", "json", s.Job)
		log := p.stderr.String()
		for line := range strings.Lines(log) {
			if !json.Valid([]byte(line)) {
				t.Errorf("no JSON in the log: %.200s", line)
			}
		}
		for _, secret := range secretsOf(t, s) {
			if strings.Contains(log, secret) || strings.Contains(p.stdout.String(), secret) {
				t.Errorf("a secret is shown at level %s", level)
			}
		}
		for _, f := range onTarget(t, s) {
			_, quoted, ok := strings.Cut(f, " file \"")
			if name, _, _ := strings.Cut(quoted, "\""); ok && !titles && strings.Contains(log, name) {
				t.Errorf("the name of a file stands in the log at level %s", level)
			}
		}
	}
}

// secretsOf returns what is in the files that the job refers to.
func secretsOf(t *testing.T, s *simulation.Simulation) (secrets []string) {
	t.Helper()
	dir := filepath.Dir(s.Job)
	paths, err := filepath.Glob(filepath.Join(dir, "password-*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no passwords: %v", err)
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, strings.TrimSpace(string(text)))
	}
	text, err := os.ReadFile(filepath.Join(dir, "sa.json"))
	if err != nil {
		t.Fatal(err)
	}
	var key struct {
		PrivateKey string `json:"private_key"`
	}
	if err := json.Unmarshal(text, &key); err != nil || len(key.PrivateKey) < 200 {
		t.Fatalf("no key: %v", err)
	}
	return append(secrets, key.PrivateKey[100:140])
}

// TestAccountsCanBeRead takes what the accounts command prints as the accounts file to edit.
func TestAccountsCanBeRead(t *testing.T) {
	data, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t, simulation.Options{Source: simulation.Google(data, sim.Options{}, "")})
	text := ran(t, exitOK, "accounts", s.Job).stdout.String()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || !slices.Equal(lines[0], []string{"source", "target", "password", "kinds", "state", "name", "comment"}) {
		t.Fatalf("%v: %.200s", err, text)
	}
	states := make(map[string]int)
	for _, l := range lines[1:] {
		states[l[4]]++
		if strings.HasPrefix(l[0], "#") != (l[4] == "suspended") {
			t.Errorf("%s is %s", l[0], l[4])
		}
		if (l[6] == "") != (l[4] == "active" && l[3] != "files") {
			t.Errorf("%s, which is %s, has the comment %q", l[0], l[4], l[6])
		}
	}
	if states["active"] == 0 || states["suspended"] == 0 || states["no_mailbox"] == 0 {
		t.Errorf("states: %v", states)
	}
	// Shared drives have no target yet: an administrator names one.
	filled := strings.ReplaceAll(text, ",,,files", ",shared,env:X,files")
	if _, err := config.ParseAccounts("accounts.csv", []byte(filled)); err != nil {
		t.Error(err)
	}
}

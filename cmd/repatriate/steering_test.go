package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/internal/windows"
)

func TestParseUntil(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = paris
	for _, c := range []struct{ now, text, want string }{
		{"2026-11-27T22:00:00+01:00", "06:00", "2026-11-28T06:00:00+01:00"},
		{"2026-11-28T05:59:59+01:00", "06:00", "2026-11-28T06:00:00+01:00"},
		{"2026-11-28T06:00:00+01:00", "06:00", "2026-11-29T06:00:00+01:00"},
		{"2026-10-24T23:00:00+02:00", "06:00", "2026-10-25T06:00:00+01:00"},
		{"2026-12-31T23:00:00+01:00", "00:30", "2027-01-01T00:30:00+01:00"},
		{"2026-11-27T22:00:00+01:00", "2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z"},
		{"2026-11-27T22:00:00+01:00", "2026-11-27T20:00:00Z", ""},
		{"2026-11-27T22:00:00+01:00", "6", ""},
		{"2026-11-27T22:00:00+01:00", "24:00", ""},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseUntil(c.text, now)
		if c.want == "" && err == nil || c.want != "" && (err != nil || got.Format(time.RFC3339) != c.want) {
			t.Errorf("%s at %s is %v, want %s (%v)", c.text, c.now, got, c.want, err)
		}
	}
}

// TestUntilBeforeTheWindow: a run that would only wait until it has to end is refused, and says what opens when.
func TestUntilBeforeTheWindow(t *testing.T) {
	open, err := windows.Parse([]string{"mon-fri 20:00-06:00"}, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func(l *time.Location) { time.Local = l }(time.Local)
	time.Local = time.UTC
	friday := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now    time.Time
		until  string
		atOnce bool
		want   string
	}{
		{friday, "18:00", false, "open Fri 27 Nov 20:00, and --until ends the run before, Fri 27 Nov 18:00"},
		{friday, "20:00", false, "nothing would be moved"},
		{friday, "20:01", false, ""},
		{friday, "06:00", false, ""},
		{friday, "18:00", true, ""},
		{friday, "", false, ""},
		{friday.Add(10 * time.Hour), "23:00", false, ""},
		{friday.Add(24 * time.Hour), "2026-11-29T06:00:00Z", false, "open Mon 30 Nov 20:00"},
	} {
		_, err := steering{until: c.until, now: c.atOnce}.schedule(&config.Job{Open: open}, c.now)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("until %q at %s: %v, want %q", c.until, c.now, err, c.want)
		}
	}
}

// shift is what a task of several hours does: an item in each of them, as long as nothing asks it to end.
type shift struct {
	s    *schedule
	left map[string]int
	log  []string
}

func (s *shift) work(name string) runner.Work {
	return func(ctx context.Context, _ checkpoint.Ledger) error {
		for s.left[name] > 0 {
			select {
			case <-s.s.drain:
				return engine.ErrDrained
			default:
			}
			s.log = append(s.log, name+" "+time.Now().UTC().Format("Mon 15:04"))
			if pause.For(ctx, time.Hour) != nil {
				return ctx.Err()
			}
			s.left[name]--
		}
		return nil
	}
}

// within runs accounts of so many hours by a clock of its own, which begins at midnight on a Saturday.
func within(t *testing.T, s *shift, texts []string, until time.Duration) error {
	t.Helper()
	w, err := windows.Parse(texts, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s.s.windows, s.s.board = w, progress.NewBoard(new(engine.Counters))
	if until > 0 {
		s.s.until = time.Now().Add(until)
	}
	r := &runner.Runner{Store: store, Parallel: 1, Log: slog.New(slog.DiscardHandler), Watch: s.s.board}
	var accounts []runner.Account
	for _, name := range []string{"ada", "bob", "eve"} {
		accounts = append(accounts, runner.Account{Name: name, Kinds: []string{"mail"}, Open: func(context.Context, string) ([]runner.Task, error) {
			return []runner.Task{{Collection: "1", Work: s.work(name)}}, nil
		}})
	}
	s.s.board.Expect(len(accounts))
	ctx, cancel := s.s.bounded(t.Context())
	defer cancel()
	if err := s.s.within(ctx, r, accounts); err != nil {
		return context.Cause(ctx)
	}
	if running, ended, all := s.s.board.Accounts(); running != 0 || ended != 3 || all != 3 {
		t.Errorf("%d accounts run and %d have ended, of %d", running, ended, all)
	}
	return nil
}

// TestWindows goes on in each window with what is left, and finishes what is under way at its end.
func TestWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shift{s: new(schedule), left: map[string]int{"ada": 2, "bob": 2, "eve": 1}}
		if err := within(t, s, []string{"sat 20:00-22:30", "mon 08:00-08:30"}, 0); err != nil {
			t.Fatal(err)
		}
		want := []string{"ada Sat 20:00", "ada Sat 21:00", "bob Sat 22:00", "bob Mon 08:00", "eve Sat 20:00"}
		if !slices.Equal(s.log, want) {
			t.Errorf("worked at %q, want %q", s.log, want)
		}
	})
}

func TestUntilEndsWaitingAndWorking(t *testing.T) {
	for _, until := range []time.Duration{10 * time.Hour, 21*time.Hour + 30*time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := &shift{s: new(schedule), left: map[string]int{"ada": 9}}
			begin := time.Now()
			if err := within(t, s, []string{"sat 20:00-24:00"}, until); err != errUntil {
				t.Errorf("ended by %v", err)
			}
			if took := time.Since(begin); took != until {
				t.Errorf("ended after %v, want %v", took, until)
			}
		})
	}
}

// TestUntil ends a run at its time: the provider does not answer one of its requests before.
func TestUntil(t *testing.T) {
	held := make(chan struct{})
	s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(60, func() { <-held })}}))
	defer close(held)
	for wait := 4 * time.Second; ; wait *= 2 {
		p := started(t, "run", "--json", "--until", time.Now().Add(wait).Format(time.RFC3339), s.Job)
		code := p.code(t)
		if code == exitUsage && strings.Contains(p.stderr.String(), "is over") {
			continue // on a slow machine the time had come before the run began
		}
		if code != exitIncomplete {
			t.Fatalf("exit code %d: %s", code, p.stderr.String())
		}
		if r := reported(t, p); r.State != report.Incomplete || r.EndedAt == nil || !r.Balanced || r.Totals.Failed > 0 {
			t.Errorf("%+v", r)
		}
		return
	}
}

func TestWaveRunsItsAccountsAlone(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	plan := filepath.Join(filepath.Dir(s.Job), "google-workspace-waves.csv")
	if err := os.WriteFile(plan, []byte("wave;account;kinds\r\n1;user0002@example.org;\r\n2;user0001@example.org;\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := reported(t, ran(t, exitOK, "run", "--json", "--wave", "1", s.Job))
	if len(r.Accounts) != 1 || r.Accounts[0].Account != "user0002@example.org" {
		t.Errorf("%+v", r.Accounts)
	}
}

func TestMetricsOfARun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	answers := make(chan string, 1)
	s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(40, func() {
		res, err := http.Get("http://" + address + "/metrics")
		if err != nil {
			answers <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answers <- string(text)
	})}}))
	// The port is taken: nothing is begun, not even a state.
	if p := ran(t, exitUsage, "run", "--metrics", address, s.Job); !strings.Contains(p.stderr.String(), "--metrics: ") {
		t.Errorf("a port that is taken: %s", p.stderr.String())
	}
	ran(t, exitUsage, "status", s.Job)
	l.Close()
	ran(t, exitOK, "run", "--metrics", address, s.Job)
	text := <-answers
	for _, want := range []string{`repatriate_run_info{migration="google-workspace"`, `repatriate_pass_accounts{state="running"} 2`, `repatriate_requests_total{side="source"}`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(text, "user0001") {
		t.Error("an account's name is in the metrics")
	}
}

// TestStatusWatch looks until it is interrupted, which is no failure.
func TestStatusWatch(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	r, w := io.Pipe()
	p := startedWith(t, func(p *program) { p.Stdout = w }, "status", "--watch", "--interval", "100ms", s.Job)
	blocks, lines := 0, bufio.NewScanner(r)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "google-workspace at ") {
			if blocks++; blocks == 2 {
				break
			}
		}
	}
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, drained := "", make(chan struct{})
	go func() {
		defer close(drained)
		for lines.Scan() {
			rest += lines.Text() + "\n"
		}
	}()
	code := p.code(t)
	w.Close()
	<-drained
	if code != exitOK || p.stderr.Len() > 0 || blocks != 2 {
		t.Errorf("exit code %d after %d blocks: %s", code, blocks, p.stderr.String())
	}
	for _, want := range []string{"listed", "files", "2 of 2 accounts moved to the end"} {
		if !strings.Contains(rest, want) {
			t.Errorf("no %q in %s", want, rest)
		}
	}
	if strings.Contains(rest, "\x1b") {
		t.Errorf("control sequences on a pipe: %q", rest)
	}
}

// TestStatusOutsideOfWindows says when a run works again.
func TestStatusOutsideOfWindows(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", s.Job)
	day := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Format("Mon"))
	edit(t, s.Job, "job: google-workspace\n", fmt.Sprintf("job: google-workspace\nwindows: [%s]\ntimezone: UTC\n", day))
	read(t, ran(t, exitOK, "status", s.Job), "Outside of the job's time windows: a run works again from")
	ran(t, exitOK, "run", "--now", s.Job)
	if r := reported(t, ran(t, exitOK, "status", "--json", s.Job)); r.WindowOpens == nil || !r.WindowOpens.After(time.Now()) {
		t.Errorf("the window opens at %v", r.WindowOpens)
	}
}

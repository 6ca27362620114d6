package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

// at makes the provider call do when it gets the n-th of all requests, before it answers.
func at(n int64, do func()) func(*http.Request, string) (cloudsim.Fault, bool) {
	var count atomic.Int64
	return func(*http.Request, string) (cloudsim.Fault, bool) {
		if count.Add(1) == n {
			do()
		}
		return cloudsim.Fault{}, false
	}
}

// watched is a program that something will be done to at a request of its own: the request waits until the program is
// known.
type watched struct{ ready chan *program }

func (w watched) do(act func(*program)) func() {
	return func() {
		p := <-w.ready
		act(p)
	}
}

// TestKilledAnywhere kills a run at several of its requests; the run after it brings the same end as an undisturbed one.
func TestKilledAnywhere(t *testing.T) {
	undisturbed := simulated(t, googleOf(sim.Options{}))
	ran(t, exitOK, "run", undisturbed.Job)
	want := onTarget(t, undisturbed)
	total := int64(undisturbed.Provider.Requests())
	for _, n := range []int64{1, total / 4, total / 2, total * 3 / 4} {
		w := watched{make(chan *program, 1)}
		kill := w.do(func(p *program) { _ = p.Process.Kill() })
		s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(max(n, 1), kill)}}))
		p := started(t, "run", s.Job)
		w.ready <- p
		if code := p.code(t); code != -1 {
			t.Fatalf("killed at request %d of %d, it ended with %d", n, total, code)
		}
		r := reported(t, ran(t, exitOK, "run", "--json", s.Job))
		if !r.Balanced || r.State != report.Complete || r.Totals.Pending != 0 {
			t.Errorf("killed at request %d: %+v", n, r.Totals)
		}
		if got := onTarget(t, s); !slices.Equal(got, want) {
			t.Errorf("killed at request %d: the targets hold %d things, want %d", n, len(got), len(want))
		}
	}
}

// TestInterrupt ends a run by a signal: it says so, and the next run goes on.
func TestInterrupt(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		w := watched{make(chan *program, 1)}
		s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(60, w.do(func(p *program) { _ = p.Process.Signal(signal) }))}}))
		p := started(t, "run", "--json", s.Job)
		w.ready <- p
		if code := p.code(t); code != exitInterrupted {
			t.Fatalf("exit code %d after %v: %s", code, signal, p.stderr.String())
		}
		if r := reported(t, p); r.State != report.Interrupted || !r.Balanced || r.Totals.Failed > 0 {
			t.Errorf("after %v: %s, %+v", signal, r.State, r.Totals)
		}
		for _, task := range reported(t, p).Tasks {
			if task.Error != "" {
				t.Errorf("an interruption counts as an error: %s", task.Error)
			}
		}
		if r := reported(t, ran(t, exitOK, "run", "--json", s.Job)); r.State != report.Complete || r.Totals.Pending != 0 {
			t.Errorf("the run after %v: %+v", signal, r.Totals)
		}
	}
}

// TestSecondInterrupt ends a run that cannot end by itself, since the provider never answers.
func TestSecondInterrupt(t *testing.T) {
	w, release := watched{make(chan *program, 1)}, make(chan struct{})
	hang := w.do(func(p *program) {
		_ = p.Process.Signal(os.Interrupt)
		_ = p.Process.Signal(syscall.SIGTERM)
		<-release
	})
	s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(40, hang)}}))
	defer close(release)
	p := started(t, "run", s.Job)
	w.ready <- p
	if code := p.code(t); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
	if text := p.stderr.String(); !strings.HasSuffix(text, "\nrepatriate: stopped at once; nothing is lost: the next run goes on\n") {
		t.Errorf("it ends with %q", text)
	}
}

// TestStateIsLocked starts a second run while one is under way, and reads the status meanwhile.
func TestStateIsLocked(t *testing.T) {
	var second, status *program
	w, done := watched{make(chan *program, 1)}, make(chan struct{})
	var s *simulation.Simulation
	meanwhile := w.do(func(*program) {
		defer close(done)
		second, status = started(t, "run", s.Job), started(t, "status", "--json", s.Job)
		_, _ = second.code(t), status.code(t)
	})
	s = simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: at(30, meanwhile)}}))
	p := started(t, "run", s.Job)
	w.ready <- p
	if code := p.code(t); code != exitOK {
		t.Errorf("the first run: exit code %d: %s", code, p.stderr.String())
	}
	<-done
	lock := filepath.Join(filepath.Dir(s.Job), "simulation.db")
	if code := second.ProcessState.ExitCode(); code != exitUsage || !strings.Contains(second.stderr.String(), lock) {
		t.Errorf("a second run: exit code %d: %s", code, second.stderr.String())
	}
	if r := reported(t, status); len(r.Tasks) == 0 || !r.Balanced {
		t.Errorf("status during a run: %+v", r)
	}
}

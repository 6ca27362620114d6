package e2e

import (
	"os"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// TestInterrupt sends what Ctrl-C sends, and lets the provider answer nothing from then on: the program must end all the
// same, and a rerun completes the work.
func TestInterrupt(t *testing.T) {
	s := realServers(t)
	data := sim.Generate(organisation.Spec{Users: 2, Mail: 80, Files: 80, Events: 10, Seed: 6})
	calm, want := calmRun(t, s, data)
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	p := w.interruptAt(100)
	r := p.wait()
	w.demand(r, 130)
	if r.report == nil || r.report.State != report.Interrupted {
		t.Fatalf("no report of an interrupted run: %s", r.stdout)
	}
	if n := decided(r.report.Totals); n == 0 || n >= calm.report.Totals.Listed {
		t.Errorf("%d items were decided before the interrupt", n)
	}
	sameAsCalm(t, s, w, w.run(0), calm, want)
}

// interruptAt starts a run that is interrupted at the n-th request to the provider, which stays silent from then on until
// the run has ended.
func (w *world) interruptAt(n int) *process {
	w.tb.Helper()
	var m moments
	var p *process
	started, ended := make(chan struct{}), make(chan struct{})
	m.arm(n, func() {
		<-started
		_ = p.cmd.Process.Signal(os.Interrupt)
	})
	w.setHook(func(string) (cloudsim.Fault, bool) {
		m.pass()
		if m.passed() >= n {
			<-ended
		}
		return cloudsim.Fault{}, false
	})
	p = w.start("run", w.job(), "--json")
	p.ended = func() {
		w.setHook(nil)
		close(ended)
	}
	close(started)
	return p
}

// TestTwoRuns starts a second run while the first one is under way.
func TestTwoRuns(t *testing.T) {
	s := realServers(t)
	data := sim.Generate(organisation.Spec{Users: 1, Mail: 10, Files: 10, Events: 5, Seed: 8})
	w := newWorld(t, data, sim.Options{}, s.urls(), peopleOf(t, data)...)
	reached, goOn := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()
	var once sync.Once
	w.setHook(func(name string) (cloudsim.Fault, bool) {
		if strings.HasPrefix(name, "gmail") {
			once.Do(func() { close(reached) })
			<-goOn
		}
		return cloudsim.Fault{}, false
	})
	first := w.start("run", w.job(), "--json")
	<-reached
	second := w.start("run", w.job(), "--json").wait()
	if second.exit != 2 || !strings.Contains(second.stderr, "in use by another process") || !strings.Contains(second.stderr, "e2e.db") {
		t.Errorf("the second run: exit code %d, %s", second.exit, second.stderr)
	}
	w.checkStatus()
	release()
	w.demand(first.wait(), 0)
}

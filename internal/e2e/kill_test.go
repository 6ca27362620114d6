package e2e

import (
	"math/rand/v2"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// TestKill kills the program again and again, each time at a random moment and without a warning, and demands that in the
// end everything is as if nothing had happened.
func TestKill(t *testing.T) {
	const kills, seed = 20, 1
	s := realServers(t)
	data := realOrganisation(t, reduced())
	m := new(moments)
	calm := watchedWorld(t, s, data, m, realPeople(t)...)
	first := calm.start("run", calm.job(), "--json").wait()
	balanced(t, first.report)
	total := m.passed()
	want := statesOf(t, s, calm)
	t.Logf("undisturbed: exit code %d, %d events, %+v", first.exit, total, first.report.Totals)

	// Dozens of items are under way at once, and none of them is done within a few hundred events: with less than half of a run, a program that is
	// killed each time may get no further.
	random := rand.New(rand.NewPCG(seed, seed))
	for killed, lives := 0, 0; killed < kills; lives++ {
		w := watchedWorld(t, s, data, m, realPeople(t)...)
		n, last := killUntilDone(t, w, m, func() int { return 1 + random.IntN(total/2) })
		killed += n
		t.Logf("migration %d was killed %d times", lives+1, n)
		w.demand(last, first.exit)
		if last.report.Totals != first.report.Totals {
			t.Errorf("the ledger is %+v, want %+v", last.report.Totals, first.report.Totals)
		}
		for source, got := range statesOf(t, s, w) {
			compare(t, got, want[source])
		}
		settled(t, w.run(first.exit), last)
	}
}

// TestKillInDelta kills the program while it brings over changes: moves, replacements and removals.
func TestKillInDelta(t *testing.T) {
	const kills, seed = 20, 2
	s := realServers(t)
	random := rand.New(rand.NewPCG(seed, seed))
	for killed, lives := 0, 0; killed < kills; lives++ {
		m := new(moments)
		a := newDeltaAccount(t, 30, 0)
		w := watchedWorld(t, s, a.data, m, person{source: dora, target: fresh(t)})
		w.propagate()
		w.run(0)
		want := a.change(t, s, w, true)
		n, last := killUntilDone(t, w, m, func() int { return 1 + random.IntN(80) })
		killed += n
		t.Logf("delta %d was killed %d times", lives+1, n)
		w.demand(last, 0)
		want.compare(t, s, w)
		settled(t, w.run(0), last)
	}
}

// killUntilDone runs the job until it is not killed before its end, each time at the moment that next chooses. It returns
// how often it was killed, and the last run.
func killUntilDone(t *testing.T, w *world, m *moments, next func() int) (killed int, last result) {
	t.Helper()
	for ; ; killed++ {
		at := next()
		var p *process
		ready := make(chan struct{})
		m.arm(at, func() {
			<-ready
			_ = p.cmd.Process.Kill()
		})
		p = w.start("run", w.job(), "--json")
		close(ready)
		last = p.wait()
		m.disarm()
		if last.exit != -1 {
			return killed, last
		}
		w.checkStatus()
		if killed > 1000 {
			t.Fatal("the program gets no further")
		}
	}
}

// checkStatus demands that the ledger can be read and balances, whatever happened to the run.
func (w *world) checkStatus() {
	w.tb.Helper()
	r := w.start("status", w.job(), "--json").wait()
	if r.report == nil {
		w.tb.Fatalf("status says nothing: exit code %d, %s", r.exit, r.stderr)
	}
	balanced(w.tb, r.report)
}

// watchedWorld is a world whose events count as moments, with target accounts that nobody used before.
func watchedWorld(t *testing.T, s *servers, data *sim.Data, m *moments, people ...person) *world {
	t.Helper()
	w := newWorld(t, data, sim.Options{}, m.watched(t, s), people...)
	w.setHook(func(string) (cloudsim.Fault, bool) {
		m.pass()
		return cloudsim.Fault{}, false
	})
	m.reset()
	return w
}

// statesOf reads what lies on the targets, by source account.
func statesOf(tb testing.TB, s *servers, w *world) map[string]state {
	tb.Helper()
	out := make(map[string]state)
	for _, p := range w.people {
		out[p.source] = readState(tb, s, p.target)
	}
	return out
}

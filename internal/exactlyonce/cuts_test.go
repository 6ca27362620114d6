package exactlyonce

import (
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// sample is the distance between the points that are cut unless the environment says otherwise.
const sample = 12

// every returns the distance between the points that are cut.
func every(t *testing.T) int {
	t.Helper()
	switch s := os.Getenv("REPATRIATE_CUTS"); s {
	case "":
		return sample
	case "all":
		return 1
	default:
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("REPATRIATE_CUTS=%s: want all, or a number from 1", s)
		}
		return n
	}
}

// scene is a pass whose course is to be disturbed: of an account that was never moved, or of one that changed since.
type scene struct {
	kind    string
	account func(t *testing.T, kind string) account
	later   bool
}

// scenes calls f for a first and for a later pass over each kind of each provider.
func scenes(t *testing.T, f func(t *testing.T, s scene)) {
	providers := map[string]func(t *testing.T, kind string) account{"Google": newGoogle, "Microsoft": newMicrosoft}
	for provider, account := range providers {
		for _, kind := range []string{"files", "mail", "calendar", "contacts", "tasks"} {
			for pass, later := range map[string]bool{"first": false, "later": true} {
				t.Run(provider+"/"+kind+"/"+pass, func(t *testing.T) { f(t, scene{kind, account, later}) })
			}
		}
	}
}

// set returns a world in which the pass has still to be made.
func (s scene) set(t *testing.T, b cloudsim.Behaviour) *world {
	t.Helper()
	w := newWorld(t, s.kind, s.account(t, s.kind), b)
	if s.later {
		w.finish(t)
		w.account.change(t)
	}
	return w
}

// calm is what comes of a scene that nobody disturbs.
type calm struct {
	state  state
	ledger [len(checkpoint.States)]int64
	points []point
}

func (s scene) calm(t *testing.T) calm {
	t.Helper()
	w := s.set(t, cloudsim.Behaviour{})
	before := w.state(t, false)
	o := w.finish(t)
	c := calm{points: w.points.all(), state: w.state(t, false), ledger: w.ledger(t)}
	if o.counters.Written.Load() < 2 || s.later && o.counters.Removed.Load() < 1 || differences(c.state, before) == "" {
		t.Fatalf("%d written, %d removed: the scene has too little in it", o.counters.Written.Load(), o.counters.Removed.Load())
	}
	w.settled(t, c)
	return c
}

// settled demands that the target holds what it is to hold, that the ledger says so, and that a further pass writes nothing.
func (w *world) settled(t *testing.T, want calm) {
	t.Helper()
	if d := differences(w.state(t, false), want.state); d != "" {
		t.Errorf("on the target:\n%s", d)
	}
	if got := w.ledger(t); got != want.ledger {
		t.Errorf("the ledger is %v, want %v (%v)\n%s", got, want.ledger, checkpoint.States, w.troubles(t))
	}
	before := w.state(t, true)
	o := w.finish(t)
	if o.counters.Written.Load() != 0 || o.counters.Removed.Load() != 0 {
		t.Errorf("a further pass wrote %d and removed %d", o.counters.Written.Load(), o.counters.Removed.Load())
	}
	if d := differences(w.state(t, true), before); d != "" {
		t.Errorf("a further pass changed the target:\n%s", d)
	}
}

// eachPoint has cut end the process at every step-th of the points, side by side, and returns how often the run met one.
func eachPoint(t *testing.T, points []point, step int, cut func(*testing.T, point) bool) int64 {
	t.Helper()
	var met atomic.Int64
	t.Run("at", func(t *testing.T) {
		for i := len(t.Name()) % step; i < len(points); i += step {
			t.Run(points[i].String(), func(t *testing.T) {
				t.Parallel()
				if cut(t, points[i]) {
					met.Add(1)
				}
			})
		}
	})
	return met.Load()
}

// TestCuts ends the process at each point of a pass, and demands that the next run brings it to the end that it would have
// had: everything there, nothing twice, and the ledger right.
func TestCuts(t *testing.T) {
	var points, cuts atomic.Int64
	step := every(t)
	scenes(t, func(t *testing.T, s scene) {
		calm := s.calm(t)
		points.Add(int64(len(calm.points)))
		cuts.Add(eachPoint(t, calm.points, step, func(t *testing.T, at point) bool { return s.cut(t, at, calm) }))
	})
	t.Logf("%d points, every %d-th was cut: %d cuts", points.Load(), step, cuts.Load())
	if want := points.Load() / int64(step) / 2; cuts.Load() < want {
		t.Errorf("only %d of at least %d points were met", cuts.Load(), want)
	}
}

// cut reports whether the run met the point: what happens side by side may happen in another order.
func (s scene) cut(t *testing.T, at point, want calm) bool {
	t.Helper()
	w := s.set(t, cloudsim.Behaviour{})
	o := w.run(t, at, false)
	if !o.died && !o.complete() {
		t.Errorf("%v: %v\n%s", errNotComplete, o.err, w.troubles(t))
	}
	w.finish(t)
	w.settled(t, want)
	return o.died
}

// TestCutsBeforeChanges ends the process at points of a first pass, and has the user delete, rename, move and edit before the next run.
// What was written and is not on record must neither stay where it is nor be there twice.
func TestCutsBeforeChanges(t *testing.T) {
	var points, cuts atomic.Int64
	step := every(t)
	scenes(t, func(t *testing.T, s scene) {
		if s.later {
			return
		}
		calm := s.calm(t)
		points.Add(int64(len(calm.points)))
		s.later = true
		w := s.set(t, cloudsim.Behaviour{})
		w.finish(t)
		want := w.state(t, false).contents()
		s.later = false
		cuts.Add(eachPoint(t, calm.points, step, func(t *testing.T, at point) bool { return s.cutAndChanged(t, at, want) }))
	})
	t.Logf("%d points, every %d-th was cut: %d cuts", points.Load(), step, cuts.Load())
}

// cutAndChanged reports whether the run met the point.
func (s scene) cutAndChanged(t *testing.T, at point, want state) bool {
	t.Helper()
	w := s.set(t, cloudsim.Behaviour{})
	o := w.run(t, at, false)
	w.account.change(t)
	w.finish(t)
	if d := differences(w.state(t, false).contents(), want); d != "" {
		t.Errorf("on the target:\n%s\n%s", d, w.troubles(t))
	}
	w.ledger(t) // which balances
	before := w.state(t, true)
	again := w.finish(t)
	if again.counters.Written.Load() != 0 || again.counters.Removed.Load() != 0 {
		t.Errorf("a further pass wrote %d and removed %d", again.counters.Written.Load(), again.counters.Removed.Load())
	}
	if d := differences(w.state(t, true), before); d != "" {
		t.Errorf("a further pass changed the target:\n%s", d)
	}
	return o.died
}

package undo_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/undo"
	"codeberg.org/repatriate/repatriate/sinks"
)

// fake is a target of locations with versions. A folder that is not empty is not removed.
type fake struct {
	mu   sync.Mutex
	held map[string]string
	// foreign lay there before; fails are asked once more before they are removed; stops end the task.
	foreign, fails, stops map[string]bool
	// dies are removed, if nobody changed them, and the process does not live to hear of it.
	dies    map[string]bool
	cleared []string
	// flat lists everything at once.
	flat bool
}

func (f *fake) Remove(_ context.Context, prev sinks.Receipt) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := prev.Location
	switch version, ok := f.held[at]; {
	case f.stops[at]:
		return fault.New(fault.FailTask, fault.TargetAuth, "the password is another one")
	case f.fails[at]:
		delete(f.fails, at)
		return fault.New(fault.Retry, fault.TargetUnavailable, "not now")
	case !ok:
		return nil
	case version != prev.Version:
		return fault.New(fault.FailItem, fault.TargetConflict, "changed")
	}
	for other := range f.held {
		if strings.HasPrefix(other, at+"/") {
			return fault.New(fault.FailItem, fault.TargetConflict, "not empty")
		}
	}
	delete(f.held, at)
	if f.dies[at] {
		return fault.New(fault.FailTask, fault.TargetUnavailable, "killed")
	}
	return nil
}

func (f *fake) Expect(p sinks.Proof) sinks.Expectation {
	return sinks.Expectation{Foreign: f.foreign[p.Receipt.Location], Made: []string{strings.TrimPrefix(p.Receipt.State, "in ")}}
}

// List yields everything where no items lie in folders: none of the places has a name without a folder then.
func (f *fake) List(_ context.Context, place string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		f.mu.Lock()
		held := maps.Clone(f.held)
		f.mu.Unlock()
		for _, at := range slices.Sorted(maps.Keys(held)) {
			if !f.flat && strings.TrimPrefix(path.Dir(at), ".") != place {
				continue
			}
			if !yield(sinks.Object{Location: at, Version: held[at], Digest: "sha256:00"}, nil) {
				return
			}
		}
	}
}

func (f *fake) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	switch {
	case o.Digest != "" && o.Digest == p.Digest:
		return sinks.Same
	case o.Version != p.Receipt.Version:
		return sinks.Touched
	}
	return sinks.Alike
}

func (f *fake) Clear(_ context.Context, made []string) ([]string, error) {
	f.cleared = append(f.cleared, made...)
	return made, nil
}

type world struct {
	store  checkpoint.Store
	ledger checkpoint.Ledger
	task   checkpoint.Task
	target *fake
	tree   bool
}

// newWorld writes the paths, folders first where they are ones; each node's id is its path.
func newWorld(t *testing.T, tree bool, paths ...string) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{store: store, task: checkpoint.Task{Account: "ada", Kind: "k", Collection: "c"}, tree: tree,
		target: &fake{flat: !tree, held: map[string]string{}, foreign: map[string]bool{}, fails: map[string]bool{}, stops: map[string]bool{}}}
	w.ledger, err = store.Begin(t.Context(), w.task, "name")
	must(t, err)
	for _, p := range paths {
		w.write(t, p)
	}
	must(t, w.ledger.Advance(t.Context(), checkpoint.Position{Cursor: "at the end", Generation: 3, Complete: true}))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) write(t *testing.T, at string) {
	t.Helper()
	rec := checkpoint.Record{ID: at, Version: "v", State: checkpoint.Copied, Location: at, ReceiptVersion: "1", ReceiptState: "in " + path.Dir(at), Bytes: 7, Digest: "sha256:00"}
	_, err := w.ledger.Enlist(t.Context(), 1, []checkpoint.Entry{{ID: at}})
	must(t, err)
	w.target.held[at] = "1"
	if !w.tree {
		must(t, w.ledger.Save(t.Context(), rec))
		return
	}
	node := checkpoint.Node{ID: at, ParentID: strings.TrimPrefix(path.Dir(at), "."), Wanted: path.Base(at), Folder: !strings.Contains(at, ".")}
	_, err = w.ledger.Reserve(t.Context(), checkpoint.Reservation{Node: node, Names: func(yield func(string) bool) { yield(path.Base(at)) }})
	must(t, err)
	must(t, w.ledger.Settle(t.Context(), at, rec))
}

func (w *world) undo(t *testing.T, dryRun bool) (undo.Result, error) {
	t.Helper()
	return undo.Undo(t.Context(), w.store, w.task, w.ledger, w.target, undo.Options{Tree: w.tree, DryRun: dryRun, Patience: engine.Options{Pause: time.Microsecond}})
}

// left returns what the target holds.
func (w *world) left() string { return strings.Join(slices.Sorted(maps.Keys(w.target.held)), " ") }

// states returns the states of the records by id.
func (w *world) states(t *testing.T) map[string]checkpoint.State {
	t.Helper()
	out := map[string]checkpoint.State{}
	for rec, err := range w.store.Records(t.Context(), w.task) {
		must(t, err)
		out[rec.ID] = rec.State
		if rec.State == checkpoint.Pending && (rec.Location != "" || rec.Version != "" || rec.Digest != "" || rec.Bytes != 0) {
			t.Errorf("%+v", rec)
		}
	}
	return out
}

func TestOnlyWhatTheJobWroteIsRemoved(t *testing.T) {
	w := newWorld(t, false, "box/a", "box/b", "box/c", "box/d")
	w.target.held["box/mine"], w.target.held["box/b"] = "1", "2"
	w.target.foreign["box/c"], w.target.fails["box/d"] = true, true
	r, err := w.undo(t, false)
	must(t, err)
	if w.left() != "box/b box/c box/mine" || r.Removed != 2 || r.Stayed != 2 || len(r.Left) != 2 {
		t.Errorf("%s stay; %+v", w.left(), r)
	}
	want := map[string]checkpoint.State{"box/a": checkpoint.Pending, "box/b": checkpoint.Copied, "box/c": checkpoint.Copied, "box/d": checkpoint.Pending}
	if got := w.states(t); !maps.Equal(got, want) {
		t.Errorf("the ledger has %v", got)
	}
	st, err := w.ledger.Status(t.Context())
	must(t, err)
	if st.Cursor != "" || st.Complete || st.Generation != 3 {
		t.Errorf("%+v", st)
	}
	if !slices.Equal(w.target.cleared, []string{"box"}) || !slices.Equal(r.Cleared, []string{"box"}) {
		t.Errorf("cleared %q", w.target.cleared)
	}
}

func TestFoldersGoAfterWhatTheyHold(t *testing.T) {
	w := newWorld(t, true, "f", "f/g", "f/g/1.txt", "f/2.txt", "h", "h/3.txt", "4.txt")
	w.target.held["h/mine.txt"] = "1"
	r, err := w.undo(t, false)
	must(t, err)
	if w.left() != "h h/mine.txt" || r.Removed != 6 || r.Stayed != 1 {
		t.Errorf("%s stay; %+v", w.left(), r)
	}
	if _, _, ok, err := w.ledger.Where(t.Context(), "f/2.txt"); ok || err != nil {
		t.Errorf("the ledger has it still: %v, %v", ok, err)
	}
}

func TestUndoGoesOnWhereItStopped(t *testing.T) {
	for _, tree := range []bool{false, true} {
		w := newWorld(t, tree, "f", "f/1.txt", "f/2.txt", "f/3.txt")
		w.target.stops["f/2.txt"] = true
		if _, err := w.undo(t, false); fault.Of(err).Reason != fault.TargetAuth {
			t.Fatal(err)
		}
		w.target.stops = nil
		if _, err := w.undo(t, false); err != nil || w.left() != "" {
			t.Errorf("%s stay: %v", w.left(), err)
		}
		for id, state := range w.states(t) {
			if state != checkpoint.Pending {
				t.Errorf("%s is %v", id, state)
			}
		}
	}
}

func TestWhatWasMadeIsClearedAlsoByTheNextUndo(t *testing.T) {
	w := newWorld(t, false, "box/a", "other/b")
	w.target.stops["other/b"] = true
	if _, err := w.undo(t, false); err == nil || len(w.target.cleared) > 0 {
		t.Fatalf("%v; cleared %q", err, w.target.cleared)
	}
	w.target.stops = nil
	for _, want := range []string{"[other box]", "[]"} {
		w.target.cleared = nil
		_, err := w.undo(t, false)
		must(t, err)
		if got := fmt.Sprint(w.target.cleared); got != want {
			t.Errorf("cleared %s, want %s", got, want)
		}
	}
}

// TestARunAfterABrokenUndo finds nothing that counts as copied and lies nowhere, whichever moment the undo was killed at.
func TestARunAfterABrokenUndo(t *testing.T) {
	for _, tree := range []bool{false, true} {
		w := newWorld(t, tree, "f", "f/1.txt", "f/2.txt", "f/3.txt")
		w.target.held["f/2.txt"] = "changed by its user"
		w.target.dies = map[string]bool{"f/1.txt": true, "f/2.txt": true, "f/3.txt": true}
		if _, err := w.undo(t, false); err == nil {
			t.Fatal("it goes on")
		}
		w.target.dies = nil
		// A run's sink need not be able to tell what lies there.
		must(t, undo.Finish(t.Context(), w.ledger, struct{ undo.Taker }{w.target}, tree, engine.Options{Pause: time.Microsecond}))
		states := w.states(t)
		for _, id := range []string{"f/1.txt", "f/2.txt", "f/3.txt"} {
			_, there := w.target.held[id]
			if there != (states[id] == checkpoint.Copied) || states[id] == checkpoint.Writing {
				t.Errorf("tree %v: %s is %v, and lies on the target: %v", tree, id, states[id], there)
			}
		}
		if _, err := w.undo(t, false); err != nil || !strings.HasSuffix(w.left(), "f/2.txt") {
			t.Errorf("%s stay: %v", w.left(), err)
		}
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	w := newWorld(t, true, "f", "f/1.txt")
	before := w.states(t)
	r, err := w.undo(t, true)
	must(t, err)
	st, err := w.ledger.Status(t.Context())
	must(t, err)
	if r.Removed != 2 || w.left() != "f f/1.txt" || st.Cursor == "" || !maps.Equal(before, w.states(t)) || len(w.target.cleared) > 0 {
		t.Errorf("%+v, %+v", r, st)
	}
}

// TestADryRunCountsWhatUndoDoes has users change, add and remove: the dry run's numbers, and what it names as staying, are those of the undo.
func TestADryRunCountsWhatUndoDoes(t *testing.T) {
	for _, tree := range []bool{true, false} {
		paths := []string{"f", "f/1.txt", "f/2.txt", "g", "g/1.txt", "h", "h/1.txt", "h/in", "h/in/1.txt", "k", "k/1.txt", "m", "m/1.txt"}
		if !tree {
			paths = slices.DeleteFunc(paths, func(p string) bool { return path.Ext(p) == "" })
		}
		w := newWorld(t, tree, paths...)
		w.target.held["f/2.txt"] = "changed by its user"
		w.target.held["g/new.txt"] = "the user's own"
		delete(w.target.held, "h/in/1.txt")
		w.target.foreign["k/1.txt"] = true
		dry, err := w.undo(t, true)
		must(t, err)
		done, err := w.undo(t, false)
		must(t, err)
		if dry.Removed != done.Removed || dry.Stayed != done.Stayed || !slices.Equal(placesOf(dry), placesOf(done)) || dry.Stayed < 2 {
			t.Errorf("tree %v: the dry run says %d and %q, and undo did %d and %q", tree, dry.Removed, placesOf(dry), done.Removed, placesOf(done))
		}
	}
}

// placesOf are the places of what stays.
func placesOf(r undo.Result) (places []string) {
	for _, l := range r.Left {
		places = append(places, l.Location)
	}
	slices.Sort(places)
	return places
}

// TestAnAnswerThatNeverComes: an item whose removal was tried often enough may be gone, and does not count as lying there.
func TestAnAnswerThatNeverComes(t *testing.T) {
	w := newWorld(t, false, "box/a")
	silent := &mute{fake: w.target}
	_, err := undo.Undo(t.Context(), w.store, w.task, w.ledger, silent, undo.Options{Patience: engine.Options{Pause: time.Microsecond}})
	if fault.Of(err).Reason != fault.TargetUnavailable || w.left() != "" {
		t.Fatalf("%v; %s stay", err, w.left())
	}
	if got := w.states(t)["box/a"]; got != checkpoint.Writing {
		t.Errorf("the ledger has it as %v", got)
	}
	must(t, undo.Finish(t.Context(), w.ledger, w.target, false, engine.Options{Pause: time.Microsecond}))
	if got := w.states(t)["box/a"]; got != checkpoint.Pending {
		t.Errorf("afterwards the ledger has it as %v", got)
	}
}

// mute removes, and never says so.
type mute struct{ *fake }

func (m *mute) Remove(ctx context.Context, prev sinks.Receipt) error {
	if err := m.fake.Remove(ctx, prev); err != nil {
		return err
	}
	return fault.New(fault.Retry, fault.TargetUnavailable, "no answer")
}

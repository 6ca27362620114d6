package readback_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/sinks"
)

// body is what the fake target holds at a location.
type body struct {
	text, version string
	folder        bool
}

// fake is a target of files whose digest only reading tells. A Location is a path.
type fake struct {
	held map[string]body
	tree bool
	// broken is how often a listing breaks off in its middle.
	broken int
	reads  int
	// also has the further copy of some items.
	also map[string]string
	// refused has the errors of what is not handed out.
	refused map[string]error
	// mistimed is where an event lies that takes place at other times.
	mistimed string
}

func digest(text string) string { return fmt.Sprintf("sha256:%x", text) }

func twin(n int64) string { return fmt.Sprintf("size:%d", n) }

func (f *fake) List(_ context.Context, place string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		n := 0
		for _, at := range slices.Sorted(maps.Keys(f.held)) {
			if dir := strings.TrimPrefix(path.Dir(at), "."); f.tree && dir != place {
				continue
			}
			if n++; n == 2 && f.broken > 0 {
				f.broken--
				yield(sinks.Object{}, fault.New(fault.Retry, fault.TargetUnavailable, "the network is gone"))
				return
			}
			if !yield(f.object(at), nil) {
				return
			}
		}
	}
}

func (f *fake) object(at string) sinks.Object {
	b := f.held[at]
	o := sinks.Object{Location: at, Version: b.version, Folder: b.folder, Size: int64(len(b.text)), Title: path.Base(at)}
	if !b.folder {
		o.Twin = twin(o.Size)
	}
	return o
}

func (f *fake) Read(_ context.Context, o sinks.Object) (sinks.Object, error) {
	b, ok := f.held[o.Location]
	if !ok {
		return o, sinks.ErrNothing
	}
	if err := f.refused[o.Location]; err != nil {
		return o, err
	}
	f.reads++
	o = f.object(o.Location)
	o.Digest = digest(b.text)
	return o, nil
}

func (f *fake) Expect(p sinks.Proof) sinks.Expectation {
	e := sinks.Expectation{Twin: twin(p.Bytes)}
	if at := f.also[p.Receipt.Location]; at != "" {
		e.Also = []string{at}
	}
	return e
}

func (f *fake) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	touched := o.Version != p.Receipt.Version || o.Size != p.Bytes
	switch {
	case o.Digest != "" && o.Location == f.mistimed:
		return sinks.Mistimed
	case o.Folder, o.Digest != "" && o.Digest == p.Digest:
		return sinks.Same
	case touched:
		return sinks.Touched
	case o.Digest != "":
		return sinks.Differs
	}
	return sinks.Alike
}

// world is a ledger with the items that a fake target holds.
type world struct {
	store  checkpoint.Store
	ledger checkpoint.Ledger
	target *fake
	task   checkpoint.Task
}

// newWorld writes items "a" to "e" of one task; a tree has them in a folder f, and a folder g beside that is empty.
func newWorld(t *testing.T, tree bool) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &world{store: store, task: checkpoint.Task{Account: "ada", Kind: "mail", Collection: "c"}, target: &fake{held: map[string]body{}, tree: tree}}
	if w.ledger, err = store.Begin(t.Context(), w.task, "Mail"); err != nil {
		t.Fatal(err)
	}
	if tree {
		w.write(t, "f", "", body{folder: true}, "")
		w.write(t, "g", "", body{folder: true}, "")
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		w.write(t, id, map[bool]string{true: "f"}[tree], body{text: "the text of " + id + strings.Repeat("+", int(id[0]-'a')), version: "1"}, "f")
	}
	return w
}

func (w *world) write(t *testing.T, id, parent string, b body, parentID string) {
	t.Helper()
	at := path.Join(parent, id)
	rec := checkpoint.Record{ID: id, Version: "v", State: checkpoint.Copied, Title: "Title " + id, Location: at, ReceiptVersion: b.version, Bytes: int64(len(b.text))}
	if !b.folder {
		rec.Digest = digest(b.text)
	}
	_, err := w.ledger.Enlist(t.Context(), 1, []checkpoint.Entry{{ID: id}})
	if err == nil && w.target.tree {
		names := func(yield func(string) bool) { yield(id) }
		node := checkpoint.Node{ID: id, ParentID: parentID, Wanted: id, Folder: b.folder}
		if _, err = w.ledger.Reserve(t.Context(), checkpoint.Reservation{Node: node, Names: names}); err == nil {
			err = w.ledger.Settle(t.Context(), id, rec)
		}
	} else if err == nil {
		err = w.ledger.Save(t.Context(), rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.target.held[at] = b
}

func (w *world) verify(t *testing.T, share float64) readback.Result {
	t.Helper()
	r, err := readback.Verify(t.Context(), w.store, w.task, w.ledger, w.target, readback.Options{
		Share: share, Tree: w.target.tree, Parallel: 1, Patience: engine.Options{Pause: time.Microsecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told writes the outcomes with the items that have them, as "missing a".
func told(r readback.Result) string {
	var out []string
	for _, f := range r.Findings {
		name := f.ID
		if name == "" {
			name = f.Location
		}
		out = append(out, string(f.Outcome)+" "+name)
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

func TestEachDamageIsFound(t *testing.T) {
	for _, tree := range []bool{false, true} {
		in := map[bool]string{true: "f/"}[tree]
		for name, c := range map[string]struct {
			share  float64
			damage func(held map[string]body)
			want   string
			proven int64
		}{
			"none":              {1, func(map[string]body) {}, "", 5},
			"deleted":           {0, func(h map[string]body) { delete(h, in+"b") }, "missing b", 4},
			"edited":            {0, func(h map[string]body) { h[in+"b"] = body{text: "mine", version: "2"} }, "changed b", 4},
			"saved as it was":   {0, func(h map[string]body) { h[in+"b"] = body{text: h[in+"b"].text, version: "2"} }, "", 5},
			"a flipped byte":    {1, func(h map[string]body) { h[in+"b"] = body{text: "The text of b+", version: "1"} }, "differs b", 4},
			"moved by its user": {0, func(h map[string]body) { h["mine"] = h[in+"c"]; delete(h, in+"c") }, "changed c", 4},
			"copied":            {0, func(h map[string]body) { h["again"] = h[in+"c"] }, "extra again", 5},
			"moved and copied": {0, func(h map[string]body) { h["x"], h["y"] = h[in+"c"], h[in+"c"]; delete(h, in+"c") },
				"changed c; extra y", 4},
			"somebody else's": {0, func(h map[string]body) { h["other"] = body{text: "the text of x", version: "1"} }, "", 5},
		} {
			t.Run(fmt.Sprintf("%s, tree %v", name, tree), func(t *testing.T) {
				w := newWorld(t, tree)
				c.damage(w.target.held)
				r := w.verify(t, c.share)
				proven := c.proven
				if tree {
					proven += 2 // the folders
				}
				if told(r) != c.want || r.Counts[readback.Proven] != proven {
					t.Errorf("found %q and %d proven, want %q and %d", told(r), r.Counts[readback.Proven], c.want, proven)
				}
			})
		}
	}
}

func TestAFolderThatIsGoneTellsAllThatLayInIt(t *testing.T) {
	w := newWorld(t, true)
	for at := range w.target.held {
		if at == "f" || strings.HasPrefix(at, "f/") {
			delete(w.target.held, at)
		}
	}
	delete(w.target.held, "g")
	if got, want := told(w.verify(t, 0)), "missing a; missing b; missing c; missing d; missing e; missing f; missing g"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestAFolderThatItsUserRenamed(t *testing.T) {
	w := newWorld(t, true)
	for at, b := range maps.Clone(w.target.held) {
		if at == "f" || strings.HasPrefix(at, "f/") {
			delete(w.target.held, at)
			w.target.held["renamed"+strings.TrimPrefix(at, "f")] = b
		}
	}
	r := w.verify(t, 0)
	if got, want := told(r), "changed a; changed b; changed c; changed d; changed e; changed f"; got != want {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestOnlyTheShareIsRead(t *testing.T) {
	w := newWorld(t, false)
	if r := w.verify(t, 0); r.Read != 0 || r.Counts[readback.Proven] != 5 {
		t.Errorf("%+v", r)
	}
	if r := w.verify(t, 1); r.Read != 5 || r.Counts[readback.Proven] != 5 {
		t.Errorf("%+v", r)
	}
	if r := w.verify(t, 0.5); r.Read == 0 || r.Read == 5 {
		t.Errorf("half of them is %d", r.Read)
	}
}

func TestAListingThatBreaksOffIsBegunAnew(t *testing.T) {
	w := newWorld(t, false)
	w.target.broken = 3
	delete(w.target.held, "b")
	if r := w.verify(t, 0); told(r) != "missing b" || r.Counts[readback.Proven] != 4 {
		t.Errorf("%+v", r)
	}
}

func TestWhatDeletionsKeptIsNotExpected(t *testing.T) {
	w := newWorld(t, false)
	for _, id := range []string{"a", "b"} {
		rec, _, err := w.ledger.Record(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		rec.State = checkpoint.Removed
		if err := w.ledger.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	delete(w.target.held, "a")
	if r := w.verify(t, 1); told(r) != "" || r.Counts[readback.Proven] != 3 || r.Others != 0 {
		t.Errorf("%+v", r)
	}
}

func TestOneObjectThatIsNotHandedOutHidesNoOther(t *testing.T) {
	w := newWorld(t, false)
	w.target.held["copy"] = w.target.held["a"]
	w.target.refused = map[string]error{
		"b":    fault.New(fault.FailItem, fault.TargetForbidden, "HTTP 403"),
		"c":    fault.New(fault.Retry, fault.TargetUnavailable, "HTTP 500"),
		"copy": fault.New(fault.FailItem, fault.TargetForbidden, "HTTP 403"),
	}
	delete(w.target.held, "e")
	r := w.verify(t, 1)
	if told(r) != "differs b; differs c; missing e" || r.Counts[readback.Proven] != 2 || r.Others != 1 {
		t.Errorf("%s: %+v", told(r), r)
	}
}

func TestAnEventAtOtherTimesDiffersInItsOwnWords(t *testing.T) {
	w := newWorld(t, false)
	w.target.mistimed = "b"
	r := w.verify(t, 1)
	if told(r) != "differs b" || r.Counts[readback.Proven] != 4 || r.Findings[0].Usual() || !strings.Contains(r.Findings[0].Detail, "other times") {
		t.Errorf("%+v", r)
	}
}

func TestAServerThatHandsOutNothingIsNoDamage(t *testing.T) {
	w := newWorld(t, false)
	w.target.refused = map[string]error{}
	for at := range w.target.held {
		w.target.refused[at] = fault.New(fault.Retry, fault.TargetUnavailable, "HTTP 500")
	}
	_, err := readback.Verify(t.Context(), w.store, w.task, w.ledger, w.target, readback.Options{
		Share: 1, Parallel: 1, Patience: engine.Options{Pause: time.Microsecond},
	})
	if err == nil {
		t.Error("nothing could be read, and nobody says so")
	}
}

func TestCopiesByRightAreNotExtra(t *testing.T) {
	w := newWorld(t, false)
	w.target.held["label/c"], w.target.also = w.target.held["c"], map[string]string{"c": "label/c", "d": "label/d"}
	if r := w.verify(t, 1); told(r) != "missing d" || r.Counts[readback.Proven] != 5 {
		t.Error(told(r))
	}
}

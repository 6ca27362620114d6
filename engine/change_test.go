package engine_test

import (
	"maps"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

func TestEachChangeIsTold(t *testing.T) {
	for _, propagate := range []bool{false, true} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, file("a", "", "a", "1"), file("b", "", "b", "1"), file("c", "", "c", "1")), newTreeSink(c)
		var mu sync.Mutex
		told := map[string]string{}
		o := quick
		o.Propagate = propagate
		o.Changed = func(change engine.Change) {
			mu.Lock()
			defer mu.Unlock()
			told[change.Location] += change.What
		}
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		if want := map[string]string{"a": "new", "b": "new", "c": "new"}; !maps.Equal(told, want) {
			t.Errorf("the first pass told %v", told)
		}
		clear(told)
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		if len(told) > 0 {
			t.Errorf("a pass without changes told %v", told)
		}
		edited := file("a", "", "a", "22")
		edited.Version = "second"
		broken := file("d", "", "d", "1")
		broken.Problem = fault.New(fault.FailItem, fault.SourceBadAnswer, "no")
		src.set(edited)
		src.set(gone[sources.File]("b"))
		src.set(broken)
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		want := map[string]string{"a": "updated", "b": engine.Kept, "": "failed"}
		if propagate {
			want["b"] = "removed"
		}
		if !maps.Equal(told, want) {
			t.Errorf("propagate=%v: told %v, want %v", propagate, told, want)
		}
	}
}

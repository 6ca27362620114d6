package engine_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
)

// drainAt closes a drain at the n-th call.
func drainAt(c *calls, n int) (o engine.Options, hit *bool) {
	drain, once := make(chan struct{}), sync.Once{}
	o, hit = quick, new(bool)
	o.Drain = drain
	c.disturb = func(i int, _ string, after bool) error {
		if i == n && !after {
			once.Do(func() { *hit = true; close(drain) })
		}
		return nil
	}
	return o, hit
}

// TestDrainedAnywhere drains a pass at each call in turn: each write that was begun has its record, and the next pass does the rest.
func TestDrainedAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
		o, hit := drainAt(c, n)
		err := mailEngine(src, dst, o).Run(t.Context(), b.ledger(c))
		if err != nil && !errors.Is(err, engine.ErrDrained) {
			t.Fatalf("drained at call %d: %v", n, err)
		}
		st := b.status()
		if copied := st.Counts[checkpoint.Copied]; copied != int64(c.count("put")) || st.Counts[checkpoint.Writing] != 0 || st.Error != "" || !st.Balanced() {
			t.Errorf("drained at call %d: %d writes, %+v", n, c.count("put"), st)
		}
		c.disturb = nil
		must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		if got := dst.state(); !slices.Equal(got, allMail) || c.count("put") != len(allMail) {
			t.Errorf("drained at call %d: the target holds %q after %d writes", n, got, c.count("put"))
		}
		if !*hit || t.Failed() {
			break
		}
	}
}

func TestTreeDrainedAnywhere(t *testing.T) {
	for n := 1; ; n += 3 {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
		src.stubs = n%2 == 0
		o, hit := drainAt(c, n)
		err := fileEngine(src, dst, o).Run(t.Context(), b.ledger(c))
		if err != nil && !errors.Is(err, engine.ErrDrained) {
			t.Fatalf("drained at call %d: %v", n, err)
		}
		if st := b.status(); st.Counts[checkpoint.Failed] != 0 || st.Error != "" || !st.Balanced() {
			t.Errorf("drained at call %d: %+v", n, st)
		}
		c.disturb = nil
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		wantTree(t, dst, allFiles)
		if !*hit && n > 20 || t.Failed() {
			break
		}
	}
}

// TestDrainEndsPauses: who waits for another try is left for the next pass, and has not failed.
func TestDrainEndsPauses(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, message("a", "a@x", "a")), newAppendSink(c)
	drain := make(chan struct{})
	o := engine.Options{Drain: drain}
	c.disturb = func(_ int, name string, after bool) error {
		if name != "put" || !after {
			return nil
		}
		close(drain)
		return fault.New(fault.Retry, fault.TargetUnavailable, "come back in an hour").WithAfter(3_000_000_000_000)
	}
	if err := mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)); !errors.Is(err, engine.ErrDrained) {
		t.Fatal(err)
	}
	if st := b.status(); st.Counts[checkpoint.Failed] != 0 || st.Counts[checkpoint.Writing] != 1 {
		t.Errorf("%+v", st)
	}
	c.disturb = nil
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("the target holds %q", got)
	}
}

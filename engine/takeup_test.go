package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// refusing is a target that refuses items before anything is written, each with a fault of its own.
type refusing[T sinks.Content] struct {
	sinks.Sink[T]
	faults map[string]*fault.Error
}

func (s refusing[T]) Put(ctx context.Context, it sinks.Item[T], prev sinks.Receipt) (sinks.Written, error) {
	if f := s.faults[it.ID]; f != nil {
		return sinks.Written{}, f
	}
	return s.Sink.Put(ctx, it, prev)
}

func failing(r fault.Reason) *fault.Error { return fault.New(fault.FailItem, r, "not now") }

// TestRunTakesUpWhatPassed: the next run brings what failed since a side was away, and asks for nothing else again.
func TestRunTakesUpWhatPassed(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	faults := map[string]*fault.Error{"m0": failing(fault.TargetUnavailable), "m1": failing(fault.SourceMalware), "m2": failing(fault.LocalDisk)}
	run := func() *engine.Counters {
		o := quick
		o.Counters = new(engine.Counters)
		must(t, mailEngine(src, refusing[sinks.Message]{dst, faults}, o).Run(t.Context(), b.ledger(c)))
		return o.Counters
	}
	if n := run().Again.Load(); n != 0 || b.status().Counts[checkpoint.Failed] != 3 {
		t.Fatalf("first run: %d taken up, %+v", n, b.status())
	}
	*c = calls{}
	if n := run(); n.Again.Load() != 2 || n.Failed.Load() != 2 || c.count("fetch") != 2 {
		t.Errorf("while nothing has passed: %d taken up, %d failed, %d fetched", n.Again.Load(), n.Failed.Load(), c.count("fetch"))
	}
	delete(faults, "m0")
	delete(faults, "m2")
	*c = calls{}
	if n := run(); n.Again.Load() != 2 || n.Written.Load() != 2 || c.count("fetch") != 2 {
		t.Errorf("when it has passed: %d taken up, %d written, %d fetched", n.Again.Load(), n.Written.Load(), c.count("fetch"))
	}
	if r := b.records()["m1"]; r.State != checkpoint.Failed || r.Reason != "source.malware" {
		t.Errorf("what does not pass by itself is %v, %s", r.State, r.Reason)
	}
	*c = calls{}
	if n := run(); n.Again.Load() != 0 || n.Listed.Load() != 0 || c.count("fetch") != 0 {
		t.Errorf("when nothing is left: %d taken up, %d listed, %d fetched", n.Again.Load(), n.Listed.Load(), c.count("fetch"))
	}
	if st := b.status(); !st.Balanced() {
		t.Errorf("%+v", st)
	}
}

// TestWhatWasNotTriedIsNotTakenUp: where the task ends before an item can be judged, as it does for a refused token, nothing was taken up.
func TestWhatWasNotTriedIsNotTakenUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		second *fault.Error // of the only item, in the second run
		want   int64
	}{
		{"refused for everybody", fault.New(fault.FailTask, fault.TargetAuth, "401"), 0},
		{"failed again", failing(fault.TargetLocked), 1},
		{"moved", nil, 1},
	} {
		b, calls := newBench(t), new(calls)
		src, dst := newFakeSource(calls, message("m0", "m0@x", "m0")), newAppendSink(calls)
		run := func(f *fault.Error) int64 {
			o := quick
			o.Counters = new(engine.Counters)
			err := mailEngine(src, refusing[sinks.Message]{dst, map[string]*fault.Error{"m0": f}}, o).Run(t.Context(), b.ledger(calls))
			if stops := f != nil && f.Action == fault.FailTask; (err != nil) != stops {
				t.Fatalf("%s: %v", c.name, err)
			}
			return o.Counters.Again.Load()
		}
		run(failing(fault.TargetUnavailable))
		if n := run(c.second); n != c.want {
			t.Errorf("%s: %d taken up, want %d", c.name, n, c.want)
		}
		if st := b.status(); !st.Balanced() {
			t.Errorf("%s: %+v", c.name, st)
		}
	}
}

// TestWhatFailsAgainKeepsNothingBack: where the same items find the target away each time, new ones come over all the same.
func TestWhatFailsAgainKeepsNothingBack(t *testing.T) {
	b, c := newBench(t), new(calls)
	var many []sources.Item[sources.Message]
	faults := map[string]*fault.Error{}
	for i := range 100 {
		id := fmt.Sprintf("old%02d", i)
		many = append(many, message(id, id+"@x", id))
		faults[id] = failing(fault.TargetLocked)
	}
	src, dst := newFakeSource(c, many...), newAppendSink(c)
	run := func() error {
		return mailEngine(src, refusing[sinks.Message]{dst, faults}, quick).Run(t.Context(), b.ledger(c))
	}
	must(t, run())
	for id := range faults {
		faults[id] = failing(fault.TargetUnavailable)
	}
	src.set(message("new", "new@x", "new"))
	*c = calls{}
	must(t, run())
	if got := dst.state(); !slices.Equal(got, []string{"new"}) || c.count("fetch") > 50 {
		t.Errorf("the target holds %q, and %d were fetched before it was given up", got, c.count("fetch"))
	}
	if st := b.status(); st.Counts[checkpoint.Failed] != 100 || st.Error != "" || !st.Balanced() {
		t.Errorf("%+v", st)
	}
	clear(faults)
	must(t, run())
	if st := b.status(); st.Counts[checkpoint.Copied] != 101 || len(dst.state()) != 101 {
		t.Errorf("afterwards: %+v", st)
	}
}

// TestRunTakesUpWholeTrees: what could not come for want of its folder comes with it, however deep it lies; below a folder that is
// refused nothing is asked for.
func TestRunTakesUpWholeTrees(t *testing.T) {
	for _, passes := range []bool{true, false} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
		reason := fault.TargetForbidden
		if passes {
			reason = fault.TargetThrottled
		}
		faults := map[string]*fault.Error{}
		for _, it := range someFiles() {
			if it.Content.Type == sources.Folder && it.Content.ParentID == "" {
				faults[it.ID] = failing(reason)
			}
		}
		run := func() {
			e := fileEngine(src, refusing[sinks.File]{dst, faults}, quick)
			must(t, e.Run(t.Context(), b.ledger(c)))
		}
		run()
		if n := b.status().Counts[checkpoint.Failed]; n <= int64(len(faults)) {
			t.Fatalf("nothing failed for want of its folder: %d", n)
		}
		*c = calls{}
		run()
		if n := c.count("fetch"); (n > 0) != passes {
			t.Errorf("passes=%v: %d were fetched", passes, n)
		}
		if !passes {
			continue
		}
		clear(faults)
		run()
		wantTree(t, dst, allFiles)
		if st := b.status(); st.Counts[checkpoint.Failed] != 0 || !st.Balanced() {
			t.Errorf("%+v", st)
		}
	}
}

// TestTakingUpDrainedAnywhere drains the run that takes up at each call in turn; the next one does the rest, once.
func TestTakingUpDrainedAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
		faults := map[string]*fault.Error{"m0": failing(fault.TargetLocked), "m3": failing(fault.TargetThrottled), "m5": failing(fault.SourceBrokenBody)}
		must(t, mailEngine(src, refusing[sinks.Message]{dst, faults}, quick).Run(t.Context(), b.ledger(c)))
		*c = calls{}
		o, hit := drainAt(c, n)
		if err := mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)); err != nil && !errors.Is(err, engine.ErrDrained) {
			t.Fatalf("drained at call %d: %v", n, err)
		}
		c.disturb = nil
		must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		if got := dst.state(); !slices.Equal(got, allMail) || c.count("put") != 3 || !b.status().Balanced() {
			t.Errorf("drained at call %d: the target holds %q after %d writes", n, strings.Join(got, ","), c.count("put"))
		}
		if !*hit || t.Failed() {
			break
		}
	}
}

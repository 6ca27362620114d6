package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// someMail holds twins: two messages that no search can tell apart.
func someMail() []sources.Item[sources.Message] {
	items := []sources.Item[sources.Message]{message("twin1", "twin@x", "same"), message("twin2", "twin@x", "same")}
	for i := range 6 {
		items = append(items, message(fmt.Sprint("m", i), fmt.Sprintf("m%d@x", i), fmt.Sprint("text ", i)))
	}
	return items
}

var allMail = []string{"same", "same", "text 0", "text 1", "text 2", "text 3", "text 4", "text 5"}

func TestRunCopiesEverythingOnce(t *testing.T) {
	for _, stubs := range []bool{false, true} {
		t.Run(fmt.Sprintf("stubs=%v", stubs), func(t *testing.T) {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
			src.stubs = stubs
			if err := mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)); err != nil {
				t.Fatal(err)
			}
			if got := dst.state(); !slices.Equal(got, allMail) {
				t.Errorf("target holds %q", got)
			}
			st := b.status()
			if st.Listed != 8 || st.Counts[checkpoint.Copied] != 8 || !st.Complete || st.Bytes != 4+4+6*6 {
				t.Errorf("status %+v", st)
			}
			if d := b.records()["m0"].Digest; len(d) != len("sha256:")+64 {
				t.Errorf("digest %q", d)
			}
		})
	}
}

func TestSecondPassMovesNothing(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	*c = calls{}
	var n engine.Counters
	o := quick
	o.Counters = &n
	must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	if c.count("put") != 0 || c.count("changes") != 1 || c.count("fetch") != 0 || n.Written.Load() != 0 {
		t.Errorf("calls of a second pass: %q", c.log)
	}
}

func TestOutcomes(t *testing.T) {
	b, c := newBench(t), new(calls)
	skipped, lossy, bad, problem := message("a", "a@x", "a"), message("b", "b@x", "b"), message("c", "c@x", "c"), message("d", "d@x", "d")
	skipped.Content.Categories = []string{"skip"}
	lossy.Content.Categories = []string{"lossy"}
	bad.Content.Body.Open = nil
	problem.Problem = fault.New(fault.Skip, fault.SourceMalware, "held")
	c.disturb = func(_ int, name string, after bool) error { return nil }
	src, dst := newFakeSource(c, skipped, lossy, problem), newAppendSink(c)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	want := map[string]checkpoint.State{"a": checkpoint.Skipped, "b": checkpoint.CopiedWithLosses, "d": checkpoint.Skipped}
	for id, r := range b.records() {
		if r.State != want[id] {
			t.Errorf("%s is %v, want %v (%s)", id, r.State, want[id], r.Message)
		}
	}
	if r := b.status().Reasons; r["source.malware"] != 1 || r["source.left_out"] != 1 || r["mail.test"] != 1 {
		t.Errorf("reasons %v", r)
	}
}

func TestFaultsThatPassFailNothing(t *testing.T) {
	faults := []error{
		errors.New("nobody classified this"),
		fault.New(fault.Retry, fault.SourceThrottled, "slow down").WithAfter(time.Microsecond),
		fault.New(fault.Retry, fault.TargetUnavailable, "503"),
	}
	for _, f := range faults {
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				if done := runWithFault(t, n, after, f); done {
					break
				}
			}
		}
	}
}

// runWithFault lets the n-th call of a run to source or sink fail once, and reports whether there was none.
func runWithFault(t *testing.T, n int, after bool, f error) (done bool) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	edge := 0
	hit := false
	c.disturb = func(_ int, name string, a bool) error {
		if name != "put" && name != "changes" && name != "fetch" && name != "find" || a != after {
			return nil
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if edge++; edge != n {
			return nil
		}
		hit = true
		return f
	}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, allMail) {
		t.Errorf("fault %v at call %d (after=%v): target holds %q", f, n, after, got)
	}
	if st := b.status(); st.Counts[checkpoint.Copied] != 8 {
		t.Errorf("fault %v at call %d (after=%v): %v", f, n, after, st.Counts)
	}
	return !hit
}

// TestCutAnywhere stops the run at each call in turn, before and after its effect, and runs again.
func TestCutAnywhere(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
			hit := cutAt(t, c, n, after, func(ctx context.Context) error {
				return mailEngine(src, dst, quick).Run(ctx, b.ledger(c))
			})
			must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			if got := dst.state(); !slices.Equal(got, allMail) {
				t.Errorf("cut at call %d (after=%v): target holds %q", n, after, got)
			}
			if st := b.status(); st.Counts[checkpoint.Copied] != 8 || st.Listed != 8 {
				t.Errorf("cut at call %d (after=%v): listed %d, %v", n, after, st.Listed, st.Counts)
			}
			if !hit {
				break
			}
		}
	}
}

// TestLedgerAfterCut wants sizes and losses in the ledger as if nobody had stopped the run.
func TestLedgerAfterCut(t *testing.T) {
	var want checkpoint.Status
	for n := 0; ; n++ { // 0: never
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, append(someMail(), message("l", "l@x", "lossy text"))...), newAppendSink(c)
		hit := n == 0 || cutAt(t, c, n, true, func(ctx context.Context) error {
			return mailEngine(src, dst, quick).Run(ctx, b.ledger(c))
		})
		must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		got := b.status()
		if n == 0 {
			want = got
		}
		if got.Bytes != want.Bytes || got.Counts != want.Counts || !maps.Equal(got.Reasons, want.Reasons) {
			t.Errorf("cut at call %d: %d bytes, %v, %v; want %d, %v, %v", n, got.Bytes, got.Counts, got.Reasons, want.Bytes, want.Counts, want.Reasons)
		}
		if !hit {
			break
		}
	}
	if want.Bytes == 0 || want.Reasons["target.test"] != 1 {
		t.Errorf("without a cut: %+v", want)
	}
}

// cutAt runs f and, from call n on, lets every call fail as if the process had been killed there.
func cutAt(t *testing.T, c *calls, n int, after bool, f func(ctx context.Context) error) (hit bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.mu.Lock()
	c.n, c.disturb = 0, func(i int, _ string, a bool) error {
		if i < n || i == n && a != after {
			return nil
		}
		cancel()
		return errCut
	}
	c.mu.Unlock()
	err := f(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	hit = c.n >= n
	if hit && err == nil && ctx.Err() != nil && c.n > n {
		t.Errorf("cut at call %d went unnoticed", n)
	}
	c.disturb = nil
	return hit
}

func TestTaskFaultStopsAndIsRemembered(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	full := fault.New(fault.FailTask, fault.TargetQuota, "mailbox is full").WithAfter(time.Hour)
	c.disturb = func(_ int, name string, after bool) error {
		if name == "put" && c.count("put") > 3 && !after {
			return full
		}
		return nil
	}
	if err := mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)); !errors.Is(err, full) {
		t.Fatalf("Run: %v", err)
	}
	st := b.status()
	if st.Error == "" || time.Until(st.Until) < time.Minute || st.Counts[checkpoint.Failed] != 0 {
		t.Errorf("status %+v", st)
	}
	c.disturb = nil
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, allMail) {
		t.Errorf("target holds %q", got)
	}
	if st := b.status(); st.Error != "" || !st.Until.IsZero() {
		t.Errorf("error is still remembered: %+v", st)
	}
}

func TestFailedItemsAreRetriedOnDemand(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	c.disturb = func(_ int, name string, after bool) error {
		if name == "put" && after {
			return errors.New("the answer never came")
		}
		return nil
	}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	c.disturb = nil
	must(t, mailEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, allMail) {
		t.Errorf("target holds %q", got)
	}
	if st := b.status(); st.Counts[checkpoint.Copied] != 8 {
		t.Errorf("counts %v", st.Counts)
	}
}

func TestOutageStopsTheTask(t *testing.T) {
	b, c := newBench(t), new(calls)
	var many []sources.Item[sources.Message]
	for i := range 40 {
		many = append(many, message(fmt.Sprint(i), fmt.Sprintf("%d@x", i), fmt.Sprint(i)))
	}
	src, dst := newFakeSource(c, many...), newAppendSink(c)
	src.pageSize = 100
	c.disturb = func(_ int, name string, _ bool) error {
		if name == "put" {
			return fault.New(fault.Retry, fault.TargetUnavailable, "connection refused")
		}
		return nil
	}
	if f := fault.Of(mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c))); f == nil || f.Reason != fault.TargetUnavailable {
		t.Fatalf("Run: %v", f)
	}
	if n := b.status().Counts[checkpoint.Failed]; n > 12 {
		t.Errorf("%d items failed although the target was down", n)
	}
}

func TestDeletionsAndExpiredCursor(t *testing.T) {
	for _, propagate := range []bool{false, true} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
		o := quick
		o.Propagate = propagate
		must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		src.set(gone[sources.Message]("m0"))
		src.set(gone[sources.Message]("never seen"))
		must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		src.set(gone[sources.Message]("m1"))
		src.set(message("new", "new@x", "new"))
		src.expireBefore = len(src.changes)
		*c = calls{}
		must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		if n := c.count("put"); n != 1 {
			t.Errorf("propagate=%v: a relist wrote %d items, want 1", propagate, n)
		}
		want := []string{"new", "same", "same", "text 0", "text 1", "text 2", "text 3", "text 4", "text 5"}
		if propagate {
			want = slices.DeleteFunc(want, func(s string) bool { return s == "text 0" || s == "text 1" })
		}
		if got := dst.state(); !slices.Equal(got, want) {
			t.Errorf("propagate=%v: target holds %q", propagate, got)
		}
		if st := b.status(); st.Counts[checkpoint.Removed] != 2 || st.Listed != 9 || st.Generation != 2 {
			t.Errorf("propagate=%v: %+v", propagate, st)
		}
	}
}

// relisting is a source that lists stubs, with versions when it lists anew.
type relisting struct {
	*fakeSource[sources.Message]
	relisted int
}

func (r *relisting) Relist(ctx context.Context) (sources.Page[sources.Message], error) {
	r.relisted++
	page, err := r.Changes(ctx, "")
	for i := range page.Items {
		page.Items[i].Version = r.items[page.Items[i].ID].Version
	}
	return page, err
}

// TestRelist: what changed before the provider forgot the position comes over where a source can tell it, and the first listing is a plain one.
func TestRelist(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := &relisting{fakeSource: newFakeSource(c, someMail()...)}, newAppendSink(c)
	src.stubs, src.pageSize = true, 100
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if src.relisted != 0 {
		t.Error("the first listing is no plain one")
	}
	m := message("m3", "m3@x", "text 3")
	m.Version, m.Content.Starred = "2", true
	src.set(m)
	src.expireBefore = len(src.changes)
	*c = calls{}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if src.relisted != 1 || c.count("fetch") != 1 || c.count("put") != 1 {
		t.Errorf("%d listings anew, %d items fetched and %d written", src.relisted, c.count("fetch"), c.count("put"))
	}
}

func TestChangedItemIsWrittenAgain(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	m := message("m3", "m3@x", "text 3")
	m.Version, m.Content.Categories = "2", []string{"!"}
	src.set(m)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); len(got) != 8 || !slices.Contains(got, "text 3!") {
		t.Errorf("target holds %q", got)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package engine_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// heldSink calls before ahead of each Put.
type heldSink struct {
	*appendSink
	before func(ctx context.Context, item sinks.Item[sinks.Message]) error
}

func (s heldSink) Put(ctx context.Context, item sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	if err := s.before(ctx, item); err != nil {
		return sinks.Written{}, err
	}
	return s.appendSink.Put(ctx, item, prev)
}

func numbered(n int) []sources.Item[sources.Message] {
	var items []sources.Item[sources.Message]
	for i := range n {
		items = append(items, message(fmt.Sprint("m", i), fmt.Sprintf("m%d@x", i), fmt.Sprint(i)))
	}
	return items
}

// waitFor returns when the channel is closed, or the context has ended.
func waitFor(ctx context.Context, c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestNextPageBeginsBesideASlowItem(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, c := newBench(t), new(calls)
	begun := make(chan struct{})
	sink := heldSink{newAppendSink(c), func(ctx context.Context, it sinks.Item[sinks.Message]) error {
		switch it.ID {
		case "m0":
			return waitFor(ctx, begun)
		case "m3": // of the second page
			close(begun)
		}
		return nil
	}}
	if err := mailEngine(newFakeSource(c, numbered(9)...), sink, quick).Run(ctx, b.ledger(c)); err != nil {
		t.Fatal(err)
	}
	if st := b.status(); st.Counts[checkpoint.Copied] != 9 || !st.Complete {
		t.Errorf("status %+v", st)
	}
}

// heldTree calls before ahead of each Put.
type heldTree struct {
	*treeSink
	before func(ctx context.Context, item sinks.Item[sinks.File]) error
}

func (s heldTree) Put(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	if err := s.before(ctx, item); err != nil {
		return sinks.Written{}, err
	}
	return s.treeSink.Put(ctx, item, prev)
}

// TestFilesOfTwoPagesAtOnce: a slow file does not hold up the folders and files of the next page.
func TestFilesOfTwoPagesAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, c := newBench(t), new(calls)
	src := newFakeSource(c, folder("d1", "", "one"), file("f1", "d1", "slow", "1"), file("f2", "d1", "quick", "2"),
		folder("d2", "d1", "two"), file("f3", "d2", "next", "3"))
	begun := make(chan struct{})
	dst := newTreeSink(c)
	sink := heldTree{dst, func(ctx context.Context, it sinks.Item[sinks.File]) error {
		switch it.ID {
		case "f1":
			return waitFor(ctx, begun)
		case "f3":
			close(begun)
		}
		return nil
	}}
	if err := fileEngine(src, sink, quick).Run(ctx, b.ledger(c)); err != nil {
		t.Fatal(err)
	}
	wantTree(t, dst, []string{"one/", "one/slow=1", "one/quick=2", "one/two/", "one/two/next=3"})
}

// TestNextPageWaitsForFolders: what lies in the folders of a page is not begun before they are made, although there is
// nothing else on their page.
func TestNextPageWaitsForFolders(t *testing.T) {
	for range 20 {
		b, c := newBench(t), new(calls)
		src := newFakeSource(c, folder("d1", "", "one"), folder("d2", "", "two"), folder("d3", "", "three"),
			file("f1", "d3", "a", "1"), file("f2", "d2", "b", "2"), file("f3", "d1", "c", "3"))
		var mu sync.Mutex
		var begun []string
		sink := heldTree{newTreeSink(c), func(_ context.Context, it sinks.Item[sinks.File]) error {
			mu.Lock()
			begun = append(begun, it.ID)
			mu.Unlock()
			if it.ID == "d3" {
				runtime.Gosched() // whatever is ready may overtake it
			}
			return nil
		}}
		must(t, fileEngine(src, sink, quick).Run(t.Context(), b.ledger(c)))
		if c.count("fetch") != 0 || len(begun) != 6 {
			t.Fatalf("a folder that was under way was asked for again: %q, %q", begun, c.log)
		}
	}
}

// TestCursorWaitsForASlowItem stops a run when all items of the second page are written and one of the first is not: the
// next run must find that one.
func TestCursorWaitsForASlowItem(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b, c := newBench(t), new(calls)
	dst := newAppendSink(c)
	var mu sync.Mutex
	left := 5
	sink := heldSink{dst, func(ctx context.Context, it sinks.Item[sinks.Message]) error {
		if it.ID == "m0" {
			<-ctx.Done()
			return ctx.Err()
		}
		mu.Lock()
		defer mu.Unlock()
		if left--; left == 0 {
			cancel()
		}
		return nil
	}}
	src := newFakeSource(c, numbered(6)...)
	if err := mailEngine(src, sink, quick).Run(ctx, b.ledger(c)); err == nil {
		t.Fatal("the run was not interrupted")
	}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got, want := dst.state(), []string{"0", "1", "2", "3", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("target holds %q", got)
	}
}

func TestItemOnTwoPagesIsWrittenOnce(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, numbered(9)...), newAppendSink(c)
	src.order = slices.Insert(src.order, 3, "m0")
	third := make(chan struct{})
	asked := 0
	c.disturb = func(_ int, name string, after bool) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if name == "changes" && !after {
			if asked++; asked == 3 {
				close(third)
			}
		}
		return nil
	}
	sink := heldSink{dst, func(ctx context.Context, it sinks.Item[sinks.Message]) error {
		if it.ID == "m0" {
			return waitFor(ctx, third)
		}
		return nil
	}}
	must(t, mailEngine(src, sink, quick).Run(t.Context(), b.ledger(c)))
	if n := c.count("put"); n != 9 || len(dst.state()) != 9 {
		t.Errorf("%d writes, target holds %q", n, dst.state())
	}
}

// TestErrorOfAnItemIsTheRuns: what ends the task is told, and not the cancellation of everything else that follows.
func TestErrorOfAnItemIsTheRuns(t *testing.T) {
	b, c := newBench(t), new(calls)
	sink := heldSink{newAppendSink(c), func(ctx context.Context, it sinks.Item[sinks.Message]) error {
		if it.ID == "m3" { // the second page's first, and the last that finds a slot
			return fault.New(fault.FailTask, fault.TargetQuota, "the mailbox is full")
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	err := mailEngine(newFakeSource(c, numbered(9)...), sink, quick).Run(t.Context(), b.ledger(c))
	if f := fault.Of(err); f == nil || f.Reason != fault.TargetQuota {
		t.Errorf("Run: %v", err)
	}
}

// TestOnlyWhatWasBegunIsAskedFor: only what an earlier run may have begun is worth a look at the target, and that is noted.
func TestOnlyWhatWasBegunIsAskedFor(t *testing.T) {
	b, c := newBench(t), new(calls)
	dst := newAppendSink(c)
	var mu sync.Mutex
	again := map[string]bool{}
	sink := heldSink{dst, func(_ context.Context, it sinks.Item[sinks.Message]) error {
		mu.Lock()
		defer mu.Unlock()
		again[it.ID] = it.Again
		return nil
	}}
	src := newFakeSource(c, numbered(3)...)
	must(t, mailEngine(src, sink, quick).Run(t.Context(), b.ledger(c)))
	changed := message("m1", "m1@x", "1")
	changed.Version, changed.Content.Categories = "2", []string{"!"}
	src.set(changed)
	src.set(message("m9", "m9@x", "9"))
	must(t, mailEngine(src, sink, quick).Run(t.Context(), b.ledger(c)))
	for id, want := range map[string]bool{"m0": false, "m1": false, "m2": false, "m9": false} {
		if again[id] != want {
			t.Errorf("%s: Again is %v, want %v", id, again[id], want)
		}
	}
	if c.count("find") != 0 {
		t.Errorf("calls %q", c.log)
	}
}

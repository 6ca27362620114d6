package engine_test

import (
	"context"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

func TestConflictIsTriedAgainOnDemand(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, file("f", "", "f.txt", "ours"), file("g", "", "g.txt", "ours")), newTreeSink(c)
	dst.objects["f.txt"], dst.objects["g.txt"] = object{body: "theirs"}, object{body: "theirs"}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if n := b.status().Reasons["target.conflict"]; n != 2 {
		t.Fatalf("%d conflicts, want 2", n)
	}
	delete(dst.objects, "f.txt")
	must(t, fileEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"f.txt=ours", "g.txt=theirs"})
	if st := b.status(); st.Counts[checkpoint.Copied] != 1 || st.Counts[checkpoint.Failed] != 1 {
		t.Errorf("counts %v", st.Counts)
	}
}

func TestOtherSkipsAreLeftAlone(t *testing.T) {
	b, c := newBench(t), new(calls)
	skipped := message("m", "m@x", "text")
	skipped.Content.Categories = []string{"skip"}
	src, dst := newFakeSource(c, skipped), newAppendSink(c)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	must(t, mailEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	if n := c.count("fetch"); n != 0 {
		t.Errorf("%d items were fetched", n)
	}
}

// A fault that may pass is no conflict, however often it was met.
func TestPassingConflictIsAFailure(t *testing.T) {
	b, c := newBench(t), new(calls)
	src := newFakeSource(c, message("m", "m@x", "text"))
	dst := heldSink{newAppendSink(c), func(context.Context, sinks.Item[sinks.Message]) error {
		return fault.New(fault.Retry, fault.TargetConflict, "the mailbox vanished")
	}}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if r := b.records()["m"]; r.State != checkpoint.Failed {
		t.Errorf("the item is %v", r.State)
	}
	dst.before = func(context.Context, sinks.Item[sinks.Message]) error { return nil }
	must(t, mailEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, []string{"text"}) {
		t.Errorf("target holds %q", got)
	}
}

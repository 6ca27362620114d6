package engine_test

import (
	"context"
	"io"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

func notFound(context.Context) (io.ReadCloser, error) {
	return nil, fault.New(fault.FailItem, fault.SourceGone, "404: %w", sources.ErrGone)
}

// A body that cannot be found says nothing of its item.
func TestMissingBodyIsNoDeletion(t *testing.T) {
	b, c := newBench(t), new(calls)
	o := quick
	o.Propagate = true
	fresh, old := file("fresh", "", "fresh.txt", "new"), file("old", "", "old.txt", "old")
	fresh.Content.Body.Open = notFound
	src, dst := newFakeSource(c, fresh, old), newTreeSink(c)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	changed := file("old", "", "old.txt", "changed")
	changed.Content.Body.Open = notFound
	src.set(changed)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	for id, r := range b.records() {
		if r.State != checkpoint.Failed || r.Reason != string(fault.SourceGone) {
			t.Errorf("%s is %v, %s", id, r.State, r.Reason)
		}
	}
	wantTree(t, dst, []string{"old.txt=old"})
}

// A listing may leave out what is there.
func TestOmissionIsNoDeletion(t *testing.T) {
	b, c := newBench(t), new(calls)
	o := quick
	o.Propagate = true
	src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	src.set(gone[sources.File]("top"))
	src.order = slices.DeleteFunc(src.order, func(id string) bool { return id == "a1" || id == "empty" })
	src.expireBefore = len(src.changes)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, slices.DeleteFunc(slices.Clone(allFiles), func(s string) bool { return s == "top.txt=top" }))
}

// What could not be moved yet does not count as removed because a listing leaves it out.
func TestOmittedFailureIsTriedAgain(t *testing.T) {
	b, c := newBench(t), new(calls)
	bad := message("m", "m@x", "text")
	bad.Problem = fault.New(fault.FailItem, fault.SourceForbidden, "not now")
	src, dst := newFakeSource(c, bad, message("other", "o@x", "other")), newAppendSink(c)
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.items["m"] = message("m", "m@x", "text")
	src.order, src.changes, src.expireBefore = []string{"other"}, make([]change[sources.Message], 1), 1
	src.changes[0].item = message("other", "o@x", "other")
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, []string{"other", "text"}) {
		t.Errorf("target holds %q", got)
	}
}

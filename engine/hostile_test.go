package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// circlingSource has pages that lead back to one that was read before.
type circlingSource struct {
	*fakeSource[sources.Message]
	circle, asked int
}

var errTooOften = errors.New("asked too often")

func (s *circlingSource) Changes(_ context.Context, after sources.Cursor) (page sources.Page[sources.Message], err error) {
	var n int
	_, _ = fmt.Sscanf(string(after), "page %d", &n)
	if s.asked++; s.asked > 1000 {
		return page, fault.New(fault.FailTask, fault.Unknown, "%w", errTooOften)
	}
	page.Items, page.Listing, page.More = []sources.Item[sources.Message]{s.items[s.order[0]]}, true, true
	page.Next = sources.Cursor(fmt.Sprint("page ", 7+(n+1)%s.circle))
	return page, nil
}

func TestPagesThatLeadInACircleEndTheTask(t *testing.T) {
	for _, circle := range []int{1, 2, 3, 10} {
		b, c := newBench(t), new(calls)
		src := &circlingSource{newFakeSource(c, message("m", "m@x", "text")), circle, 0}
		dst := newAppendSink(c)
		err := mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c))
		if f := fault.Of(err); err == nil || f.Action != fault.FailTask || f.Reason != fault.SourceBadAnswer {
			t.Errorf("a circle of %d pages: %v", circle, err)
		}
		if r := b.records()["m"]; r.State != checkpoint.Copied {
			t.Errorf("a circle of %d pages: the item is %v", circle, r.State)
		}
	}
}

// deepSource has a parent above each folder.
type deepSource struct {
	*fakeSource[sources.File]
	fetched int
}

func (s *deepSource) Fetch(_ context.Context, id string) (sources.Item[sources.File], error) {
	if s.fetched++; s.fetched > 5000 {
		return sources.Item[sources.File]{}, fault.New(fault.FailTask, fault.Unknown, "%w", errTooOften)
	}
	return folder(id, id+"'", "above"), nil
}

func TestFoldersWithoutATopEndSomewhere(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := &deepSource{newFakeSource(c, file("f", "p", "f.txt", "text")), 0}, newTreeSink(c)
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if r := b.records()["f"]; !r.State.Final() {
		t.Errorf("the file is %v", r.State)
	}
}

package engine_test

import (
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// A folder moves into what lay in it once another one on the way there has moved out, although that is told later, on
// another page even.
func TestFolderMovesIntoWhatLayInIt(t *testing.T) {
	for _, pageSize := range []int{1, 10} {
		b, c := newBench(t), new(calls)
		src := newFakeSource(c, folder("top", "", "top"), folder("mid", "top", "mid"), folder("low", "mid", "low"), file("f", "top", "f.txt", "text"))
		src.pageSize = pageSize
		dst := newTreeSink(c)
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		src.set(folder("top", "low", "top"))
		src.set(folder("mid", "", "mid"))
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		wantTree(t, dst, []string{"mid/", "mid/low/", "mid/low/top/", "mid/low/top/f.txt=text"})
		if st := b.status(); st.Counts[checkpoint.Copied] != 4 {
			t.Errorf("pages of %d: %v", pageSize, st.Counts)
		}
	}
}

// Two folders that lie in each other for good are failures, and no circle of attempts.
func TestFoldersInEachOtherFail(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, folder("a", "", "a"), folder("b", "a", "b")), newTreeSink(c)
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.set(sources.Item[sources.File]{ID: "a", Version: "2", Content: sources.File{Name: "a", ParentID: "b", Type: sources.Folder}})
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"a/", "a/b/"})
	if r := b.records()["a"]; r.State != checkpoint.Failed || r.Reason != "target.no_parent" {
		t.Errorf("%v, %s", r.State, r.Reason)
	}
}

// What moved out of a folder stays although the folder is removed, with what lies in it.
func TestDeletedFolderLeavesWhatMovedOut(t *testing.T) {
	b, c := newBench(t), new(calls)
	o := quick
	o.Propagate = true
	src := newFakeSource(c, folder("old", "", "old"), folder("in", "old", "in"), folder("deep", "in", "deep"), file("f", "deep", "f.txt", "text"),
		file("g", "in", "g.txt", "gone"))
	dst := newTreeSink(c)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	src.set(folder("deep", "", "deep"))
	src.set(gone[sources.File]("old"))
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"deep/", "deep/f.txt=text"})
	if st := b.status(); st.Counts[checkpoint.Copied] != 2 || st.Counts[checkpoint.Removed] != 3 {
		t.Errorf("counts %v", st.Counts)
	}
}

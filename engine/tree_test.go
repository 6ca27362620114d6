package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// someFiles lists children before their parents, same-named siblings, an orphan and a file in itself's folder.
func someFiles() []sources.Item[sources.File] {
	orphan := file("orphan", "", "lost.txt", "lost")
	orphan.Content.Orphan = true
	return []sources.Item[sources.File]{
		file("deep", "inner", "deep.txt", "deep"), file("a1", "outer", "A.txt", "first"), file("a2", "outer", "a.txt", "second"),
		orphan, file("foreign", "nowhere", "far.txt", "far"), folder("inner", "outer", "inner"),
		folder("empty", "", "empty"), folder("outer", "", "outer"), file("top", "", "top.txt", "top"),
		folder("c1", "c2", "loop1"), folder("c2", "c1", "loop2"),
	}
}

var allFiles = []string{
	"_Orphans/", "_Orphans/far.txt=far", "_Orphans/loop1/", "_Orphans/loop1/loop2/", "_Orphans/lost.txt=lost", "empty/",
	"outer/", "outer/A.txt=first", "outer/a (2).txt=second", "outer/inner/", "outer/inner/deep.txt=deep", "top.txt=top",
}

func TestTree(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
	src.pageSize = 3
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, allFiles)
	if st := b.status(); st.Listed != 11 || st.Counts[checkpoint.Pending] != 0 || st.Reasons["file.renamed"] != 1 {
		t.Errorf("status %+v", st)
	}
}

func wantTree(t *testing.T, dst *treeSink, want []string) {
	t.Helper()
	want = slices.Clone(want)
	slices.Sort(want)
	if got := dst.state(); !slices.Equal(got, want) {
		t.Errorf("target holds %q\nwant %q", got, want)
	}
}

func TestTreeCutAnywhere(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
			hit := cutAt(t, c, n, after, func(ctx context.Context) error {
				return fileEngine(src, dst, quick).Run(ctx, b.ledger(c))
			})
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			wantTree(t, dst, allFiles)
			if st := b.status(); st.Listed != 11 || st.Counts[checkpoint.Failed] != 0 || st.Bytes != 25 {
				t.Errorf("cut at call %d (after=%v): %+v", n, after, st)
			}
			if !hit || t.Failed() {
				t.Logf("%d calls, after=%v", n, after)
				break
			}
		}
	}
}

// TestFolderRenameCutAnywhere stops a pass that renames, moves and deletes at each call in turn.
func TestFolderRenameCutAnywhere(t *testing.T) {
	want := []string{"_Orphans/", "_Orphans/far.txt=far", "_Orphans/loop1/", "_Orphans/loop1/loop2/", "_Orphans/lost.txt=lost",
		"empty/", "empty/renamed/", "empty/renamed/A.txt=first", "empty/renamed/a (2).txt=second", "inner/", "inner/deep.txt=changed"}
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
			o := quick
			o.Propagate = true
			must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
			src.set(folder("outer", "empty", "renamed"))
			src.set(folder("inner", "", "inner"))
			src.set(file("deep", "inner", "deep.txt", "changed"))
			src.set(gone[sources.File]("top"))
			hit := cutAt(t, c, n, after, func(ctx context.Context) error {
				return fileEngine(src, dst, o).Run(ctx, b.ledger(c))
			})
			must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
			wantTree(t, dst, want)
			if !hit || t.Failed() {
				t.Logf("%d calls, after=%v", n, after)
				break
			}
		}
	}
}

func TestFolderRenameIsOneMove(t *testing.T) {
	b, c := newBench(t), new(calls)
	items := []sources.Item[sources.File]{folder("dir", "", "before")}
	for i := range 50 {
		items = append(items, file(fmt.Sprint("f", i), "dir", fmt.Sprintf("%d.txt", i), fmt.Sprint(i)))
	}
	src, dst := newFakeSource(c, items...), newTreeSink(c)
	src.pageSize = 100
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.set(folder("dir", "", "after"))
	*c = calls{}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if n := c.count("put"); n != 1 {
		t.Errorf("%d writes for a renamed folder", n)
	}
	src.set(file("f7", "dir", "seven.txt", "seven"))
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	got := dst.state()
	if len(got) != 51 || !slices.Contains(got, "after/seven.txt=seven") || !slices.Contains(got, "after/8.txt=8") {
		t.Errorf("target holds %q", got)
	}
}

func TestDeletedFolderTakesItsContentAlong(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
	o := quick
	o.Propagate = true
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	dst.objects["outer/inner/users own.txt"] = object{body: "new"}
	src.set(gone[sources.File]("outer"))
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"_Orphans/", "_Orphans/far.txt=far", "_Orphans/loop1/", "_Orphans/loop1/loop2/", "_Orphans/lost.txt=lost",
		"empty/", "outer/", "outer/inner/", "outer/inner/users own.txt=new", "top.txt=top"})
	if st := b.status(); st.Counts[checkpoint.Removed] != 5 {
		t.Errorf("counts %v", st.Counts)
	}
}

func TestRestoredFolderBringsItsContentBack(t *testing.T) {
	for _, propagate := range []bool{false, true} {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someFiles()...), newTreeSink(c)
		o := quick
		o.Propagate = propagate
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		outer := src.items["outer"]
		src.changes = append(src.changes, change[sources.File]{gone[sources.File]("outer")})
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		src.set(outer)
		must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
		wantTree(t, dst, allFiles)
		if st := b.status(); st.Counts[checkpoint.Removed] != 0 {
			t.Errorf("propagate=%v: counts %v", propagate, st.Counts)
		}
	}
}

// TestConflicts tells what a user made of an item, which stays, from an item that never came over.
func TestConflicts(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, file("mine", "", "mine.txt", "from the source")), newTreeSink(c)
	dst.objects["mine.txt"] = object{body: "somebody else's"}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if r := b.records()["mine"]; r.State != checkpoint.Failed || r.Reason != "target.conflict" {
		t.Errorf("a file whose place is taken is %v, %s", r.State, r.Reason)
	}
	delete(dst.objects, "mine.txt")
	must(t, fileEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"mine.txt=from the source"})

	src.set(file("mine", "", "mine.txt", "newer"))
	dst.objects["mine.txt"] = object{body: "the user's edit"}
	c.disturb = func(_ int, name string, after bool) error {
		if name == "put" && !after {
			return fault.New(fault.FailItem, fault.TargetConflict, "changed since")
		}
		return nil
	}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if r := b.records()["mine"]; r.State != checkpoint.Skipped || r.Reason != "target.conflict" {
		t.Errorf("a file that the user changed is %v, %s", r.State, r.Reason)
	}
	wantTree(t, dst, []string{"mine.txt=the user's edit"})
	c.disturb = nil
	must(t, fileEngine(src, dst, quick).Retry(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"mine.txt=newer"})
}

func TestABodyThatDiffersIsALoss(t *testing.T) {
	b, c := newBench(t), new(calls)
	differs := true
	changed := func(name, body, version string) sources.Item[sources.File] {
		it := file("doc", "", name, body)
		it.Version, it.Content.Body.Version = version, body
		it.Content.Body.Differs = func() string {
			if differs {
				return sources.Rewritten
			}
			return ""
		}
		return it
	}
	src, dst := newFakeSource(c, changed("a.docx", "first", "1")), newTreeSink(c)
	run := func(step string, losses int, state checkpoint.State) {
		t.Helper()
		must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		if rec := b.records()["doc"]; len(rec.Losses) != losses || rec.State != state {
			t.Errorf("%s: %v with the losses %v", step, rec.State, rec.Losses)
		}
	}
	run("read", 1, checkpoint.CopiedWithLosses)
	src.set(changed("b.docx", "first", "2"))
	run("renamed and not read again", 1, checkpoint.CopiedWithLosses)
	differs = false
	src.set(changed("c.docx", "first", "3"))
	run("renamed again", 1, checkpoint.CopiedWithLosses)
	src.set(changed("c.docx", "second", "4"))
	run("read again", 0, checkpoint.Copied)
}

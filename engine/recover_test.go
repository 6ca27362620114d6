package engine_test

import (
	"context"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestDeletedAfterACut ends a pass at each call, has two messages deleted at the source, and runs again: none of them may stay, and their
// twins must.
func TestDeletedAfterACut(t *testing.T) {
	o := quick
	o.Propagate = true
	for _, after := range []bool{false, true} {
		for n, hit := 1, true; hit; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
			hit = cutAt(t, c, n, after, func(ctx context.Context) error { return mailEngine(src, dst, o).Run(ctx, b.ledger(c)) })
			src.set(gone[sources.Message]("twin1"))
			src.set(gone[sources.Message]("m3"))
			must(t, mailEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
			want := []string{"same", "text 0", "text 1", "text 2", "text 4", "text 5"}
			if got := dst.state(); !slices.Equal(got, want) {
				t.Errorf("cut at call %d (after=%v): the target holds %q", n, after, got)
			}
			if st := b.status(); !st.Balanced() || st.Counts[checkpoint.Copied] != int64(len(want)) {
				t.Errorf("cut at call %d (after=%v): %v", n, after, st.Counts)
			}
		}
	}
}

// TestKeptAfterACut is TestDeletedAfterACut where deletions are kept: what an interrupted write left is the record's, so that an undo knows it.
func TestKeptAfterACut(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, message("m", "m@x", "text")), newAppendSink(c)
	ctx, cancel := context.WithCancel(t.Context())
	c.disturb = func(_ int, name string, after bool) error {
		if name != "put" || !after {
			return nil
		}
		cancel()
		return errCut
	}
	if err := mailEngine(src, dst, quick).Run(ctx, b.ledger(c)); err == nil {
		t.Fatal("the pass was not cut")
	}
	c.disturb = nil
	src.set(gone[sources.Message]("m"))
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if r := b.records()["m"]; r.State != checkpoint.Removed || r.Location != "uid1" {
		t.Errorf("%+v", r)
	}
}

// TestSecondTryKeepsWhatTheUserMoved refuses a change of a message for the moment. The next try, in the same pass, may not take what the
// user moved meanwhile for what the first one did.
func TestSecondTryKeepsWhatTheUserMoved(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := newFakeSource(c, message("m", "m@x", "one")), seekingSink{newAppendSink(c)}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	dst.moveAll()
	dst.noted = func(string) bool { return false } // not to where a change was to move it
	changed := message("m", "m@x", "one")
	changed.Version, changed.Content.Categories = "2", []string{"read"}
	src.set(changed)
	tries := 0
	c.disturb = func(_ int, name string, after bool) error {
		if name != "put" || !after && tries > 0 {
			return nil
		}
		if tries++; tries == 1 {
			return fault.New(fault.Retry, fault.TargetUnavailable, "not now")
		}
		return nil
	}
	must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if got := dst.state(); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the target holds %q", got)
	}
	if r := b.records()["m"]; r.State != checkpoint.Skipped || r.Reason != string(fault.TargetConflict) {
		t.Errorf("%+v", r)
	}
}

// TestChangesWhileBroken: a pass that goes on where an earlier one was broken off brings what changed since at its beginning, too.
func TestChangesWhileBroken(t *testing.T) {
	for n, hit := 1, true; hit; n++ {
		b, c := newBench(t), new(calls)
		src, dst := newFakeSource(c, someMail()...), newAppendSink(c)
		hit = cutAt(t, c, n, true, func(ctx context.Context) error { return mailEngine(src, dst, quick).Run(ctx, b.ledger(c)) })
		changed := message("twin1", "twin@x", "same")
		changed.Version, changed.Content.Categories = "2", []string{"read"}
		src.set(changed)
		must(t, mailEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
		if got := dst.state(); !slices.Contains(got, "sameread") || len(got) != 8 {
			t.Errorf("cut at call %d: the target holds %q", n, got)
		}
	}
}

// TestMoveBackAfterACut: a file whose move was broken off, and that its source moved back since, is where the source has it.
func TestMoveBackAfterACut(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n, hit := 1, true; hit; n++ {
			b, c := newBench(t), new(calls)
			src, dst := newFakeSource(c, folder("dir", "", "dir"), file("f", "", "f", "text")), newTreeSink(c)
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			src.set(file("f", "dir", "f", "text"))
			hit = cutAt(t, c, n, after, func(ctx context.Context) error { return fileEngine(src, dst, quick).Run(ctx, b.ledger(c)) })

			src.items["f"] = file("f", "", "f", "text")
			src.changes, src.expireBefore = append(src.changes, change[sources.File]{src.items["f"]}), 2 // the position is forgotten
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			wantTree(t, dst, []string{"dir/", "f=text"})
		}
	}
}

// TestOrphansAreMade remembers of the folder for orphans that the job made it, and nothing of one that was there.
func TestOrphansAreMade(t *testing.T) {
	for _, there := range []bool{false, true} {
		b, c := newBench(t), new(calls)
		orphan := file("o", "", "o", "text")
		orphan.Content.Orphan = true
		src, dst := newFakeSource(c, orphan), newTreeSink(c)
		if there {
			dst.objects["_Orphans"] = object{item: engine.OrphanFolder, path: "_Orphans", folder: true}
		}
		must(t, fileEngine(src, foldersSink{dst}, quick).Run(t.Context(), b.ledger(c)))
		nodes, err := b.ledger(c).Children(t.Context(), "", "", 10)
		if must(t, err); len(nodes) != 1 {
			t.Fatalf("%+v", nodes)
		}
		at, made := engine.MadeOrphans(nodes[0], "_Orphans")
		if made == there || at.Location != "_Orphans" {
			t.Errorf("there before: %v; made: %v, %+v", there, made, at)
		}
	}
}

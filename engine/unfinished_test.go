package engine_test

import (
	"context"
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestRemovalIsNotRepeatedElsewhere removes a folder, is stopped before that is on record, and makes another one of the
// same name.
func TestRemovalIsNotRepeatedElsewhere(t *testing.T) {
	b, c := newBench(t), new(calls)
	o := quick
	o.Propagate = true
	src, dst := newFakeSource(c, folder("first", "", "dir")), newTreeSink(c)
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	src.set(gone[sources.File]("first"))
	ctx, cancel := context.WithCancel(t.Context())
	c.disturb = func(_ int, name string, after bool) error {
		if name == "forget" && after {
			cancel()
			return errCut
		}
		return nil
	}
	if err := fileEngine(src, dst, o).Run(ctx, b.ledger(c)); err == nil {
		t.Fatal("the pass was not stopped")
	}
	c.disturb = nil
	src.set(folder("second", "", "dir"))
	must(t, fileEngine(src, dst, o).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"dir/"})
}

// strictSink makes a folder anew that is neither at its old place nor at its new one, as the WebDAV sink does.
type strictSink struct{ *treeSink }

func (s strictSink) Put(ctx context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	s.mu.Lock()
	_, there := s.objects[prev.Location]
	_, done := s.objects[sinks.PathLocation(it.Content.Path)]
	s.mu.Unlock()
	if it.Content.Folder && !there && !done {
		prev = sinks.Receipt{}
	}
	return s.treeSink.Put(ctx, it, prev)
}

// TestSecondRenameAfterACut stops a pass after a move that is not on record yet, and renames once more.
func TestSecondRenameAfterACut(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			b, c := newBench(t), new(calls)
			src := newFakeSource(c, folder("dir", "", "one"), file("in", "dir", "in.txt", "in"), file("f", "", "f1", "text"))
			src.pageSize = 100 // of several changes of an item, a page counts the last
			dst := strictSink{newTreeSink(c)}
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			src.set(folder("dir", "", "two"))
			src.set(file("f", "", "f2", "changed"))
			hit := cutAt(t, c, n, after, func(ctx context.Context) error {
				return fileEngine(src, dst, quick).Run(ctx, b.ledger(c))
			})
			src.set(folder("dir", "", "three"))
			src.set(file("f", "dir", "f3", "changed"))
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
			wantTree(t, dst.treeSink, []string{"three/", "three/in.txt=in", "three/f3=changed"})
			if !hit || t.Failed() {
				t.Logf("%d calls, after=%v", n, after)
				break
			}
		}
	}
}

package engine_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"codeberg.org/repatriate/repatriate/sources"
)

// holdingSource is a source that tells what lies in a folder.
type holdingSource struct {
	*fakeSource[sources.File]
	asked int
}

func (s *holdingSource) Holds(_ context.Context, folders []string) iter.Seq2[string, error] {
	s.asked++
	return func(yield func(string, error) bool) {
		for _, id := range s.order {
			if slices.Contains(folders, s.items[id].Content.ParentID) && !yield(id, nil) {
				return
			}
		}
	}
}

// appear has something be there without a change that tells of it.
func (s *holdingSource) appear(items ...sources.Item[sources.File]) {
	for _, it := range items {
		s.set(it)
		s.changes = s.changes[:len(s.changes)-1]
	}
}

// A folder that comes back from the trash is reported alone, although nobody has seen what is in it.
func TestAppearedFolderBringsItsContent(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := &holdingSource{fakeSource: newFakeSource(c, file("f", "", "f.txt", "text"))}, newTreeSink(c)
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.appear(folder("in", "back", "in"), file("deep", "in", "deep.txt", "deep"))
	src.set(folder("back", "", "back"))
	// An interruption at any moment loses nothing.
	for n, hit := 1, true; hit; n += 3 {
		hit = cutAt(t, c, n, n%2 == 0, func(ctx context.Context) error { return fileEngine(src, dst, quick).Run(ctx, b.ledger(c)) })
	}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"back/", "back/in/", "back/in/deep.txt=deep", "f.txt=text"})
	if g := b.status().Generation; g < 2 {
		t.Errorf("%d listings", g)
	}
}

// A folder that was just made is reported with its content, and needs no listing.
func TestNewFolderNeedsNoListing(t *testing.T) {
	b, c := newBench(t), new(calls)
	src, dst := &holdingSource{fakeSource: newFakeSource(c, file("f", "", "f.txt", "text"))}, newTreeSink(c)
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	src.set(folder("new", "", "new"))
	src.set(file("in", "new", "in.txt", "in"))
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	wantTree(t, dst, []string{"f.txt=text", "new/", "new/in.txt=in"})
	if g := b.status().Generation; g != 1 || src.asked != 1 {
		t.Errorf("%d listings, asked %d times", g, src.asked)
	}
	must(t, fileEngine(src, dst, quick).Run(t.Context(), b.ledger(c)))
	if src.asked != 1 {
		t.Errorf("asked %d times", src.asked)
	}
}

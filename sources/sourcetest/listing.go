package sourcetest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"codeberg.org/repatriate/repatriate/sources"
)

func (s suite[T]) listing(t *testing.T, c Collection[T]) {
	steps := walk(t, c.Source, "")
	if len(steps) < 2 {
		t.Errorf("the listing has %d pages; the harness promises several", len(steps))
	}
	// Changes that came during the listing may follow it within the same pass.
	done := slices.IndexFunc(steps, func(st step[T]) bool { return st.page.ListingDone })
	for i, st := range steps {
		if st.page.Listing != (i <= done) || st.page.ListingDone != (i == done) {
			t.Errorf("page %d of %d: Listing %v, ListingDone %v", i+1, len(steps), st.page.Listing, st.page.ListingDone)
		}
		if st.page.Next == "" {
			t.Errorf("page %d has no cursor", i+1)
		}
	}
	items := final(steps)
	if diff := cmp.Diff(sortedIDs(c.Held(t)), sortedIDs(items)); diff != "" {
		t.Errorf("held and listed differ:\n%s", diff)
	}
	for id, it := range items {
		if it.Deleted {
			t.Errorf("%s is listed as deleted", id)
		}
		if !it.Stub && it.Version == "" {
			t.Errorf("%s is complete and has no version", id)
		}
	}
	if next := walk(t, c.Source, last(steps)); len(final(next)) != 0 || next[0].page.Listing {
		t.Errorf("the pass after the listing yields %v, Listing %v", sortedIDs(final(next)), next[0].page.Listing)
	}
}

func (s suite[T]) replay(t *testing.T, c Collection[T]) {
	first := walk(t, c.Source, "")
	sameAgain(t, c, first[1:])
	id := c.Add(t)
	c.Change(t, sortedIDs(c.Held(t))[0])
	later := walk(t, c.Source, last(first))
	if _, ok := final(later)[id]; !ok {
		t.Errorf("the later pass lacks the new item %s", id)
	}
	sameAgain(t, c, later)
}

// sameAgain asks for each page once more, nothing having changed meanwhile.
func sameAgain[T sources.Content](t *testing.T, c Collection[T], steps []step[T]) {
	t.Helper()
	for i, st := range steps {
		for _, src := range []sources.Source[T]{c.Source, c.Reopen(t)} {
			again, err := src.Changes(deadline(t), st.after)
			if err != nil {
				t.Fatalf("page %d again: %v", i+1, err)
			}
			if again.Next != st.page.Next || again.More != st.page.More || again.Listing != st.page.Listing || again.ListingDone != st.page.ListingDone {
				t.Errorf("page %d again leads elsewhere: %q instead of %q", i+1, again.Next, st.page.Next)
			}
			if diff := cmp.Diff(shapes(st.page.Items), shapes(again.Items)); diff != "" {
				t.Errorf("page %d again has other items:\n%s", i+1, diff)
			}
		}
	}
}

func shapes[T sources.Content](items []sources.Item[T]) []string {
	var out []string
	for _, it := range items {
		out = append(out, shape(it))
	}
	return out
}

// handOver reads each page by a source of its own.
func (s suite[T]) handOver(t *testing.T, c Collection[T]) {
	items := map[string]bool{}
	after := sources.Cursor("")
	for range maxPages {
		page, err := c.Reopen(t).Changes(deadline(t), after)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			items[it.ID] = true
			full := complete(t, c.Reopen(t), it)
			release(full)
		}
		if after = page.Next; !page.More {
			break
		}
	}
	if diff := cmp.Diff(sortedIDs(c.Held(t)), sortedIDs(items)); diff != "" {
		t.Errorf("held and listed differ:\n%s", diff)
	}
}

func (s suite[T]) fetch(t *testing.T, c Collection[T]) {
	held := c.Held(t)
	for id, it := range final(walk(t, c.Source, "")) {
		full := complete(t, c.Source, it)
		again, err := c.Source.Fetch(deadline(t), id)
		if err != nil {
			t.Fatalf("Fetch of %s: %v", id, err)
		}
		if full.ID != id || full.Stub || full.Deleted || full.Version == "" {
			t.Errorf("%s: got id %s, stub %v, deleted %v, version %q", id, full.ID, full.Stub, full.Deleted, full.Version)
		}
		if full.Version != again.Version || shape(full) != shape(again) {
			t.Errorf("%s: a second Fetch differs:\n%s", id, cmp.Diff(shape(full), shape(again)))
		}
		if b := body(full); b != nil && b.Open != nil && b.Version == "" {
			t.Errorf("%s: the body has no version", id)
		}
		for range 2 { // a body can be opened for each attempt
			if got, err := digest(deadline(t), full); err != nil || got != held[id] {
				t.Errorf("%s: body %s, %v; want %s", id, got, err, held[id])
			}
		}
		release(full)
		release(again)
	}
}

func (s suite[T]) atOnce(t *testing.T, c Collection[T]) {
	held := c.Held(t)
	ctx := deadline(t)
	var all sync.WaitGroup
	for id := range held {
		all.Go(func() {
			it, err := c.Source.Fetch(ctx, id)
			if err != nil {
				t.Errorf("Fetch of %s: %v", id, err)
				return
			}
			defer release(it)
			if got, err := digest(ctx, it); err != nil || got != held[id] {
				t.Errorf("%s: body %s, %v; want %s", id, got, err, held[id])
			}
		})
		all.Go(func() {
			if _, err := c.Source.Changes(ctx, ""); err != nil {
				t.Errorf("Changes: %v", err)
			}
		})
	}
	all.Wait()
}

func (s suite[T]) laterPasses(t *testing.T, c Collection[T]) {
	steps := walk(t, c.Source, "")
	before := final(steps)
	some := sortedIDs(before)[0]
	old := complete(t, c.Source, before[some])
	release(old)
	fresh := c.Add(t)
	c.Change(t, some)
	next := walk(t, c.Source, last(steps))
	changed := final(next)
	if diff := cmp.Diff(sortedSet(fresh, some), sortedIDs(changed)); diff != "" {
		t.Errorf("changed and yielded differ:\n%s", diff)
	}
	for _, st := range next {
		if st.page.Listing {
			t.Error("a later pass calls itself a listing")
		}
	}
	it := complete(t, c.Source, changed[some])
	if it.Version == old.Version {
		t.Errorf("a changed item keeps its version %s", it.Version)
	}
	if b := body(it); b != nil && b.Version != body(old).Version {
		t.Errorf("the body did not change, its version did: %q, then %q", body(old).Version, b.Version)
	}
	if got, err := digest(deadline(t), it); err != nil || got != c.Held(t)[some] {
		t.Errorf("body of the changed item: %s, %v", got, err)
	}
	release(it)
	added := complete(t, c.Source, changed[fresh])
	if got, err := digest(deadline(t), added); err != nil || got != c.Held(t)[fresh] {
		t.Errorf("body of the new item: %s, %v", got, err)
	}
	release(added)
	if again := final(walk(t, c.Source, last(next))); len(again) != 0 {
		t.Errorf("a pass without changes yields %v", sortedIDs(again))
	}
}

func sortedSet(ids ...string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (s suite[T]) deleted(t *testing.T, c Collection[T]) {
	steps := walk(t, c.Source, "")
	ids := sortedIDs(final(steps))
	c.Delete(t, ids[1])
	changed := final(walk(t, c.Source, last(steps)))
	if it, ok := changed[ids[1]]; !ok || !it.Deleted || len(changed) != 1 {
		t.Errorf("after one deletion: %v, deleted %v", sortedIDs(changed), it.Deleted)
	}
	if _, err := c.Source.Fetch(deadline(t), ids[1]); !errors.Is(err, sources.ErrGone) {
		t.Errorf("Fetch of a deleted item: %v", err)
	}
	if it, ok := final(walk(t, c.Source, ""))[ids[1]]; ok && !it.Deleted {
		t.Error("a deleted item is listed anew")
	}
}

func (s suite[T]) expired(t *testing.T, c Collection[T]) {
	if c.Expire == nil {
		return
	}
	steps := walk(t, c.Source, "")
	within, later := steps[len(steps)-1].after, last(steps)
	c.Change(t, sortedIDs(c.Held(t))[0])
	c.Expire(t)
	for name, cursor := range map[string]sources.Cursor{"within the listing": within, "after it": later} {
		if err := passError(t, c.Source, cursor); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("%s: %v, want ErrCursorExpired", name, err)
		}
	}
	if diff := cmp.Diff(sortedIDs(c.Held(t)), sortedIDs(final(walk(t, c.Source, "")))); diff != "" {
		t.Errorf("held and listed anew differ:\n%s", diff)
	}
}

// passError reads from a cursor until an error, or to the end of the pass.
func passError[T sources.Content](t *testing.T, s sources.Source[T], after sources.Cursor) error {
	for range maxPages {
		page, err := s.Changes(deadline(t), after)
		if err != nil || !page.More {
			return err
		}
		after = page.Next
	}
	return errors.New("the pass does not end")
}

// foreignCursor gives cursors that this source did not make, such as those of another version. A new listing heals that.
func (s suite[T]) foreignCursor(t *testing.T, c Collection[T]) {
	for _, cursor := range []sources.Cursor{"x", "{}", "[]", `{"version":99}`, "\x00\xff"} {
		if _, err := c.Source.Changes(deadline(t), cursor); !errors.Is(err, sources.ErrCursorExpired) {
			t.Errorf("the cursor %q: %v, want ErrCursorExpired", cursor, err)
		}
	}
}

package sinktest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
)

// inspections are what a sink must do that is an Inspector.
func (s suite[T]) inspections() []part[T] {
	return []part[T]{
		{"what was written is found", s.found, true},
		{"what replaced it is found", s.foundReplaced, s.h.Changed != nil},
		{"what was moved is found", s.foundMoved, s.h.Moved != nil},
		{"what was adopted is found", s.foundAdopted, true},
		{"what the user edited is told", s.foundEdited, true},
		{"what was removed is not found", s.foundNoMore, true},
		{"what is not ours is listed", s.foundForeign, true},
		{"copies are twins", s.foundCopies, true},
		{"odd items are found", s.foundOdd, len(s.h.Odd) > 0},
		{"a folder is found", s.foundFolder, true},
		{"many items are listed once each", s.foundMany, true},
		{"where nothing lies nothing is listed", s.foundNothing, true},
		{"a listing may be left", s.leftListing, true},
		{"what is empty is cleared", s.cleared, true},
	}
}

// inspector returns the sink as one; a sink that is none has nothing to prove here.
func inspector[T sinks.Content](t *testing.T, a Account[T]) sinks.Inspector {
	t.Helper()
	i, ok := a.Sink.(sinks.Inspector)
	if !ok {
		t.Skip("the sink reads nothing back")
	}
	return i
}

// listed returns all objects of the account by their Location, each of which may be listed once only. Folders are entered.
func listed(t *testing.T, i sinks.Inspector) map[string]sinks.Object {
	t.Helper()
	all := map[string]sinks.Object{}
	for places := []string{""}; len(places) > 0; places = places[1:] {
		for o, err := range i.List(deadline(t), places[0]) {
			if err != nil {
				t.Fatalf("List %q: %v", places[0], err)
			}
			if _, twice := all[o.Location]; twice || o.Location == "" {
				t.Fatalf("List %q yields the object at %q twice", places[0], o.Location)
			}
			all[o.Location] = o
			if o.Folder {
				places = append(places, o.Location)
			}
		}
	}
	return all
}

// proof returns what the engine's ledger knows of an item once it was written.
func proof[T sinks.Content](tb testing.TB, item sinks.Item[T], w sinks.Written) sinks.Proof {
	tb.Helper()
	p := sinks.Proof{Receipt: w.Receipt, Digest: w.Digest}
	b := body(&item)
	if b == nil || b.Open == nil {
		return p
	}
	p.Bytes = b.Size
	if p.Digest == "" {
		p.Digest = "sha256:" + BodyDigest(tb, *b)
	}
	return p
}

// isFound checks that an object is the one that was written: as it is listed nothing speaks against it, and whole it is the same.
func isFound(t *testing.T, i sinks.Inspector, all map[string]sinks.Object, p sinks.Proof) sinks.Object {
	t.Helper()
	o, ok := all[p.Receipt.Location]
	if !ok {
		t.Fatalf("what lies at %q is not listed among %d objects", p.Receipt.Location, len(all))
	}
	if v := i.Compare(o, p); v != sinks.Alike && v != sinks.Same {
		t.Fatalf("as listed, the object is %v: %+v is not\n%+v", v, o, p)
	}
	if twin := i.Expect(p).Twin; o.Twin != twin {
		t.Errorf("an object with the twin %q, and %q is expected", o.Twin, twin)
	}
	read, err := i.Read(deadline(t), o)
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	if v := i.Compare(read, p); v != sinks.Same {
		t.Fatalf("the object is %v: %+v is not\n%+v", v, read, p)
	}
	if read.Location != o.Location || read.Digest == "" {
		t.Errorf("Read makes %+v of %+v", read, o)
	}
	return read
}

func (s suite[T]) found(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	first, second := s.h.Item(1), s.h.Item(2)
	proofs := []sinks.Proof{proof(t, first, put(t, a, first, sinks.Receipt{})), proof(t, second, put(t, a, second, sinks.Receipt{}))}
	all := listed(t, i)
	if len(all) != len(proofs) {
		t.Fatalf("%d objects are listed: %+v", len(all), all)
	}
	var objects []sinks.Object
	for _, p := range proofs {
		objects = append(objects, isFound(t, i, all, p))
		if i.Expect(p).Foreign {
			t.Error("what the sink wrote is said to be somebody else's")
		}
	}
	if twin := objects[0].Twin; twin != "" && twin == objects[1].Twin {
		t.Errorf("two items have the twin %q", twin)
	}
	crossed := proofs[0]
	crossed.Digest = proofs[1].Digest
	if v := i.Compare(objects[0], crossed); v != sinks.Differs {
		t.Errorf("an object is %v to another item's content", v)
	}
	s.holds(t, a, first, second)
}

func (s suite[T]) foundReplaced(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	item := s.h.Item(1)
	w := put(t, a, item, sinks.Receipt{})
	old := proof(t, item, w)
	for range 2 {
		item = s.h.Changed(item)
		w = put(t, a, item, w.Receipt)
		o := isFound(t, i, listed(t, i), proof(t, item, w))
		if v := i.Compare(o, old); v == sinks.Same || v == sinks.Alike {
			t.Errorf("what replaced the item is %v to its older version", v)
		}
	}
	if all := listed(t, i); len(all) != 1 {
		t.Errorf("%d objects are listed: %+v", len(all), all)
	}
}

func (s suite[T]) foundMoved(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	item := s.h.Item(1)
	first := put(t, a, item, sinks.Receipt{})
	moved := s.h.Moved(item)
	w := put(t, a, moved, first.Receipt)
	all := listed(t, i)
	isFound(t, i, all, proof(t, moved, w))
	if _, there := all[first.Receipt.Location]; there {
		t.Error("something is listed where the item was")
	}
}

func (s suite[T]) foundAdopted(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	again, lost := lose(t, a, s.h.Item(1), sinks.Receipt{})
	w := put(t, a, again, s.find(t, a, again, lost))
	isFound(t, i, listed(t, i), proof(t, again, w))
}

func (s suite[T]) foundEdited(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	if a.Edit == nil {
		t.Skip("the user cannot edit an object of this kind")
	}
	item, other := s.h.Item(1), s.h.Item(2)
	p := proof(t, item, put(t, a, item, sinks.Receipt{}))
	untouched := proof(t, other, put(t, a, other, sinks.Receipt{}))
	a.Edit(t, p.Receipt)
	all := listed(t, i)
	o, ok := all[p.Receipt.Location]
	if !ok {
		t.Fatal("what the user edited is not listed")
	}
	if v := i.Compare(o, p); v == sinks.Same {
		t.Errorf("as listed, what the user edited is %v", v)
	}
	read, err := i.Read(deadline(t), o)
	if err != nil {
		t.Fatal(err)
	}
	if v := i.Compare(read, p); v != sinks.Touched {
		t.Errorf("what the user edited is %v: %+v to\n%+v", v, read, p)
	}
	isFound(t, i, all, untouched)
}

func (s suite[T]) foundNoMore(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	item, other := s.h.Item(1), s.h.Item(2)
	gone := put(t, a, item, sinks.Receipt{}).Receipt
	left := proof(t, other, put(t, a, other, sinks.Receipt{}))
	o := listed(t, i)[gone.Location]
	if err := a.Sink.Remove(deadline(t), gone); err != nil {
		t.Fatal(err)
	}
	if read, err := i.Read(deadline(t), o); !errors.Is(err, sinks.ErrNothing) {
		t.Errorf("Read of what was removed: %+v, %v", read, err)
	}
	all := listed(t, i)
	if _, there := all[gone.Location]; there || len(all) != 1 {
		t.Errorf("%d objects are listed: %+v", len(all), all)
	}
	isFound(t, i, all, left)
}

// foundForeign lets the ledger forget an item, so that it is like one that somebody else put there.
func (s suite[T]) foundForeign(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	foreign := s.h.Item(2)
	lost := put(t, a, foreign, sinks.Receipt{}).Receipt.Location
	item := s.h.Item(1)
	p := proof(t, item, put(t, a, item, sinks.Receipt{}))
	all := listed(t, i)
	isFound(t, i, all, p)
	o, ok := all[lost]
	if !ok || len(all) != 2 {
		t.Fatalf("%d objects are listed: %+v", len(all), all)
	}
	if twin := i.Expect(p).Twin; o.Location == p.Receipt.Location || twin != "" && o.Twin == twin {
		t.Errorf("%+v passes for the item of %+v", o, p)
	}
}

func (s suite[T]) foundCopies(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	if a.Copy == nil {
		t.Skip("no copy can be made")
	}
	item, other := s.h.Item(1), s.h.Item(2)
	p := proof(t, item, put(t, a, item, sinks.Receipt{}))
	otherAt := put(t, a, other, sinks.Receipt{}).Receipt.Location
	a.Copy(t, p.Receipt)
	all := listed(t, i)
	isFound(t, i, all, p)
	twin := i.Expect(p).Twin
	if twin == "" || len(all) != 3 {
		t.Fatalf("the twin %q, and %d objects: %+v", twin, len(all), all)
	}
	for location, o := range all {
		if copied := location != otherAt; copied != (o.Twin == twin) {
			t.Errorf("of the twin %q the object %+v", twin, o)
		}
	}
}

func (s suite[T]) foundOdd(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	var proofs []sinks.Proof
	for _, item := range s.h.Odd {
		proofs = append(proofs, proof(t, item, put(t, a, item, sinks.Receipt{})))
	}
	all := listed(t, i)
	for _, p := range proofs {
		isFound(t, i, all, p)
	}
	if len(all) != len(proofs) {
		t.Errorf("%d objects are listed, and %d were written", len(all), len(proofs))
	}
}

// foundFolder checks that each place of a tree is listed by itself.
func (s suite[T]) foundFolder(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	made, ok := any(sinks.Item[sinks.File]{ID: "folder", Content: sinks.File{Path: []string{"a folder"}, Folder: true}}).(sinks.Item[T])
	if !ok {
		t.Skip("this kind has no folders")
	}
	folder, err := a.Sink.Put(deadline(t), made, sinks.Receipt{})
	if err != nil {
		t.Fatal(err)
	}
	inside := s.h.Item(1)
	file := any(&inside.Content).(*sinks.File)
	file.Path = append([]string{"a folder"}, file.Path...)
	p := proof(t, inside, put(t, a, inside, sinks.Receipt{}))
	all := listed(t, i)
	isFound(t, i, all, p)
	o := all[folder.Receipt.Location]
	if v := i.Compare(o, sinks.Proof{Receipt: folder.Receipt, Digest: folder.Digest}); !o.Folder || len(all) != 2 || v != sinks.Alike && v != sinks.Same {
		t.Errorf("the folder is %v: %+v among %d objects", v, o, len(all))
	}
	for o, err := range i.List(deadline(t), "") {
		if err != nil || o.Location != folder.Receipt.Location {
			t.Errorf("the root holds %+v, %v", o, err)
		}
	}
}

func (s suite[T]) foundMany(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	const atOnce = 10
	n := cmp.Or(s.h.Many, 300)
	written, errs := make([]sinks.Written, n), make([]error, n)
	ctx := deadline(t)
	var wg sync.WaitGroup
	for first := range atOnce {
		wg.Go(func() {
			for k := first; k < n; k += atOnce {
				item := s.h.Item(k)
				errs[k] = patiently(ctx, func(again bool) error {
					item.Again = again
					w, err := a.Sink.Put(ctx, item, sinks.Receipt{})
					written[k] = w
					return err
				})
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	all := listed(t, i)
	for k, w := range written {
		p := proof(t, s.h.Item(k), w)
		o, ok := all[p.Receipt.Location]
		if v := i.Compare(o, p); !ok || v != sinks.Alike && v != sinks.Same {
			t.Errorf("listed %v, %v: %+v", ok, v, p)
		}
	}
	if len(all) != n {
		t.Errorf("%d objects are listed, and %d were written", len(all), n)
	}
}

func (s suite[T]) foundNothing(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	places := []string{""}
	if _, tree := any(s.h.Item(1).Content).(sinks.File); tree {
		places = append(places, "no such folder", "no/such/folder")
	}
	for _, place := range places {
		for o, err := range i.List(deadline(t), place) {
			t.Errorf("List %q: %+v, %v", place, o, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []error
	for _, err := range i.List(ctx, "") {
		errs = append(errs, err)
	}
	if len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("List under a context that has ended: %v", errs)
	}
}

func (s suite[T]) leftListing(t *testing.T, a Account[T]) {
	i := inspector(t, a)
	for k := range 3 {
		put(t, a, s.h.Item(k), sinks.Receipt{})
	}
	for _, err := range i.List(deadline(t), "") {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if all := listed(t, i); len(all) != 3 {
		t.Errorf("after a listing that was left %d objects are listed", len(all))
	}
}

// cleared checks that a Clearer takes nothing away that holds something, and may be called once more.
func (s suite[T]) cleared(t *testing.T, a Account[T]) {
	c, ok := a.Sink.(sinks.Clearer)
	i, reads := a.Sink.(sinks.Inspector)
	if !ok || !reads {
		t.Skip("the sink makes nothing that its items lie in")
	}
	item, other := s.h.Item(1), s.h.Item(2)
	proofs := []sinks.Proof{proof(t, item, put(t, a, item, sinks.Receipt{})), proof(t, other, put(t, a, other, sinks.Receipt{}))}
	made := slices.Concat(i.Expect(proofs[0]).Made, i.Expect(proofs[1]).Made, []string{"no such place"})
	for k, p := range proofs {
		if names, err := c.Clear(deadline(t), made); err != nil || len(names) > 0 {
			t.Fatalf("with %d items: cleared %q, %v", len(proofs)-k, names, err)
		}
		if err := a.Sink.Remove(deadline(t), p.Receipt); err != nil {
			t.Fatal(err)
		}
	}
	names, err := c.Clear(deadline(t), made)
	if err != nil || slices.Contains(names, "") {
		t.Fatalf("cleared %q, %v", names, err)
	}
	if again, err := c.Clear(deadline(t), made); err != nil || len(again) > 0 {
		t.Errorf("cleared once more: %q, %v", again, err)
	}
	if all := listed(t, i); len(all) > 0 {
		t.Errorf("after that there are %+v", all)
	}
}

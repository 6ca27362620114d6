package sinktest

import (
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

func (s suite[T]) removeTwice(t *testing.T, a Account[T]) {
	item, other := s.h.Item(1), s.h.Item(2)
	at := put(t, a, item, sinks.Receipt{}).Receipt
	put(t, a, other, sinks.Receipt{})
	for range 2 {
		if err := a.Sink.Remove(deadline(t), at); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		s.holds(t, a, other)
	}
	put(t, a, item, sinks.Receipt{})
	s.holds(t, a, item, other)
}

// edited writes item 1 and lets the user change it. It returns the receipt of before and what the account then holds.
func (s suite[T]) edited(t *testing.T, a Account[T]) (sinks.Receipt, []string) {
	t.Helper()
	if a.Edit == nil {
		t.Skip("the user cannot edit an object of this kind")
	}
	item := s.h.Item(1)
	at := put(t, a, item, sinks.Receipt{}).Receipt
	a.Edit(t, at)
	held := a.Held(t)
	if len(held) != 1 || held[0] == s.h.Digest(t, item) {
		t.Fatalf("after the user's edit the account holds %q, and the item is %q", held, s.h.Digest(t, item))
	}
	return at, held
}

func (s suite[T]) removeEdited(t *testing.T, a Account[T]) {
	at, held := s.edited(t, a)
	wantFault(t, "Remove", a.Sink.Remove(deadline(t), at), fault.TargetConflict)
	holdsDigests(t, a, held)
}

func (s suite[T]) putEdited(t *testing.T, a Account[T]) {
	at, held := s.edited(t, a)
	item := s.h.Changed(s.h.Item(1))
	for _, again := range []bool{false, true} {
		item.Again = again
		_, err := a.Sink.Put(deadline(t), item, at)
		wantFault(t, "Put over the user's edit", err, fault.TargetConflict)
		holdsDigests(t, a, held)
	}
}

func (s suite[T]) putOccupied(t *testing.T, a Account[T]) {
	_, held := s.edited(t, a)
	if _, finder := a.Sink.(sinks.Finder[T]); finder {
		t.Skip("such a sink has no places that could be taken")
	}
	item := s.h.Changed(s.h.Item(1))
	for _, again := range []bool{false, true} {
		item.Again = again
		_, err := a.Sink.Put(deadline(t), item, sinks.Receipt{})
		wantFault(t, "Put of a new item where another object lies", err, fault.TargetConflict)
		holdsDigests(t, a, held)
	}
}

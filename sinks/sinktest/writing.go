package sinktest

import (
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
)

func (s suite[T]) putTwice(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	first := put(t, a, item, sinks.Receipt{})
	if first.Unchanged {
		t.Error("the first Put said that the target held the item already")
	}
	second := put(t, a, item, first.Receipt)
	if second.Receipt.Location != first.Receipt.Location {
		t.Errorf("the second Put moved the item from %q to %q", first.Receipt.Location, second.Receipt.Location)
	}
	s.holds(t, a, item)
	if _, finder := a.Sink.(sinks.Finder[T]); finder {
		return // without a receipt such a sink has to be asked by Find
	}
	put(t, a, item, sinks.Receipt{})
	s.holds(t, a, item)
}

func (s suite[T]) putReplaces(t *testing.T, a Account[T]) {
	item, other := s.h.Item(1), s.h.Item(2)
	w := put(t, a, item, sinks.Receipt{})
	put(t, a, other, sinks.Receipt{})
	for range 3 {
		item = s.h.Changed(item)
		w = put(t, a, item, w.Receipt)
		if w.Unchanged {
			t.Error("Put said that the target held the changed item already")
		}
		s.holds(t, a, item, other)
	}
}

func (s suite[T]) bodyOnce(t *testing.T, a Account[T]) {
	item, o := watched(s.h.Item(1), nil)
	w := put(t, a, item, sinks.Receipt{})
	if body(&item) != nil && o.opened.Load() != 1 {
		t.Errorf("the first Put opened the body %d times", o.opened.Load())
	}
	before := o.opened.Load()
	w = put(t, a, item, w.Receipt)
	if o.opened.Load() != before {
		t.Error("the second Put opened the body of the version that was written")
	}
	if !w.Unchanged {
		t.Error("the second Put did not say that nothing was written")
	}
	o.allClosed(t)
	s.holds(t, a, item)
}

func (s suite[T]) putMoves(t *testing.T, a Account[T]) {
	item, o := watched(s.h.Item(1), nil)
	first := put(t, a, item, sinks.Receipt{})
	moved := s.h.Moved(item)
	w := put(t, a, moved, first.Receipt)
	if w.Receipt.Location == first.Receipt.Location {
		t.Errorf("the moved item still lies at %q", w.Receipt.Location)
	}
	if w.Unchanged {
		t.Error("a Put that moved said that nothing was written")
	}
	if o.opened.Load() > 1 {
		t.Error("the move sent the body again")
	}
	s.holds(t, a, moved)
	w = put(t, a, item, w.Receipt)
	if w.Receipt.Location != first.Receipt.Location && s.h.Changed != nil {
		t.Errorf("moved back it lies at %q, not %q", w.Receipt.Location, first.Receipt.Location)
	}
	s.holds(t, a, item)
	if s.h.Changed != nil {
		both := s.h.Moved(s.h.Changed(item))
		put(t, a, both, w.Receipt)
		s.holds(t, a, both)
	}
}

func (s suite[T]) againWrites(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	item.Again = true
	if f, ok := a.Sink.(sinks.Finder[T]); ok {
		found, err := f.Find(deadline(t), item)
		if err != nil || len(found) != 0 {
			t.Fatalf("Find in an empty account: %v, %v", found, err)
		}
	}
	put(t, a, item, sinks.Receipt{})
	s.holds(t, a, item)
}

// lose writes the item and returns it as the engine gives it once more when the answer to that was lost.
func lose[T sinks.Content](t *testing.T, a Account[T], item sinks.Item[T], prev sinks.Receipt) (sinks.Item[T], sinks.Receipt) {
	t.Helper()
	lost := put(t, a, item, prev).Receipt
	item.Again = true
	return item, lost
}

func (s suite[T]) lostAnswer(t *testing.T, a Account[T]) {
	again, lost := lose(t, a, s.h.Item(1), sinks.Receipt{})
	prev := s.find(t, a, again, lost)
	w := put(t, a, again, prev)
	if w.Receipt.Location != lost.Location {
		t.Errorf("adopted %q, which lies at %q", w.Receipt.Location, lost.Location)
	}
	s.holds(t, a, again)
	s.stillOurs(t, a, again, w.Receipt)
}

// find asks a Finder for the receipt that got lost; other sinks look for themselves, and get none.
func (s suite[T]) find(t *testing.T, a Account[T], item sinks.Item[T], lost sinks.Receipt) sinks.Receipt {
	t.Helper()
	f, ok := a.Sink.(sinks.Finder[T])
	if !ok {
		return sinks.Receipt{}
	}
	found, err := f.Find(deadline(t), item)
	if err != nil || len(found) == 0 {
		t.Fatalf("Find: %v, %v", found, err)
	}
	if found[0].Location != lost.Location {
		t.Fatalf("Find returned %q first, want %q", found[0].Location, lost.Location)
	}
	return found[0]
}

// stillOurs checks that the receipt serves for the next change and for the removal.
func (s suite[T]) stillOurs(t *testing.T, a Account[T], item sinks.Item[T], at sinks.Receipt) {
	t.Helper()
	item.Again = false
	if s.h.Changed != nil {
		item = s.h.Changed(item)
		at = put(t, a, item, at).Receipt
		s.holds(t, a, item)
	}
	if err := a.Sink.Remove(deadline(t), at); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	s.holds(t, a)
}

func (s suite[T]) lostReplacement(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	first := put(t, a, item, sinks.Receipt{})
	again, lost := lose(t, a, s.h.Changed(item), first.Receipt)
	prev := first.Receipt
	if _, finder := a.Sink.(sinks.Finder[T]); finder {
		prev = s.find(t, a, again, lost)
	}
	w := put(t, a, again, prev)
	s.holds(t, a, again)
	s.stillOurs(t, a, again, w.Receipt)
}

func (s suite[T]) lostMove(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	first := put(t, a, item, sinks.Receipt{})
	again, lost := lose(t, a, s.h.Moved(item), first.Receipt)
	prev := first.Receipt
	if _, finder := a.Sink.(sinks.Finder[T]); finder {
		prev = s.find(t, a, again, lost)
	}
	w := put(t, a, again, prev)
	s.holds(t, a, again)
	s.stillOurs(t, a, again, w.Receipt)
}

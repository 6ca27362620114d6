package sinktest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// keeper returns the sink as one that keeps both; where it is none, what a user did always stays.
func keeper[T sinks.Content](t *testing.T, a Account[T]) sinks.Keeper[T] {
	t.Helper()
	k, ok := a.Sink.(sinks.Keeper[T])
	if !ok {
		t.Skip("such a sink keeps what the user has")
	}
	return k
}

// conflicting returns item 1 in its next version, the receipt of the version that its user edited, and what the account then holds.
func (s suite[T]) conflicting(t *testing.T, a Account[T]) (sinks.Item[T], sinks.Receipt, []string) {
	t.Helper()
	at, held := s.edited(t, a)
	item := s.h.Changed(s.h.Item(1))
	_, err := a.Sink.Put(deadline(t), item, at)
	wantFault(t, "Put over the user's edit", err, fault.TargetConflict)
	return item, at, held
}

// beside asks for a place beside the one that is taken, and in a tree gives the item another path.
func (s suite[T]) beside(t *testing.T, k sinks.Keeper[T], item sinks.Item[T], prev sinks.Receipt) (sinks.Item[T], sinks.Receipt) {
	t.Helper()
	next, err := k.Beside(deadline(t), item, prev)
	if errors.Is(err, sinks.ErrTaken) && s.h.Moved != nil {
		return s.h.Moved(item), next
	}
	if err != nil {
		t.Fatalf("Beside: %v", err)
	}
	return item, next
}

func (s suite[T]) keepsBeside(t *testing.T, a Account[T]) {
	k := keeper(t, a)
	item, at, held := s.conflicting(t, a)
	var w sinks.Written
	for _, again := range []bool{false, true} { // the second time as if the first had got no answer
		item.Again = again
		out, next := s.beside(t, k, item, at)
		w = put(t, a, out, next)
		s.holdsBoth(t, a, held[0])
		if again {
			item = out
		}
	}
	item.Again = false
	if same := put(t, a, item, w.Receipt); !same.Unchanged || same.Receipt != w.Receipt {
		t.Errorf("the same again: %+v, was %+v", same, w)
	}
	w = put(t, a, s.h.Changed(item), w.Receipt)
	s.holdsBoth(t, a, held[0])

	// A user who edits that one as well has it beside the next.
	item = s.h.Changed(s.h.Changed(item))
	a.Edit(t, w.Receipt)
	_, err := a.Sink.Put(deadline(t), item, w.Receipt)
	wantFault(t, "Put over the user's second edit", err, fault.TargetConflict)
	item, next := s.beside(t, k, item, w.Receipt)
	w = put(t, a, item, next)
	if got := a.Held(t); len(got) != 3 || !slices.Contains(got, held[0]) {
		t.Fatalf("after a second edit the account holds %q, want three with %q", got, held[0])
	}
	if err := a.Sink.Remove(deadline(t), w.Receipt); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	s.holdsBoth(t, a, held[0])
}

// holdsBoth checks that there are two objects, and that one is as the user has it.
func (s suite[T]) holdsBoth(t *testing.T, a Account[T], theirs string) {
	t.Helper()
	if got := a.Held(t); len(got) != 2 || !slices.Contains(got, theirs) {
		t.Fatalf("the account holds %q, want two with %q", got, theirs)
	}
}

func (s suite[T]) keepsAside(t *testing.T, a Account[T]) {
	k := keeper(t, a)
	item, at, held := s.conflicting(t, a)
	var next sinks.Receipt
	for _, again := range []bool{false, true} {
		var loss *sinks.Loss
		var err error
		item.Again = again
		next, loss, err = k.Aside(deadline(t), item, at)
		if err != nil {
			t.Fatalf("Aside: %v", err)
		}
		if loss == nil || !strings.HasSuffix(loss.Reason, sinks.AsideSuffix) || loss.Detail == "" {
			t.Errorf("Aside told %+v, want where the user's lies", loss)
		}
	}
	w := put(t, a, item, next)
	s.holdsBoth(t, a, s.h.Digest(t, item))
	if s.h.Moved != nil && !slices.Contains(a.Held(t), held[0]) {
		t.Errorf("the user's %q is not among %q", held[0], a.Held(t))
	}
	item.Again = false
	if same := put(t, a, item, w.Receipt); !same.Unchanged || same.Receipt != w.Receipt {
		t.Errorf("the same again: %+v, was %+v", same, w)
	}
	item = s.h.Changed(item)
	a.Edit(t, w.Receipt)
	_, err := a.Sink.Put(deadline(t), item, w.Receipt)
	wantFault(t, "Put over the user's second edit", err, fault.TargetConflict)
	if next, _, err = k.Aside(deadline(t), item, w.Receipt); err != nil {
		t.Fatalf("Aside: %v", err)
	}
	w = put(t, a, item, next)
	if got := a.Held(t); len(got) != 3 || !slices.Contains(got, s.h.Digest(t, item)) {
		t.Fatalf("after a second edit the account holds %q, want three with %q", got, s.h.Digest(t, item))
	}
	if err := a.Sink.Remove(deadline(t), w.Receipt); err != nil || len(a.Held(t)) != 2 {
		t.Errorf("after the removal of the item the account holds %q (%v)", a.Held(t), err)
	}
}

// keepsOccupied finds something of the user's where a new item is to be.
func (s suite[T]) keepsOccupied(t *testing.T, a Account[T]) {
	k := keeper(t, a)
	item, _, held := s.conflicting(t, a)
	out, next := s.beside(t, k, item, sinks.Receipt{})
	w := put(t, a, out, next)
	s.holdsBoth(t, a, held[0])
	if err := a.Sink.Remove(deadline(t), w.Receipt); err != nil {
		t.Fatalf("Remove: %v", err)
	}
	next, loss, err := k.Aside(deadline(t), item, sinks.Receipt{})
	if err != nil || loss == nil {
		t.Fatalf("Aside: %+v, %v", loss, err)
	}
	put(t, a, item, next)
	s.holdsBoth(t, a, s.h.Digest(t, item))
}

// keepsRemoved lets the user remove the item, which is then written again.
func (s suite[T]) keepsRemoved(t *testing.T, a Account[T]) {
	k := keeper(t, a)
	item := s.h.Item(1)
	at := put(t, a, item, sinks.Receipt{}).Receipt
	remove := func() {
		t.Helper()
		if err := a.Sink.Remove(deadline(t), at); err != nil {
			t.Fatalf("Remove: %v", err)
		}
		item = s.h.Changed(item)
		_, err := a.Sink.Put(deadline(t), item, at)
		wantFault(t, "Put over what the user removed", err, fault.TargetConflict)
	}
	remove()
	next, err := k.Beside(deadline(t), item, at)
	if err != nil {
		t.Fatalf("Beside: %v", err)
	}
	at = put(t, a, item, next).Receipt
	s.holds(t, a, item)
	remove()
	next, loss, err := k.Aside(deadline(t), item, at)
	if err != nil || loss != nil {
		t.Fatalf("Aside: %+v, %v", loss, err)
	}
	at = put(t, a, item, next).Receipt
	s.holds(t, a, item)
	s.stillOurs(t, a, item, at)
}

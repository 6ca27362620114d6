// Package sinktest is the suite that every sink passes.
//
// A sink's own test fills a Harness and calls Run. The suite only uses what package sinks promises, and looks at the
// target past the sink: with another client, on the server's disk, as a user would.
package sinktest

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Account is one account of a target, empty at first, with the sink under test and a way to it past the sink.
type Account[T sinks.Content] struct {
	// Sink writes into the account. If it is an io.Closer the suite closes it at the end of the subtest.
	Sink sinks.Sink[T]
	// Held returns one digest for each object (file, message, event) that the account holds now, in any order. Folders
	// and what the server itself puts into each account do not count.
	Held func(tb testing.TB) []string
	// Edit changes the object as its user could do with another client, so that its digest is another one afterwards;
	// nil where the protocol knows no change of an object (a message).
	Edit func(tb testing.TB, at sinks.Receipt)
	// Copy makes a copy of the object beside it as its user could do with another client; nil where that cannot be told from another
	// object. An Inspector must tell it.
	Copy func(tb testing.TB, at sinks.Receipt)
}

// Harness tells the suite how to make accounts and items of one kind. The items of one number are equal in every call
// and lie at the same place; items of different numbers differ in everything.
type Harness[T sinks.Content] struct {
	// Open makes a fresh account on the target; what it starts ends with the test.
	Open func(tb testing.TB) Account[T]
	// Item makes item i. Its body has a few hundred bytes at least.
	Item func(i int) sinks.Item[T]
	// Digest is what Held shows for the item once it was written; BodyDigest serves where that is the body's.
	Digest func(tb testing.TB, item sinks.Item[T]) string

	// Changed makes the item's next version: the same id and place with other content and another Body.Version; nil where
	// items do not change.
	Changed func(item sinks.Item[T]) sinks.Item[T]
	// Moved makes the item lie elsewhere with the same body; nil where there is no elsewhere.
	Moved func(item sinks.Item[T]) sinks.Item[T]
	// Big makes an item whose body is a stream of about size bytes that are never in memory at once; nil for kinds
	// without a Body. Pattern makes such streams.
	Big func(size int64) sinks.Item[T]
	// BigSize is how large the stream is; 0 means 256 MiB.
	BigSize int64
	// Many is how many items a listing is tried with; 0 means 300. Fewer are for servers that need long for each.
	Many int
	// Odd holds items that servers stumble over: strange names, empty bodies.
	Odd []sinks.Item[T]
}

// Run puts the sink through the suite. It checks at the end that no goroutine is left.
func Run[T sinks.Content](t *testing.T, h Harness[T]) {
	before := goleak.IgnoreCurrent()
	defer func() {
		if !t.Failed() {
			goleak.VerifyNone(t, before)
		}
	}()
	s := suite[T]{h}
	for _, c := range append([]part[T]{
		{"Put twice is one object", s.putTwice, true},
		{"Put replaces what the receipt names", s.putReplaces, h.Changed != nil},
		{"an unchanged body is not sent again", s.bodyOnce, true},
		{"Put moves without sending the body", s.putMoves, h.Moved != nil},
		{"a lost answer is adopted", s.lostAnswer, true},
		{"a lost answer to a replacement is adopted", s.lostReplacement, h.Changed != nil},
		{"a lost answer to a move is adopted", s.lostMove, h.Moved != nil},
		{"Again writes what is not there", s.againWrites, true},
		{"Remove twice", s.removeTwice, true},
		{"Remove leaves what the user edited", s.removeEdited, true},
		{"Put leaves what the user edited", s.putEdited, h.Changed != nil},
		{"Put leaves what lies in the place", s.putOccupied, h.Changed != nil},
		{"beside what the user edited", s.keepsBeside, h.Changed != nil},
		{"what the user edited set aside", s.keepsAside, h.Changed != nil},
		{"both where the place was taken", s.keepsOccupied, h.Changed != nil},
		{"what the user removed written again", s.keepsRemoved, h.Changed != nil},
		{"a body of unknown length", s.unknownLength, true},
		{"a body that breaks off leaves nothing", s.brokenBody, true},
		{"a replacement that breaks off leaves the old", s.brokenReplacement, h.Changed != nil},
		{"odd items", s.odd, len(h.Odd) > 0},
		{"20 Puts at once", s.atOnce, true},
		{"cancellation", s.cancellation, true},
		{"a big stream in bounded memory", s.big, h.Big != nil},
	}, s.inspections()...) {
		if c.need {
			t.Run(c.name, func(t *testing.T) { c.run(t, s.open(t)) })
		}
	}
}

type suite[T sinks.Content] struct{ h Harness[T] }

// part is a part of the suite, with a fresh account.
type part[T sinks.Content] struct {
	name string
	run  func(*testing.T, Account[T])
	need bool
}

func (s suite[T]) open(t *testing.T) Account[T] {
	a := s.h.Open(t)
	if c, ok := a.Sink.(io.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Errorf("closing the sink: %v", err)
			}
		})
	}
	return a
}

// limit is how long one call may take before the test gives up on it. It is no measure, only an end to a hang.
const limit = 5 * time.Minute

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// put writes the item, checks what can always be checked, and returns what came of it.
func put[T sinks.Content](t *testing.T, a Account[T], item sinks.Item[T], prev sinks.Receipt) sinks.Written {
	t.Helper()
	w, err := a.Sink.Put(deadline(t), item, prev)
	if err != nil {
		t.Fatalf("Put: %v", err)
	}
	if w.Receipt.Location == "" {
		t.Fatal("Put returned a receipt without a location")
	}
	if b := body(&item); b != nil && w.Receipt.BodyVersion != b.Version {
		t.Fatalf("Put returned the body version %q for %q", w.Receipt.BodyVersion, b.Version)
	}
	return w
}

// holds checks that the account holds these items and nothing else.
func (s suite[T]) holds(t *testing.T, a Account[T], items ...sinks.Item[T]) {
	t.Helper()
	want := make([]string, len(items))
	for i, item := range items {
		want[i] = s.h.Digest(t, item)
	}
	holdsDigests(t, a, want)
}

func holdsDigests[T sinks.Content](t *testing.T, a Account[T], want []string) {
	t.Helper()
	got := a.Held(t)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("the account holds %d objects\n%q\nwant %d\n%q", len(got), got, len(want), want)
	}
}

// wantFault checks the reason of an error.
func wantFault(t *testing.T, what string, err error, want fault.Reason) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s succeeded, want the fault %s", what, want)
	}
	if f := fault.Of(err); f.Reason != want || f.Action != fault.FailItem {
		t.Fatalf("%s: %v, %s (%v); want %s, %s", what, f.Reason, f.Action, err, want, fault.FailItem)
	}
}

var errBroken = errors.New("the body broke off on purpose")

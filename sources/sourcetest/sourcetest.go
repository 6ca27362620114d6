// Package sourcetest is the suite that every source passes.
//
// A source's own test fills a Harness and calls Run. The suite only uses what package sources promises; what the
// provider really holds, and what goes wrong there, it learns from and asks of the harness, past the source.
package sourcetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// Fault is something that goes wrong with one request at the provider.
type Fault struct {
	// Kind is the HTTP status of an error answer, or one of Reset (no answer), Truncated (the connection ends within the
	// answer), Short (the answer ends early and announces that length) and Stuck (the answer begins and does not go on).
	Kind string
	// Reason is the provider's word in an error answer; empty: the usual one.
	Reason string
	// RetryAfter is sent with an error answer; zero: no such header.
	RetryAfter time.Duration
}

// The kinds of a Fault beside statuses.
const (
	Reset     = "reset"
	Truncated = "truncated"
	Short     = "short"
	Stuck     = "stuck"
)

// Collection is one collection at a provider that runs for the test, and the source that reads it.
type Collection[T sources.Content] struct {
	// Source is under test.
	Source sources.Source[T]
	// Reopen makes another source of the same collection that shares nothing with Source, as in another process.
	Reopen func(tb testing.TB) sources.Source[T]
	// Held returns the digest of each item's body by the item's id, as the provider has it; the digest is empty for an
	// item that has none. What the source leaves out does not count.
	Held func(tb testing.TB) map[string]string
	// Add puts one more item into the collection and returns its id, Change changes what an item says of itself
	// without its body, and Delete takes it away for good.
	Add    func(tb testing.TB) string
	Change func(tb testing.TB, id string)
	Delete func(tb testing.TB, id string)
	// Expire makes the provider forget all positions that it gave out; nil for one that gives out none.
	Expire func(tb testing.TB)
	// Inject asks f from now on about each request but those for tokens, numbered from 1; nil: nothing goes wrong.
	Inject func(f func(n int) (Fault, bool))
}

// Refusal is an error answer and what it means.
type Refusal struct {
	Fault  Fault
	Action fault.Action
	Reason fault.Reason
}

// Harness tells the suite how to make collections of one kind.
type Harness[T sources.Content] struct {
	// Open makes a collection of at least ten items that takes several pages to list; what it starts ends with the test.
	Open func(tb testing.TB) Collection[T]
	// Refusals are error answers beside those that all providers have in common.
	Refusals []Refusal
	// Big makes a collection with one item whose body has about size bytes and is never in memory at once; the provider reads
	// it through watch. nil for kinds without bodies.
	Big func(tb testing.TB, size int64, watch func(io.Reader) io.Reader) Collection[T]
	// BigSize is how large that is; 0 means 128 MiB.
	BigSize int64
}

// Run puts the source through the suite. It checks at the end that no goroutine is left.
func Run[T sources.Content](t *testing.T, h Harness[T]) {
	before := goleak.IgnoreCurrent()
	defer func() {
		if !t.Failed() {
			goleak.VerifyNone(t, before)
		}
	}()
	s := suite[T]{h}
	for _, c := range []struct {
		name string
		run  func(*testing.T, Collection[T])
	}{
		{"pages join to the full listing", s.listing},
		{"a cursor replays", s.replay},
		{"another process goes on", s.handOver},
		{"Fetch completes each item", s.fetch},
		{"many at once", s.atOnce},
		{"later passes yield the changes", s.laterPasses},
		{"what was deleted is gone", s.deleted},
		{"an expired cursor", s.expired},
		{"a cursor of somebody else", s.foreignCursor},
		{"Retry-After", s.retryAfter},
		{"refusals", s.refusals},
		{"a fault at each request in turn", s.faultInTurn},
		{"a body that breaks off", s.brokenBody},
		{"cancellation", s.cancellation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, h.Open(t)) })
	}
	if h.Big != nil {
		t.Run("a big body in bounded memory", s.big)
	}
}

type suite[T sources.Content] struct{ h Harness[T] }

// limit ends a hang; it is no measure.
const limit = 2 * time.Minute

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// maxPages ends a listing that goes round in circles.
const maxPages = 10_000

// step is one page with the cursor that led to it.
type step[T sources.Content] struct {
	after sources.Cursor
	page  sources.Page[T]
}

// walk reads a pass from a cursor to its end.
func walk[T sources.Content](t *testing.T, s sources.Source[T], after sources.Cursor) []step[T] {
	t.Helper()
	var steps []step[T]
	for range maxPages {
		page, err := s.Changes(deadline(t), after)
		if err != nil {
			t.Fatalf("Changes after %d pages: %v", len(steps), err)
		}
		steps = append(steps, step[T]{after, page})
		if !page.More {
			return steps
		}
		if page.Next == after {
			t.Fatalf("page %d leads to itself", len(steps))
		}
		after = page.Next
	}
	t.Fatalf("a pass of more than %d pages", maxPages)
	return nil
}

// last returns the cursor for the next pass.
func last[T sources.Content](steps []step[T]) sources.Cursor { return steps[len(steps)-1].page.Next }

// final joins the pages to the last word on each item.
func final[T sources.Content](steps []step[T]) map[string]sources.Item[T] {
	items := map[string]sources.Item[T]{}
	for _, s := range steps {
		for _, it := range s.page.Items {
			items[it.ID] = it
		}
	}
	return items
}

func sortedIDs[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// body returns the body within a content, and nil for kinds without one.
func body[T sources.Content](it sources.Item[T]) *sources.Body {
	switch c := any(it.Content).(type) {
	case sources.File:
		return &c.Body
	case sources.Message:
		return &c.Body
	}
	return nil
}

// complete fetches an item that is a stub.
func complete[T sources.Content](t *testing.T, s sources.Source[T], it sources.Item[T]) sources.Item[T] {
	t.Helper()
	if !it.Stub {
		return it
	}
	full, err := s.Fetch(deadline(t), it.ID)
	if err != nil {
		t.Fatalf("Fetch of %s: %v", it.ID, err)
	}
	return full
}

func release[T sources.Content](it sources.Item[T]) {
	if it.Release != nil {
		it.Release()
	}
}

// digest reads the item's body to its end; empty for an item without one.
func digest[T sources.Content](ctx context.Context, it sources.Item[T]) (string, error) {
	b := body(it)
	if b == nil || b.Open == nil {
		return "", nil
	}
	r, err := b.Open(ctx)
	if _, photo := any(it.Content).(sources.Contact); photo && errors.Is(err, sources.ErrGone) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		return "", err
	}
	if b.Size >= 0 && n != b.Size {
		return "", fmt.Errorf("%w: %d of %d bytes and no error", errShort, n, b.Size)
	}
	return Digest(h.Sum(nil)), nil
}

var errShort = errors.New("a silently short body")

// Digest writes a SHA-256 sum as Collection.Held has it.
func Digest(sum []byte) string { return hex.EncodeToString(sum) }

// shape renders what can be compared of an item: all but what is made anew at each call.
func shape[T sources.Content](it sources.Item[T]) string {
	content := any(it.Content)
	var b *sources.Body
	switch c := content.(type) {
	case sources.File:
		b = &c.Body
		c.Body.Open = nil
		content = plainFile{File: c, Open: nil}
	case sources.Message:
		b = &c.Body
		c.Body.Open = nil
		content = plainMessage{Message: c, Open: nil}
	case sources.Contact:
		b, c.Photo = c.Photo, nil
		content = c
	}
	version := ""
	if b != nil {
		version = b.Version
	}
	text, err := json.Marshal([]any{it.ID, it.Version, it.Deleted, it.Stub, it.Title, it.Link, fmt.Sprint(it.Problem), version, content})
	if err != nil {
		panic(err) // the contents are plain values once the functions are out
	}
	return string(text)
}

// plainFile and plainMessage hide the body, which encoding/json cannot write.
type plainFile struct {
	sources.File
	Body, Open *struct{}
}

type plainMessage struct {
	sources.Message
	Body, Open *struct{}
}

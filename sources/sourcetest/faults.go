package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// always makes every request fail.
func always(f Fault) func(int) (Fault, bool) { return func(int) (Fault, bool) { return f, true } }

// only makes the n-th request fail.
func only(n int, f Fault) func(int) (Fault, bool) {
	return func(i int) (Fault, bool) { return f, i == n }
}

// calls are the ways to ask a source.
func calls[T sources.Content](src sources.Source[T], id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Changes": func(ctx context.Context) error {
			_, err := src.Changes(ctx, "")
			return err
		},
		"Fetch": func(ctx context.Context) error {
			it, err := src.Fetch(ctx, id)
			release(it)
			return err
		},
	}
}

func (s suite[T]) retryAfter(t *testing.T, c Collection[T]) {
	id := sortedIDs(c.Held(t))[0]
	const pause = 30 * time.Second
	c.Inject(always(Fault{Kind: "429", RetryAfter: pause}))
	for _, name := range []string{"Changes", "Fetch"} {
		// Each time a source whose budgets nobody has closed yet.
		f := fault.Of(calls(c.Reopen(t), id)[name](deadline(t)))
		if f == nil || f.Action != fault.Retry || f.Reason != fault.SourceThrottled {
			t.Errorf("%s: got %v", name, f)
		} else if f.After <= pause/2 || f.After > pause {
			t.Errorf("%s: pause %v, want %v", name, f.After, pause)
		}
	}
}

func (s suite[T]) refusals(t *testing.T, c Collection[T]) {
	id := sortedIDs(c.Held(t))[0]
	all := append([]Refusal{
		{Fault{Kind: "500"}, fault.Retry, fault.SourceUnavailable},
		{Fault{Kind: "502"}, fault.Retry, fault.SourceUnavailable},
		{Fault{Kind: "503"}, fault.Retry, fault.SourceUnavailable},
		{Fault{Kind: "504"}, fault.Retry, fault.SourceUnavailable},
		{Fault{Kind: Reset}, fault.Retry, fault.SourceUnavailable},
		{Fault{Kind: "401"}, fault.FailTask, fault.SourceAuth},
		{Fault{Kind: "429"}, fault.Retry, fault.SourceThrottled},
	}, s.h.Refusals...)
	for _, r := range all {
		c.Inject(always(r.Fault))
		for _, name := range []string{"Changes", "Fetch"} {
			f := fault.Of(calls(c.Reopen(t), id)[name](deadline(t)))
			if f == nil || f.Action != r.Action || f.Reason != r.Reason {
				t.Errorf("%s with %+v: got %v, want %v %s", name, r.Fault, f, r.Action, r.Reason)
			}
		}
	}
}

// faultInTurn lets one request after the other go wrong, over a whole pass with all bodies. Each call either fails
// with a fault to be retried, and then succeeds, or goes on by itself; the outcome is always the same.
func (s suite[T]) faultInTurn(t *testing.T, c Collection[T]) {
	held := c.Held(t)
	for _, kind := range []string{"500", Reset, Truncated, Short} {
		for n := 1; ; n++ {
			hit := false
			c.Inject(func(i int) (Fault, bool) {
				hit = hit || i == n
				return only(n, Fault{Kind: kind})(i)
			})
			got := wholePass(t, c.Source, fmt.Sprintf("%s at request %d", kind, n))
			for id, want := range held {
				if digest, ok := got[id]; !ok || digest != want {
					t.Errorf("%s at request %d: %s has the body %q (listed %v), want %q", kind, n, id, digest, ok, want)
				}
			}
			if len(got) != len(held) {
				t.Errorf("%s at request %d: %d items, want %d", kind, n, len(got), len(held))
			}
			if !hit || t.Failed() {
				break
			}
		}
	}
}

// wholePass lists everything and reads all bodies, and tries once more whatever fails.
func wholePass[T sources.Content](t *testing.T, s sources.Source[T], what string) map[string]string {
	t.Helper()
	got := map[string]string{}
	after := sources.Cursor("")
	for range maxPages {
		var page sources.Page[T]
		twice(t, what+": Changes", func(ctx context.Context) (err error) {
			page, err = s.Changes(ctx, after)
			return err
		})
		for _, it := range page.Items {
			twice(t, what+": "+it.ID, func(ctx context.Context) error {
				full, err := it, error(nil)
				if it.Stub {
					full, err = s.Fetch(ctx, it.ID)
				}
				if err != nil {
					return err
				}
				defer release(full)
				got[it.ID], err = digest(ctx, full)
				return err
			})
		}
		if after = page.Next; !page.More {
			return got
		}
	}
	return got
}

func twice(t *testing.T, what string, call func(context.Context) error) {
	t.Helper()
	for try := range 2 {
		err := call(deadline(t))
		if err == nil {
			return
		}
		if f := fault.Of(err); errors.Is(err, errShort) || f.Action != fault.Retry || f.Reason == fault.Unknown || try > 0 {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// brokenBody cuts the first requests after the item is known.
func (s suite[T]) brokenBody(t *testing.T, c Collection[T]) {
	held := c.Held(t)
	items := final(walk(t, c.Source, ""))
	withBody := slices.DeleteFunc(sortedIDs(items), func(id string) bool { return held[id] == "" })
	for _, id := range withBody[:min(len(withBody), 3)] {
		it := items[id]
		for _, kind := range []string{Truncated, Short, Reset} {
			c.Inject(func(n int) (Fault, bool) { return Fault{Kind: kind}, n <= 2 })
			full, err := it, error(nil)
			if it.Stub {
				full, err = c.Source.Fetch(deadline(t), id)
			}
			got := ""
			if err == nil {
				got, err = digest(deadline(t), full)
				release(full)
			}
			if err == nil && got != held[id] {
				t.Errorf("%s, %s: the wrong bytes and no error", id, kind)
			}
			if err != nil && (errors.Is(err, errShort) || fault.Of(err).Action != fault.Retry || fault.Of(err).Reason == fault.Unknown) {
				t.Errorf("%s, %s: %v", id, kind, err)
			}
		}
		c.Inject(nil)
		full := complete(t, c.Source, it)
		if got, err := digest(deadline(t), full); err != nil || got != held[id] {
			t.Errorf("%s, once the fault is over: %s, %v", id, got, err)
		}
		release(full)
	}
}

func (s suite[T]) cancellation(t *testing.T, c Collection[T]) {
	id := sortedIDs(c.Held(t))[0]
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, call := range calls(c.Source, id) {
		if err := call(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that has ended: %v", name, err)
		}
	}
	for name, call := range calls(c.Source, id) {
		ctx, cancel := context.WithCancel(deadline(t))
		c.Inject(func(int) (Fault, bool) {
			time.AfterFunc(10*time.Millisecond, cancel) // while the answer is under way
			return Fault{Kind: Stuck}, true
		})
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s that is cancelled within an answer: %v", name, err)
		}
		cancel()
	}
}

// heapLimit is how much a body of any size may need at once.
const heapLimit = 24 << 20

func (s suite[T]) big(t *testing.T) {
	size := s.h.BigSize
	if size == 0 {
		size = 128 << 20
	}
	var m heapMeter
	c := s.h.Big(t, size, func(r io.Reader) io.Reader { return &measuring{Reader: r, meter: &m} })
	base := m.measure()
	for _, it := range final(walk(t, c.Source, "")) {
		full := complete(t, c.Source, it)
		if got, err := digest(deadline(t), full); err != nil || got == "" {
			t.Errorf("body %q, %v", got, err)
		}
		release(full)
	}
	if m.samples < 4 {
		t.Errorf("the harness let the suite look at %d places of the body", m.samples-1)
	}
	if grown := int64(m.peak) - int64(base); grown > heapLimit {
		t.Errorf("the heap grew by %d MiB for a body of %d MiB", grown>>20, size>>20)
	}
}

type heapMeter struct {
	mu      sync.Mutex
	peak    uint64
	samples int
}

// measure notes what is in use after a collection: garbage is the runtime's affair.
func (m *heapMeter) measure() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.samples++
	m.peak = max(m.peak, stats.HeapAlloc)
	return stats.HeapAlloc
}

// measuring looks at the heap each time another 8 MiB went by.
type measuring struct {
	io.Reader
	meter *heapMeter
	read  int64
}

func (r *measuring) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if before := r.read >> 23; (r.read+int64(n))>>23 != before {
		r.meter.measure()
	}
	r.read += int64(n)
	return n, err
}

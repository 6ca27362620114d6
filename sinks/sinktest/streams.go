package sinktest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

func (s suite[T]) unknownLength(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	b := body(&item)
	if b == nil {
		t.Skip("this kind has no body")
	}
	b.Size = -1
	item, o := watched(item, nil)
	w := put(t, a, item, sinks.Receipt{})
	s.holds(t, a, item)
	put(t, a, item, w.Receipt)
	s.holds(t, a, item)
	o.allClosed(t)
}

// breaks are the ways in which a body can be other than announced.
func breaks() map[string]func(context.Context, io.Reader) io.Reader {
	return map[string]func(context.Context, io.Reader) io.Reader{
		"error at once": func(context.Context, io.Reader) io.Reader { return failing{} },
		"error mid-way": func(_ context.Context, r io.Reader) io.Reader {
			return io.MultiReader(io.LimitReader(r, 100), failing{})
		},
		"error at the end":  func(_ context.Context, r io.Reader) io.Reader { return io.MultiReader(r, failing{}) },
		"shorter than told": func(_ context.Context, r io.Reader) io.Reader { return io.LimitReader(r, 100) },
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errBroken }

func (s suite[T]) brokenBody(t *testing.T, a Account[T]) {
	whole := s.h.Item(1)
	if body(&whole) == nil {
		t.Skip("this kind has no body")
	}
	for name, wrap := range breaks() {
		for _, size := range []int64{body(&whole).Size, -1} {
			if size < 0 && name == "shorter than told" {
				continue
			}
			item, o := watched(s.h.Item(1), wrap)
			body(&item).Size = size
			breakOff(t, a, item, sinks.Receipt{}, name)
			o.allClosed(t)
			s.holds(t, a)
		}
	}
	put(t, a, whole, sinks.Receipt{})
	s.holds(t, a, whole)
}

func breakOff[T sinks.Content](t *testing.T, a Account[T], item sinks.Item[T], prev sinks.Receipt, name string) {
	t.Helper()
	_, err := a.Sink.Put(deadline(t), item, prev)
	if err == nil {
		t.Fatalf("%s: Put succeeded", name)
	}
	if name != "shorter than told" && !errors.Is(err, errBroken) {
		t.Errorf("%s: Put returned %v, which does not wrap the body's error", name, err)
	}
}

func (s suite[T]) brokenReplacement(t *testing.T, a Account[T]) {
	item := s.h.Item(1)
	if body(&item) == nil {
		t.Skip("this kind has no body")
	}
	at := put(t, a, item, sinks.Receipt{}).Receipt
	changed := s.h.Changed(item)
	for name, wrap := range breaks() {
		broken, o := watched(changed, wrap)
		breakOff(t, a, broken, at, name)
		o.allClosed(t)
		s.holds(t, a, item)
	}
	put(t, a, changed, at)
	s.holds(t, a, changed)
}

func (s suite[T]) odd(t *testing.T, a Account[T]) {
	receipts := make([]sinks.Receipt, len(s.h.Odd))
	seen := make(map[string]bool)
	for i, item := range s.h.Odd {
		receipts[i] = put(t, a, item, sinks.Receipt{}).Receipt
		if seen[receipts[i].Location] {
			t.Errorf("two items lie at %q", receipts[i].Location)
		}
		seen[receipts[i].Location] = true
	}
	s.holds(t, a, s.h.Odd...)
	for i, item := range s.h.Odd {
		if w := put(t, a, item, receipts[i]); w.Receipt.Location != receipts[i].Location {
			t.Errorf("the second Put moved the item from %q to %q", receipts[i].Location, w.Receipt.Location)
		}
	}
	s.holds(t, a, s.h.Odd...)
	for _, at := range receipts {
		if err := a.Sink.Remove(deadline(t), at); err != nil {
			t.Errorf("Remove %q: %v", at.Location, err)
		}
	}
	s.holds(t, a)
}

func (s suite[T]) atOnce(t *testing.T, a Account[T]) {
	const n = 20
	items := make([]sinks.Item[T], n)
	errs := make([]error, n)
	receipts := make([]sinks.Receipt, n)
	ctx := deadline(t)
	var wg sync.WaitGroup
	for i := range n {
		items[i] = s.h.Item(i)
		wg.Go(func() {
			errs[i] = patiently(ctx, func(again bool) error {
				items[i].Again = again
				w, err := a.Sink.Put(ctx, items[i], sinks.Receipt{})
				receipts[i] = w.Receipt
				return err
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	s.holds(t, a, items...)
	for i := range n {
		wg.Go(func() {
			errs[i] = patiently(ctx, func(bool) error { return a.Sink.Remove(ctx, receipts[i]) })
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	s.holds(t, a)
}

// patiently calls f again when it asks for that, as the engine does: a server may close a connection at any moment.
func patiently(ctx context.Context, f func(again bool) error) (err error) {
	for tries := range 5 {
		err = f(tries > 0)
		if err == nil || ctx.Err() != nil || fault.Of(err).Action != fault.Retry {
			return err
		}
	}
	return err
}

func (s suite[T]) cancellation(t *testing.T, a Account[T]) {
	before, cancelled := context.WithCancel(t.Context())
	cancelled()
	item := s.h.Item(1)
	if _, err := a.Sink.Put(before, item, sinks.Receipt{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Put under a context that has ended: %v", err)
	}
	s.holds(t, a)
	if body(&item) != nil {
		s.cancelWhileReading(t, a)
		s.holds(t, a)
	}
	put(t, a, item, sinks.Receipt{})
	s.holds(t, a, item)
}

// cancelWhileReading ends the context while the body stands still.
func (s suite[T]) cancelWhileReading(t *testing.T, a Account[T]) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached := make(chan struct{})
	item, o := watched(s.h.Item(1), func(ctx context.Context, r io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(r, 100), &stalled{ctx: ctx, reached: reached})
	})
	result := make(chan error, 1)
	go func() {
		_, err := a.Sink.Put(ctx, item, sinks.Receipt{})
		result <- err
	}()
	await(t, reached, "Put to read the body")
	cancel()
	select {
	case err := <-result:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Put returned %v after its context was cancelled", err)
		}
	case <-time.After(limit):
		t.Fatal("Put goes on after its context was cancelled")
	}
	o.allClosed(t)
}

func await(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(limit):
		t.Fatalf("waited in vain for %s", what)
	}
}

// stalled is the part of a body that never comes.
type stalled struct {
	ctx     context.Context
	reached chan struct{}
	once    sync.Once
}

func (s *stalled) Read([]byte) (int, error) {
	s.once.Do(func() { close(s.reached) })
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// heapLimit is how far the heap may grow while a big stream goes through, including what a server in the same process
// needs.
const heapLimit = 48 << 20

func (s suite[T]) big(t *testing.T, a Account[T]) {
	size := s.h.BigSize
	if size == 0 {
		size = 256 << 20
	}
	m := &heapMeter{}
	m.measure()
	m.base, m.peak = m.peak, 0
	item, o := watched(s.h.Big(size), func(_ context.Context, r io.Reader) io.Reader {
		return &measuring{Reader: r, m: m}
	})
	put(t, a, item, sinks.Receipt{})
	o.allClosed(t)
	if grown := int64(m.peak) - int64(m.base); grown > heapLimit {
		t.Errorf("the heap grew by %d MiB for a stream of %d MiB", grown>>20, size>>20)
	}
	s.holds(t, a, s.h.Big(size))
}

type heapMeter struct{ base, peak uint64 }

// measure notes what is in use after a collection: garbage is the runtime's affair.
func (m *heapMeter) measure() {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.peak = max(m.peak, stats.HeapAlloc)
}

// measuring looks at the heap each time another 16 MiB went by.
type measuring struct {
	io.Reader
	m    *heapMeter
	read int64
}

func (r *measuring) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if before := r.read >> 24; (r.read+int64(n))>>24 != before {
		r.m.measure()
	}
	r.read += int64(n)
	return n, err
}

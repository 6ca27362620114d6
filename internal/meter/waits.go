package meter

import (
	"context"
	"sync"
	"time"
)

// Waits are what the work of one account is held back by. The zero Waits are ready, and safe for concurrent use.
type Waits struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// mostWaits bounds the names that are kept.
const mostWaits = 16

type waitsKey struct{}

// With returns a context under which Wait notes in w.
func (w *Waits) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, waitsKey{}, w)
}

// Wait notes that what is done under ctx waits until a time for what has this name, such as "Gmail, per user". Without Waits in the
// context it does nothing.
func Wait(ctx context.Context, name string, until time.Time) {
	w, ok := ctx.Value(waitsKey{}).(*Waits)
	if !ok || name == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.until == nil {
		w.until = map[string]time.Time{}
	}
	if _, known := w.until[name]; !known && len(w.until) >= mostWaits {
		w.forget(time.Now())
	}
	if until.After(w.until[name]) && len(w.until) < 2*mostWaits {
		w.until[name] = until
	}
}

func (w *Waits) forget(now time.Time) {
	for name, until := range w.until {
		if !until.After(now) {
			delete(w.until, name)
		}
	}
}

// Longest returns what is waited for longest, and until when; the zero time if nothing is.
func (w *Waits) Longest(now time.Time) (name string, until time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n, u := range w.until {
		if u.After(now) && (u.After(until) || u.Equal(until) && n < name) {
			name, until = n, u
		}
	}
	return name, until
}

// Package meter counts what a run costs on the wire, for both sides of it.
package meter

import (
	"sync/atomic"
	"time"
)

// Meter counts the traffic with one side, the provider or the target. The zero Meter is ready; all methods are safe for
// concurrent use, and on a nil Meter do nothing.
type Meter struct {
	requests  atomic.Int64
	throttled atomic.Int64
	until     atomic.Int64
}

// Request counts n requests or commands.
func (m *Meter) Request(n int) {
	if m != nil {
		m.requests.Add(int64(n))
	}
}

// Requests returns the number of requests so far.
func (m *Meter) Requests() int64 {
	if m == nil {
		return 0
	}
	return m.requests.Load()
}

// Throttle notes that a scope is closed from now for d. Time that is closed twice is counted once.
func (m *Meter) Throttle(now time.Time, d time.Duration) {
	if m == nil || d <= 0 {
		return
	}
	end := now.Add(d).UnixNano()
	for {
		old := m.until.Load()
		if end <= old {
			return
		}
		if m.until.CompareAndSwap(old, end) {
			m.throttled.Add(end - max(old, now.UnixNano()))
			return
		}
	}
}

// Throttled returns the time until now in which at least one scope was closed.
func (m *Meter) Throttled() time.Duration {
	if m == nil {
		return 0
	}
	total, ahead := m.throttled.Load(), m.until.Load()-time.Now().UnixNano()
	return time.Duration(max(total-max(ahead, 0), 0))
}

// ThrottledUntil returns when the scope that is closed longest opens again; the zero time if none ever was.
func (m *Meter) ThrottledUntil() time.Time {
	if m == nil || m.until.Load() == 0 {
		return time.Time{}
	}
	return time.Unix(0, m.until.Load())
}

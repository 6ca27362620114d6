// Package meter counts what a run costs on the wire, for both sides of it.
package meter

import (
	"sync"
	"sync/atomic"
	"time"
)

// Meter counts the traffic with one side, the provider or the target. The zero Meter is ready; all methods are safe for
// concurrent use, and on a nil Meter do nothing.
type Meter struct {
	requests atomic.Int64
	answered atomic.Int64
	waited   atomic.Int64 // nanoseconds

	mu     sync.Mutex
	all    closure
	scopes map[string]closure
}

// closure adds up times in which something is closed. Time that is closed twice is counted once.
type closure struct {
	total time.Duration // until the end
	end   time.Time
}

func (c closure) extended(now time.Time, d time.Duration) closure {
	end := now.Add(d)
	if !end.After(c.end) {
		return c
	}
	from := now
	if c.end.After(now) {
		from = c.end
	}
	return closure{c.total + end.Sub(from), end}
}

// until returns the time until now.
func (c closure) until(now time.Time) time.Duration {
	return max(c.total-max(c.end.Sub(now), 0), 0)
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

// Answered notes that the answer to a request began after d.
func (m *Meter) Answered(d time.Duration) {
	if m != nil {
		m.answered.Add(1)
		m.waited.Add(int64(d))
	}
}

// leastAnswers is how many answers a RoundTrip needs: the first ones also open connections.
const leastAnswers = 20

// RoundTrip returns the mean time from a request to its answer; 0 while too few are known to tell.
func (m *Meter) RoundTrip() time.Duration {
	if m == nil || m.answered.Load() < leastAnswers {
		return 0
	}
	return time.Duration(m.waited.Load() / m.answered.Load())
}

// Throttle notes that a scope is closed from now for d. The scope is named for people, such as "Gmail, per user".
func (m *Meter) Throttle(scope string, now time.Time, d time.Duration) {
	if m == nil || d <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.scopes == nil {
		m.scopes = map[string]closure{}
	}
	m.all, m.scopes[scope] = m.all.extended(now, d), m.scopes[scope].extended(now, d)
}

// Throttled returns the time until now in which at least one scope was closed.
func (m *Meter) Throttled() time.Duration {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all.until(time.Now())
}

// ByScope returns the time until now in which each scope was closed. Scopes of one name, such as those of several users, are one.
func (m *Meter) ByScope() map[string]time.Duration {
	out := map[string]time.Duration{}
	if m == nil {
		return out
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, c := range m.scopes {
		out[name] = c.until(time.Now())
	}
	return out
}

// ThrottledUntil returns when the scope that is closed longest opens again; the zero time if none ever was.
func (m *Meter) ThrottledUntil() time.Time {
	if m == nil {
		return time.Time{}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all.end
}

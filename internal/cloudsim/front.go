// Package cloudsim holds what the simulated providers have in common: faults on demand, quotas on a clock that may run faster,
// counts of requests, and bodies that are made up while they are read. The providers are in packages of their own below.
package cloudsim

import (
	"net/http"
	"sync"
	"time"
)

// Behaviour says how a provider treats its clients. The zero value has no latency and no faults.
type Behaviour struct {
	Latency time.Duration // before each answer
	Faults  *Faults
	// Hook decides on a fault by program; it comes before Faults. The name is one of Front.Counts.
	Hook func(r *http.Request, name string) (Fault, bool)
	// SlowPause is the pause between two pieces of a slow body; 0: 20 ms.
	SlowPause time.Duration
}

// Front is what stands before a provider's methods. It is safe for concurrent use.
type Front struct {
	behaviour Behaviour
	done      chan struct{}
	closing   sync.Once

	mu       sync.Mutex
	counts   map[string]int
	total    int
	refused  int
	problems []string
}

// NewFront returns a front that has counted nothing.
func NewFront(b Behaviour) *Front {
	if b.SlowPause == 0 {
		b.SlowPause = 20 * time.Millisecond
	}
	return &Front{behaviour: b, done: make(chan struct{}), counts: map[string]int{}}
}

// Close ends pauses that answers are making.
func (f *Front) Close() error {
	f.closing.Do(func() { close(f.done) })
	return nil
}

// Closed reports whether Close was called.
func (f *Front) Closed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// Delay makes a request wait for the latency.
func (f *Front) Delay(r *http.Request) { f.Pause(r, f.behaviour.Latency) }

// Enter counts a request and returns its number among those of the same name, from 1, and the fault that strikes it, if any does.
func (f *Front) Enter(r *http.Request, name string) (n int, fault Fault, struck bool) {
	n = f.Count(name)
	if f.behaviour.Hook != nil {
		if fault, struck = f.behaviour.Hook(r, name); struck {
			return n, fault, true
		}
	}
	if f.behaviour.Faults == nil {
		return n, Fault{}, false
	}
	fault, struck = f.behaviour.Faults.pick(name, n)
	return n, fault, struck
}

// Strike is Enter with its consequence. refuse answers a fault that is an error answer, and reports whether it did; any other fault spoils
// the writer that is returned. finish must be called when the answer is complete; answered says that nothing is left to answer.
func (f *Front) Strike(w http.ResponseWriter, r *http.Request, name string, refuse func(http.ResponseWriter, Fault) bool) (out http.ResponseWriter, n int, finish func(), answered bool) {
	n, fault, struck := f.Enter(r, name)
	switch {
	case !struck:
		return w, n, func() {}, false
	case refuse(w, fault):
		return w, n, func() {}, true
	}
	spoiled := f.Spoil(w, r, fault)
	return spoiled, n, spoiled.Finish, false
}

// Pause waits, unless the client gives up or the front is closed.
func (f *Front) Pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-f.done:
	}
}

package modeltest

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// wire is what lies between the program and both sides: it counts what passes, and lets something happen at a chosen event.
type wire struct {
	// requests counts those to both sides, and writes those that change something on the target.
	requests, writes atomic.Int64

	mu     sync.Mutex
	left   int // events until do
	do     func()
	last   string           // the last writing request
	before map[string][]any // the last page of each listing; see noise
}

// arm has do called at the n-th event from now on; nil: nothing.
func (w *wire) arm(n int, do func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.do = n, do
}

// event is a request or an answer on its way.
func (w *wire) event() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left--; w.left == 0 && w.do != nil {
		w.do()
	}
}

func (w *wire) wrote(what string) {
	w.writes.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = what
}

func (w *wire) lastWrite() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// around counts the requests that go through next.
func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		w.requests.Add(1)
		w.event()
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		resp, err := next.RoundTrip(r)
		w.event()
		return resp, err
	})
}

// toTarget is around for requests to a target.
func (w *wire) toTarget(next http.RoundTripper) http.RoundTripper {
	reading := []string{http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND", "REPORT"}
	around := w.around(next)
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		if !slices.Contains(reading, r.Method) {
			w.wrote(r.Method + " " + r.URL.Path)
		}
		return around.RoundTrip(r)
	})
}

package deltamodel

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// wire is what lies between the program and both sides: it counts what passes, and lets something happen at a chosen event.
type wire struct {
	mu       sync.Mutex
	requests int            // to both sides
	writes   int            // of them, those that change something on the target
	last     string         // the last writing request
	answered map[string]int // requests to the target that succeeded, by method
	left     int            // events until do
	do       func()
}

// reset forgets what was counted.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests, w.writes, w.last, w.answered = 0, 0, "", map[string]int{}
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

func (w *wire) request() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
}

func (w *wire) wrote(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writes++
	w.last = what
}

// counts returns how many requests there were, how many of them were writing, and the last of these.
func (w *wire) counts() (requests, writes int, last string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.requests, w.writes, w.last
}

// count returns how many requests of a method succeeded at the target.
func (w *wire) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answered[method]
}

// around counts the requests that go through next.
func (w *wire) around(next http.RoundTripper) http.RoundTripper {
	return httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
		w.request()
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
		resp, err := around.RoundTrip(r)
		if err == nil && resp.StatusCode < 300 {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.answered[r.Method]++
		}
		return resp, err
	})
}

// String implements fmt.Stringer.
func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	parts := []string{fmt.Sprintf("%d requests, %d writing", w.requests, w.writes)}
	for _, name := range slices.Sorted(maps.Keys(w.answered)) {
		parts = append(parts, fmt.Sprintf("%d %s", w.answered[name], name))
	}
	return strings.Join(parts, ", ")
}

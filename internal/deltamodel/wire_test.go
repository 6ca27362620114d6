package deltamodel

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// wire carries all requests of the program, counts those that succeed by their method, and breaks a pass off on demand.
type wire struct {
	next http.RoundTripper

	mu     sync.Mutex
	counts map[string]int // "provider" for all requests to that
	fuse   int
	cancel context.CancelFunc
}

func newWire() *wire { return &wire{next: httpx.NewTransport(), counts: map[string]int{}} }

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.tick()
	res, err := w.next.RoundTrip(r)
	if err == nil && res.StatusCode < 300 {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.counts[nameOf(r)]++
	}
	return res, err
}

func nameOf(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/calendars/"+owner) || strings.HasPrefix(r.URL.Path, "/addressbooks/") {
		return r.Method
	}
	return "provider"
}

// after has cancel called at the nth request from now; 0: never.
func (w *wire) after(n int, cancel context.CancelFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fuse, w.cancel = n, cancel
}

func (w *wire) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fuse > 0 {
		if w.fuse--; w.fuse == 0 {
			w.cancel()
		}
	}
}

func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = map[string]int{}
}

func (w *wire) count(method string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[method]
}

// writes counts what changes the target.
func (w *wire) writes() int {
	return w.total() - w.count("provider") - w.count("GET") - w.count("PROPFIND") - w.count("REPORT") - w.count("OPTIONS")
}

func (w *wire) total() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.counts {
		n += c
	}
	return n
}

// String implements fmt.Stringer.
func (w *wire) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(w.counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", w.counts[name], name))
	}
	return strings.Join(parts, ", ")
}

package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// firstOfEach gives a fault to the first request of each method.
func firstOfEach(kind string) func(*http.Request, string) (cloudsim.Fault, bool) {
	var mu sync.Mutex
	seen := make(map[string]bool)
	return func(r *http.Request, name string) (cloudsim.Fault, bool) {
		mu.Lock()
		defer mu.Unlock()
		if seen[name] || strings.HasPrefix(name, "directory.") {
			return cloudsim.Fault{}, false
		}
		seen[name] = true
		return cloudsim.Fault{Kind: kind}, true
	}
}

// TestBusyWhenOpened lets the provider fail the first request of each method: tokens and lists of calendars too, before
// any task is under way.
func TestBusyWhenOpened(t *testing.T) {
	for _, kind := range []string{"503", "reset"} {
		s := simulated(t, googleOf(sim.Options{Behaviour: cloudsim.Behaviour{Hook: firstOfEach(kind)}}))
		if r := reported(t, ran(t, exitOK, "run", "--json", s.Job)); r.Totals.Failed > 0 || r.Totals.Listed == 0 {
			t.Errorf("%s: %+v", kind, r.Totals)
		}
	}
}

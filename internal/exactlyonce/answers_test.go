package exactlyonce

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
)

// writing are the requests that change a target, by protocol: their answers matter. "data" is the literal of an APPEND.
var writing = []string{"PUT", "MKCOL", "MOVE", "DELETE", "MKCALENDAR", "APPEND", "data", "CREATE", "SUBSCRIBE",
	"UID STORE", "UID COPY", "UID MOVE", "UID EXPUNGE"}

// misfortunes are what becomes of the answer to a request that the server has done.
var misfortunes = map[string]func(answer []byte) faultnet.Verdict{
	"lost":      func([]byte) faultnet.Verdict { return faultnet.Verdict{Action: faultnet.Cut} },
	"truncated": func(b []byte) faultnet.Verdict { return faultnet.Verdict{Action: faultnet.End, Keep: len(b) / 2} },
	"twice":     func([]byte) faultnet.Verdict { return faultnet.Verdict{Action: faultnet.Repeat} },
}

// tally counts what a test did, by what it did it to.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[what]++
}

func (c *tally) String() string {
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(c.counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", what, c.counts[what]))
	}
	return strings.Join(parts, ", ")
}

// TestLostAnswers has the answer to each request that writes be lost, cut short or come twice, while the process lives on. The run
// comes to its end by itself, and it is the same end.
func TestLostAnswers(t *testing.T) {
	var met tally
	step := every(t)
	scenes(t, func(t *testing.T, s scene) {
		calm := s.calm(t)
		t.Run("to", func(t *testing.T) {
			number := len(t.Name())
			for _, p := range calm.points {
				request, is := strings.CutPrefix(p.name, "target: answer lost to ")
				if !is || !slices.Contains(writing, request) {
					continue
				}
				for _, what := range slices.Sorted(maps.Keys(misfortunes)) {
					if number++; number%step != 0 && p.n > 1 { // the first of each kind always
						continue
					}
					t.Run(fmt.Sprintf("%s %d, %s", request, p.n, what), func(t *testing.T) {
						t.Parallel()
						if s.spoilAnswer(t, point{request, p.n}, what, calm) {
							met.add(request + " " + what)
						}
					})
				}
			}
		})
	})
	t.Log(&met)
	for _, request := range []string{"PUT", "MKCOL", "MOVE", "DELETE", "MKCALENDAR", "APPEND", "CREATE", "SUBSCRIBE"} {
		if met.counts[request+" lost"] == 0 {
			t.Errorf("no answer to %s was lost", request)
		}
	}
}

// spoilAnswer reports whether the request was met.
func (s scene) spoilAnswer(t *testing.T, at point, what string, want calm) bool {
	t.Helper()
	w := s.set(t, cloudsim.Behaviour{})
	var met atomic.Bool
	n := 0
	w.target.setSpoil(func(name string, p faultnet.Passage, firstOfAnswer bool) faultnet.Verdict {
		if !firstOfAnswer || name != at.name {
			return faultnet.Verdict{}
		}
		if n++; n != at.n {
			return faultnet.Verdict{}
		}
		met.Store(true)
		return misfortunes[what](p.Data)
	})
	w.finish(t)
	w.settled(t, want)
	return met.Load()
}

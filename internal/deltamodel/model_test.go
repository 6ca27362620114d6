package deltamodel

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// everyDay is how many edits of each kind are made where nobody asks for more.
const everyDay = 225

// edits are how many are asked for.
func edits(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("REPATRIATE_EDITS"); text != "" {
		n, err := strconv.Atoi(text)
		must(t, err)
		return n
	}
	return everyDay
}

// lifetime is how many edits one account sees.
const lifetime = 75

func model(t *testing.T, kind string, make func(g *rig, seed uint64) world) {
	tried, passes := 0, 0
	first := uint64(1)
	if text := os.Getenv("REPATRIATE_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		must(t, err)
		first = n
	}
	for seed := first; tried < edits(t); seed++ {
		ok := t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			g := newRig(t, kind, seed, seed%2 == 0)
			g.note("propagate=%v", g.propagate)
			g.world = make(g, seed)
			g.run(lifetime)
			tried, passes = tried+g.edits, passes+g.passes
		})
		if !ok {
			break
		}
	}
	t.Logf("%d edits, %d passes", tried, passes)
}

func TestGoogleEvents(t *testing.T) { model(t, "calendar", newGoogleEvents) }

func TestGoogleContacts(t *testing.T) { model(t, "contacts", newGoogleContacts) }

func TestGoogleTasks(t *testing.T) { model(t, "tasks", newGoogleTasks) }

func TestGraphEvents(t *testing.T) { model(t, "calendar", newGraphEvents) }

func TestGraphContacts(t *testing.T) { model(t, "contacts", newGraphContacts) }

func TestGraphTasks(t *testing.T) { model(t, "tasks", newGraphTasks) }

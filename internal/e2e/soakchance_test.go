package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// chance makes choices, names and times that depend on a seed.
type chance struct {
	random *rand.Rand
	made   int // names

	mu    sync.Mutex
	clock time.Time
}

func newChance(seed, life uint64) *chance {
	return &chance{random: rand.New(rand.NewPCG(seed, life)), clock: time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC)}
}

// now is a clock for providers: each time is later than the one before.
func (c *chance) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = c.clock.Add(time.Second)
	return c.clock
}

// name returns one that nothing else has.
func (c *chance) name(what string) string {
	c.made++
	return fmt.Sprintf("%s %d", what, c.made)
}

// mail returns a message that no other is like, but for some that are alike to the byte.
func (c *chance) mail() []byte {
	if c.random.IntN(8) == 0 {
		return mailText("twin", c.random.IntN(2))
	}
	c.made++
	return mailText("new", c.made)
}

// pick returns one of them; none of none.
func (c *chance) pick(from []string) string {
	if len(from) == 0 {
		return ""
	}
	return from[c.random.IntN(len(from))]
}

// with does something with one of the ids, and reports whether there was one.
func (c *chance) with(t *testing.T, ids []string, do func(id string) error) bool {
	t.Helper()
	if len(ids) == 0 {
		return false
	}
	must(t, do(c.pick(ids)))
	return true
}

// among returns those that the map has.
func (c *chance) among(ids []string, in map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, has := in[id]; return !has })
}

// without returns those that the map lacks.
func (c *chance) without(ids []string, in map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { _, has := in[id]; return has })
}

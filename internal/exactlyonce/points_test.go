package exactlyonce

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// point is a place where a run can be cut: the n-th time, from 1, that something of that name happens.
type point struct {
	name string
	n    int
}

func (p point) String() string { return fmt.Sprintf("%s %d", p.name, p.n) }

// points counts the points that a run passes, and ends its life at one of them.
type points struct {
	dead atomic.Bool

	mu   sync.Mutex
	seen map[string]int
	at   point
	die  func()
}

// arm counts anew; at the point, if it is ever passed, the run is dead and die is called. The zero point is none.
func (p *points) arm(at point, die func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen, p.at, p.die = map[string]int{}, at, die
	p.dead.Store(false)
}

// pass counts a point and reports whether the run is dead.
func (p *points) pass(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead.Load() {
		return true
	}
	p.seen[name]++
	if (p.at != point{name, p.seen[name]}) {
		return false
	}
	p.dead.Store(true)
	p.die()
	return true
}

// all returns the points that were passed since arm.
func (p *points) all() []point {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []point
	for name, n := range p.seen {
		for i := range n {
			list = append(list, point{name, i + 1})
		}
	}
	slices.SortFunc(list, func(a, b point) int { return cmp.Or(cmp.Compare(a.name, b.name), a.n-b.n) })
	return list
}

package engine

import (
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// errCircle is the end of a task whose provider would keep it busy for ever.
var errCircle error = fault.New(fault.FailTask, fault.SourceBadAnswer, "the provider's pages lead back to one that was read already")

// circle notices cursors that lead back to one that was there before, however long the way, and remembers one of them
// alone (Brent's algorithm).
type circle struct {
	mark        sources.Cursor
	steps, most int
}

func newCircle(start sources.Cursor) *circle { return &circle{mark: start, most: 1} }

// closes reports whether the next cursor is one that was there.
func (c *circle) closes(next sources.Cursor) bool {
	if next == c.mark {
		return true
	}
	if c.steps++; c.steps == c.most {
		c.mark, c.steps, c.most = next, 0, 2*c.most
	}
	return false
}

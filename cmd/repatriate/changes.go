package main

import (
	"slices"
	"sync"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// mostChanges bounds the changes of a pass that are kept by name; all are counted.
const mostChanges = 1000

// changes collects what a pass does.
type changes struct {
	mu     sync.Mutex
	counts map[string]int64
	list   []report.Change
	again  int64 // of those that failed, those that failed before as well
	// fresh are those that failed for the first time, and are tried again in this pass.
	fresh map[report.Change]bool
}

// of returns what takes the changes of one kind of an account.
func (c *changes) of(account, kind string) func(engine.Change) {
	return func(done engine.Change) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.counts == nil {
			c.counts = map[string]int64{}
		}
		c.counts[done.What]++
		change := report.Change{Account: account, Kind: kind, Change: done}
		if done.Again {
			first := change
			first.Again = false
			change.Again = !c.fresh[first]
		}
		if change.Again {
			c.again++
		}
		if len(c.list) < mostChanges {
			c.list = append(c.list, change)
		}
	}
}

// retried forgets what failed: it is tried again.
func (c *changes) retried() {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.counts, engine.Broken)
	c.again, c.fresh = 0, make(map[report.Change]bool)
	c.list = slices.DeleteFunc(c.list, func(change report.Change) bool {
		if change.What == engine.Broken && !change.Again {
			c.fresh[change] = true
		}
		return change.What == engine.Broken
	})
}

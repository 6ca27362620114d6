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
		if len(c.list) < mostChanges {
			c.list = append(c.list, report.Change{Account: account, Kind: kind, Change: done})
		}
	}
}

// drop forgets the changes of one sort: they are tried again.
func (c *changes) drop(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.counts, what)
	c.list = slices.DeleteFunc(c.list, func(change report.Change) bool { return change.What == what })
}

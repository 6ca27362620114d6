package main

import (
	"context"
	"maps"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// counts are the providers' own counts of what was listed in a pass, for the report.
type counts struct {
	mu     sync.Mutex
	byTask map[checkpoint.Task]sources.Count
}

// ask asks for the provider's count if the source has one and a full listing was completed since before. It fails nothing:
// where the provider does not answer, nothing is compared.
func (c *counts) ask(ctx context.Context, w *wiring, src any, l checkpoint.Ledger, before checkpoint.Status) {
	counter, ok := src.(sources.Counter)
	if !ok {
		return
	}
	now, err := l.Status(ctx)
	if err != nil || !now.Complete || before.Complete && now.Generation == before.Generation {
		return
	}
	c.note(ctx, w, counter, now.Task)
}

// note asks for the provider's count of a task.
func (c *counts) note(ctx context.Context, w *wiring, counter sources.Counter, t checkpoint.Task) {
	count, err := counter.Count(ctx)
	if err != nil {
		w.log.Warn("the provider's own count is not known", "account", t.Account, "kind", t.Kind, "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byTask == nil {
		c.byTask = make(map[checkpoint.Task]sources.Count)
	}
	c.byTask[t] = count
}

func (c *counts) all() map[checkpoint.Task]sources.Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.byTask)
}

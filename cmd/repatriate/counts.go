package main

import (
	"context"
	"errors"
	"maps"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// counts are the providers' own counts of what was listed in a pass, for the report.
type counts struct {
	mu      sync.Mutex
	byTask  map[checkpoint.Task]sources.Count
	weights map[checkpoint.Task]sources.Weight
}

// ask asks for what the provider itself says of a collection, if the source can and a full listing was completed since before. It fails
// nothing: where the provider does not answer, nothing is compared.
func (c *counts) ask(ctx context.Context, w *wiring, src any, l checkpoint.Ledger, before checkpoint.Status) {
	now, err := l.Status(ctx)
	if err != nil || !now.Complete || before.Complete && now.Generation == before.Generation {
		return
	}
	if counter, ok := src.(sources.Counter); ok {
		note(c, w, now.Task, &c.byTask, func() (sources.Count, error) { return counter.Count(ctx) })
	}
	if weigher, ok := src.(sources.Weigher); ok {
		note(c, w, now.Task, &c.weights, func() (sources.Weight, error) { return weigher.Weigh(ctx) })
	}
}

// note keeps what the provider answers of a task.
func note[V any](c *counts, w *wiring, t checkpoint.Task, in *map[checkpoint.Task]V, asked func() (V, error)) {
	v, err := asked()
	switch {
	case errors.Is(err, sources.ErrNoWeight):
		return
	case err != nil:
		w.log.Warn("the provider's own count is not known", "account", t.Account, "kind", t.Kind, "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if *in == nil {
		*in = make(map[checkpoint.Task]V)
	}
	(*in)[t] = v
}

// all returns what was noted so far.
func (c *counts) all() (map[checkpoint.Task]sources.Count, map[checkpoint.Task]sources.Weight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.byTask), maps.Clone(c.weights)
}

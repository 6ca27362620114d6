package main

import (
	"context"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/sinks"
)

// dryRun is the sink of a dry run: it keeps nothing, and counts the bytes that a run would send, as far as the source
// states them without being read.
type dryRun[T sinks.Content] struct {
	sinks.Discard[T]
	counters *engine.Counters
}

// Put implements sinks.Sink.
func (d dryRun[T]) Put(ctx context.Context, item sinks.Item[T], prev sinks.Receipt) (sinks.Written, error) {
	var body sinks.Body
	switch c := any(item.Content).(type) {
	case sinks.File:
		body = c.Body
	case sinks.Message:
		body = c.Body
	}
	if body.Size > 0 && (prev.IsZero() || prev.BodyVersion != body.Version) {
		d.counters.Bytes.Add(body.Size)
	}
	return d.Discard.Put(ctx, item, prev)
}

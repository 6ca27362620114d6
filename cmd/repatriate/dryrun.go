package main

import (
	"context"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
)

// dryRun is the sink of a dry run: it keeps nothing, and counts the bytes that a run would send, as far as the source
// states them without being read.
type dryRun[T sinks.Content] struct {
	sinks.Discard[T]
	counters *engine.Counters
	seen     *plan.Observer // nil: nobody watches
}

// drily is the sink of a dry run for one collection.
func drily[T sinks.Content](w *wiring, p config.Account, kind string) dryRun[T] {
	d := dryRun[T]{counters: &w.counters}
	if w.survey != nil {
		d.seen = w.survey.Observe(plan.Part{Account: p.Source, Kind: kind})
	}
	return d
}

// Put implements sinks.Sink.
func (d dryRun[T]) Put(ctx context.Context, item sinks.Item[T], prev sinks.Receipt) (sinks.Written, error) {
	seen, bodied := seenOf(item, prev)
	if bodied && seen.Bytes > 0 {
		d.counters.Bytes.Add(seen.Bytes)
	}
	if item.ID != engine.OrphanFolder {
		d.seen.Saw(seen)
	}
	return d.Discard.Put(ctx, item, prev)
}

// seenOf describes an item for a survey. bodied says that its bytes are a body that the source has, not an object that was made of it.
func seenOf[T sinks.Content](item sinks.Item[T], prev sinks.Receipt) (seen plan.Seen, bodied bool) {
	seen.ID = item.ID
	sent := func(b sinks.Body) int64 {
		if seen.Empty = !prev.IsZero() && prev.BodyVersion == b.Version; seen.Empty {
			return 0
		}
		return b.Size
	}
	switch c := any(item.Content).(type) {
	case sinks.File:
		seen.Path, seen.Bytes = sinks.PathLocation(c.Path), sent(c.Body)
		seen.Empty = seen.Empty || c.Folder || c.MediaType == mapping.ShortcutType
		return seen, true
	case sinks.Message:
		seen.Bytes, seen.Copies = sent(c.Body), len(c.Copies)
		return seen, true
	case sinks.Event:
		seen.Bytes = int64(len(c.Data))
	case sinks.Contact:
		seen.Bytes = int64(len(c.Data)) // the sink makes a picture smaller that does not fit
	case sinks.Task:
		seen.Bytes = int64(len(c.Data))
	}
	return seen, false
}

// observed hands over what was seen, with the title that the ledger has of the largest item.
func (d dryRun[T]) observed(ctx context.Context, l checkpoint.Ledger) {
	d.seen.End(func(id string) string {
		rec, _, err := l.Record(context.WithoutCancel(ctx), id)
		if err != nil || rec.Title == "" {
			return id
		}
		return rec.Title
	})
}

package engine

import (
	"context"
	"fmt"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sinks"
)

// writes keeps searches for lost receipts apart from writes: while one searches, no Put is under way and none has a receipt
// that is not on its way into the ledger, so that each object it finds either has its receipt there or belongs to a write
// that lost its answer.
type writes struct{ sync.RWMutex }

// deliver has the sink write the item and passes what came of it to save. Where a write cannot be repeated it is noted
// before, and looked for when it may have happened without an answer.
func (p *pass[S, T]) deliver(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, seen *seen, save func(sinks.Written) error) error {
	switch {
	case p.finder == nil || !prev.IsZero():
		w.rec.Attempts++
		return p.write(ctx, w, out, prev, save)
	case w.rec.Attempts > 0:
		found, err := p.findLost(ctx, w, out, seen)
		if err != nil {
			return err
		}
		if !found.IsZero() {
			// The sink completes what the interrupted write left undone, and tells its losses.
			return p.write(ctx, w, out, found, save)
		}
	}
	if err := p.noteWriting(ctx, w); err != nil {
		return err
	}
	return p.write(ctx, w, out, prev, save)
}

// write lets no search begin between the Put and its record.
func (p *pass[S, T]) write(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, save func(sinks.Written) error) error {
	if p.finder != nil {
		p.writes.RLock()
		defer p.writes.RUnlock()
	}
	written, err := p.sink.Put(ctx, out, prev)
	if at := standsAt(written, err); at != "" && prev.IsZero() {
		written, err = p.succeed(ctx, w, out, at, written, err)
	}
	if err != nil {
		return err
	}
	return save(written)
}

// noteWriting makes it durable that a write is about to begin.
func (p *pass[S, T]) noteWriting(ctx context.Context, w *work[S]) error {
	w.rec.Attempts++
	if w.rec.State == checkpoint.Writing {
		return nil
	}
	rec := w.rec
	rec.State = checkpoint.Writing
	if err := p.saver.saveNow(ctx, rec); err != nil {
		return err
	}
	w.rec.State = checkpoint.Writing
	return nil
}

// findLost returns the receipt of an earlier write of the item that got no answer; the zero receipt if there was none.
// The receipt is in the ledger when it returns, so that nobody else finds the same object.
func (p *pass[S, T]) findLost(ctx context.Context, w *work[S], out sinks.Item[T], seen *seen) (sinks.Receipt, error) {
	p.writes.Lock()
	defer p.writes.Unlock()
	if err := p.saver.flush(ctx); err != nil {
		return sinks.Receipt{}, err
	}
	candidates, err := p.finder.Find(ctx, out)
	if err != nil {
		return sinks.Receipt{}, fmt.Errorf("look for an interrupted write: %w", err)
	}
	for _, r := range candidates {
		owner, err := p.ledger.AtLocation(ctx, r.Location)
		if err != nil {
			return sinks.Receipt{}, ledgerError(err)
		}
		if owner == "" || owner == w.item.ID {
			return r, p.claim(ctx, w, r, seen)
		}
	}
	return sinks.Receipt{}, nil
}

// claim notes that the object at r belongs to the item.
func (p *pass[S, T]) claim(ctx context.Context, w *work[S], r sinks.Receipt, seen *seen) error {
	rec := w.rec
	seen.note(&rec, r)
	rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = r.Location, r.Version, r.BodyVersion, r.State
	if err := p.ledger.Save(ctx, rec); err != nil {
		return ledgerError(err)
	}
	w.rec = rec
	return nil
}

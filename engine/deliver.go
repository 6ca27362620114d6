package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// writes keeps searches for lost receipts apart from writes: while one searches, no Put is under way and none has a receipt
// that is not on its way into the ledger, so that each object it finds either has its receipt there or belongs to a write
// that lost its answer.
type writes struct{ sync.RWMutex }

// deliver has the sink write the item and passes what came of it to save. Where a write cannot be repeated, it is noted before, also
// that of a change: what a pass broke off is taken up by the next one even if the provider tells of it no more. It is looked for when it
// may have happened without an answer.
func (p *pass[S, T]) deliver(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, seen *seen, save func(sinks.Written) error) error {
	replaced := p.finder != nil && !prev.IsZero() && seen.stated.Version != prev.BodyVersion
	if replaced && out.Again || p.finder != nil && prev.IsZero() && w.rec.Attempts > 0 {
		found, err := p.findLost(ctx, w, out, prev, seen)
		if err != nil {
			return err
		}
		if !found.IsZero() {
			// The sink completes what the interrupted write left undone, and tells its losses.
			return p.write(ctx, w, out, found, save)
		}
		out.Again = false
	}
	w.rec.Attempts++
	if p.finder != nil {
		out.Note = p.noter(w, seen)
	}
	err := p.write(ctx, w, out, prev, save)
	if p.finder == nil || prev.IsZero() || !isConflict(err) {
		return err
	}
	if at, moved, seekErr := p.movedByUs(ctx, w, prev, seen); seekErr != nil || moved {
		return cmp.Or(seekErr, p.write(ctx, w, out, at, save))
	}
	if p.seeker != nil && p.o.Conflicts == SourceWins {
		return p.bringBack(ctx, w, out, prev, seen, save)
	}
	return err
}

// movedByUs returns where an item lies that is not where it was put: a change of it that was broken off may have moved it to where the
// source had it then. Its places were noted, so that what its user moved is another matter.
func (p *pass[S, T]) movedByUs(ctx context.Context, w *work[S], prev sinks.Receipt, seen *seen) (at sinks.Receipt, ok bool, err error) {
	p.writes.Lock()
	defer p.writes.Unlock()
	if err := p.saver.flush(ctx); err != nil {
		return at, false, err
	}
	left, err := p.recover(ctx, w, proof(w.rec, receipt(w.rec)))
	left = slices.DeleteFunc(left, func(r sinks.Receipt) bool { return r.Location == prev.Location })
	if err != nil || len(left) != 1 {
		return at, false, err
	}
	return left[0], true, p.claim(ctx, w, left[0], seen)
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
	if err != nil && !errors.Is(err, errInTheWay) {
		written, err = p.resolve(ctx, w, out, prev, err)
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
// The receipt is in the ledger when it returns, so that nobody else finds the same object. What the lost write was to replace
// is taken away before; what a user changed of it stays.
func (p *pass[S, T]) findLost(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, seen *seen) (sinks.Receipt, error) {
	p.writes.Lock()
	defer p.writes.Unlock()
	if err := p.saver.flush(ctx); err != nil {
		return sinks.Receipt{}, err
	}
	own, err := p.lost(ctx, w, out)
	own = slices.DeleteFunc(own, func(r sinks.Receipt) bool { return r.Location == prev.Location })
	if err != nil || len(own) == 0 {
		return sinks.Receipt{}, err
	}
	if !prev.IsZero() {
		if err := p.sink.Remove(ctx, prev); err != nil && fault.Of(err).Reason != fault.TargetConflict {
			return sinks.Receipt{}, err
		}
	}
	return own[0], p.claim(ctx, w, own[0], seen)
}

// lost returns what an interrupted write of the item left: where it belongs, or where it belonged when that was noted.
func (p *pass[S, T]) lost(ctx context.Context, w *work[S], out sinks.Item[T]) ([]sinks.Receipt, error) {
	candidates, err := p.finder.Find(ctx, out)
	if err != nil {
		return nil, fmt.Errorf("look for an interrupted write: %w", err)
	}
	own, err := p.unowned(ctx, w, candidates)
	if err != nil || w.noted != "" && w.noted == w.item.Version { // it was noted for the place at which Find looked
		return own, err
	}
	left, err := p.recover(ctx, w, proof(w.rec, receipt(w.rec)))
	return append(own, left...), err
}

// unowned returns those of the receipts that belong to no other item.
func (p *pass[S, T]) unowned(ctx context.Context, w *work[S], candidates []sinks.Receipt) (own []sinks.Receipt, err error) {
	for _, r := range candidates {
		owner, err := p.ledger.AtLocation(ctx, r.Location)
		if err != nil {
			return nil, ledgerError(err)
		}
		if owner == "" || owner == w.item.ID {
			own = append(own, r)
		}
	}
	return own, nil
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

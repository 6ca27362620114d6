package engine

import (
	"context"
	"errors"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// work is one item on its way, with what the ledger knows of it.
type work[S sources.Content] struct {
	item sources.Item[S]
	rec  checkpoint.Record
	// losses are those of the item's name, such as one that a sibling has already.
	losses []sinks.Loss
	// name is the one that is reserved for it in its folder, if it has a place in a tree.
	name string
	// takenUp is where it counts once it was tried; nil: nowhere.
	takenUp *Count
	// late says that the item was put off before.
	late bool
	// folder says of a deleted node that it is a folder on the target.
	folder bool
	// noted is the version of which this run noted that it is about to be written, if there is one: what an earlier run left has been
	// looked for then.
	noted string
}

// settled reports whether the item needs nothing: it has a final state at this version. What failed is tried again
// whenever it is listed.
func (w *work[S]) settled() bool {
	switch w.rec.State {
	case checkpoint.Copied, checkpoint.CopiedWithLosses, checkpoint.Skipped:
		return !w.item.Deleted && (w.item.Version == w.rec.Version || w.item.Version == "")
	case checkpoint.Removed:
		return w.item.Deleted
	default:
		return false
	}
}

func (w *work[S]) release() {
	if w.item.Release != nil {
		w.item.Release()
		w.item.Release = nil
	}
}

// item brings one item to a final state. Its error ends the task: a fault of that kind, cancellation, or a ledger that
// cannot be written.
func (p *pass[S, T]) item(ctx context.Context, w *work[S]) error {
	defer w.release()
	if p.drains() {
		return nil
	}
	defer p.o.Counters.Done.Add(1)
	err := p.persist(ctx, "move", func() error { return p.try(ctx, w) })
	w.tried(ctx, err)
	if err == nil {
		p.streak.Store(0)
		return nil
	}
	if fault.Cancelled(ctx) {
		return ctx.Err()
	}
	if errors.Is(err, ErrDrained) {
		p.o.Counters.Done.Add(-1)
		p.drained.Store(true)
		return nil
	}
	if errors.Is(err, errInItself) && !p.insist {
		p.waiting.Add(1)
		rec := w.rec
		rec.State = checkpoint.Pending
		return p.saver.save(rec)
	}
	if errors.Is(err, errInTheWay) {
		return p.putOff(ctx, w)
	}
	return p.giveUp(ctx, w, fault.Of(err))
}

// giveUp records why the item is not on the target.
func (p *pass[S, T]) giveUp(ctx context.Context, w *work[S], f *fault.Error) error {
	rec := w.rec
	rec.Reason, rec.Message = string(f.Reason), fault.Text(f)
	switch {
	case f.Action == fault.FailTask:
		return f
	case f.Action == fault.Skip, f.Action == fault.FailItem && f.Reason == fault.TargetConflict && rec.Location != "":
		// What a user made of the item stays. One that never came over, since something else has its place, has failed.
		rec.State = checkpoint.Skipped
		p.o.Counters.Skipped.Add(1)
	case p.outage(f):
		return fault.New(fault.FailTask, f.Reason, "%w, the last with: %w", errOutage, f)
	default:
		rec.State = checkpoint.Failed
		p.o.Counters.Failed.Add(1)
		p.changed(Broken, w.rec, rec)
		p.o.Log.Warn("item failed", "id", w.item.ID, "reason", f.Reason)
	}
	rec.Version = w.item.Version
	return p.saver.save(rec)
}

// outage reports whether so many items in a row failed because the other side did not answer, or this machine had no room, that no item
// is to blame: they are better left as they are until that is over.
func (p *pass[S, T]) outage(f *fault.Error) bool {
	switch f.Reason {
	case fault.SourceUnavailable, fault.TargetUnavailable, fault.LocalDisk:
		return p.streak.Add(1) > int64(2*p.o.InFlight)
	default:
		return false
	}
}

// try makes one attempt.
func (p *pass[S, T]) try(ctx context.Context, w *work[S]) error {
	stub := w.item.Stub
	if stub {
		if err := p.complete(ctx, w); err != nil {
			return err
		}
		if w.settled() {
			return nil
		}
	}
	if w.item.Deleted {
		if stub && p.o.Propagate && p.single() && !w.late {
			return errInTheWay // of one that is being written beside it, perhaps
		}
		return p.remove(ctx, w)
	}
	if w.item.Problem != nil {
		return w.item.Problem
	}
	content, losses, err := p.convert(w.item.Content)
	if err != nil {
		return err
	}
	err = p.put(ctx, w, content, losses)
	if errors.Is(err, sources.ErrGone) {
		return p.vanished(ctx, w, err)
	}
	return err
}

// vanished handles an item whose body is not to be found. That alone says nothing of the item, whose removal might take
// it from the target as well.
func (p *pass[S, T]) vanished(ctx context.Context, w *work[S], cause error) error {
	it, err := p.src.Fetch(ctx, w.item.ID)
	if it.Release != nil {
		it.Release()
	}
	switch {
	case errors.Is(err, sources.ErrGone) || err == nil && it.Deleted:
		w.item.Deleted = true
		return p.remove(ctx, w)
	case err != nil:
		return err
	}
	return fault.New(fault.FailItem, fault.SourceGone, "the item is there, its content is not: %w", cause)
}

// complete fetches what the listing did not give.
func (p *pass[S, T]) complete(ctx context.Context, w *work[S]) error {
	it, err := p.src.Fetch(ctx, w.item.ID)
	switch {
	case errors.Is(err, sources.ErrGone):
		w.item = sources.Item[S]{ID: w.item.ID, Deleted: true}
		return nil
	case err != nil:
		return err
	}
	it.ID, it.Stub = w.item.ID, false
	w.item = it
	if it.Title != "" {
		w.rec.Title = it.Title
	}
	if it.Link != "" {
		w.rec.Link = it.Link
	}
	return nil
}

// put writes the item and records what came of it.
func (p *pass[S, T]) put(ctx context.Context, w *work[S], content T, losses []sinks.Loss) error {
	prev := receipt(w.rec)
	more, err := p.order.place(ctx, p, w, &content, &prev)
	if err != nil {
		return err
	}
	losses = append(losses, more...)
	out := sinks.Item[T]{ID: w.item.ID, Content: content, Again: p.again(w)}
	seen := watch(&out.Content, p.o)
	return p.deliver(ctx, w, out, prev, seen, func(written sinks.Written) error {
		return p.written(ctx, w, written, losses, seen)
	})
}

// again reports whether an earlier attempt may have written the item without an answer. Attempts are noted in advance only
// where a write cannot be repeated; everything else may have been under way when an earlier run broke off. Of an item that was
// put off it is known that the object in its way is another's.
func (p *pass[S, T]) again(w *work[S]) bool {
	if w.late {
		return false
	}
	return w.rec.Attempts > 0 || p.finder == nil && p.resumed.Load()
}

// written records that the item is on the target.
func (p *pass[S, T]) written(ctx context.Context, w *work[S], written sinks.Written, losses []sinks.Loss, seen *seen) error {
	rec := w.rec
	rec.Version, rec.Reason, rec.Message, rec.Attempts = w.item.Version, "", "", 0
	rec.Location, rec.ReceiptVersion = written.Receipt.Location, written.Receipt.Version
	losses = append(losses, w.losses...)
	losses = append(losses, seen.losses(rec, written.Receipt)...)
	seen.note(&rec, written.Receipt)
	if written.Digest != "" {
		rec.Digest = written.Digest
	}
	rec.BodyVersion, rec.ReceiptState = written.Receipt.BodyVersion, written.Receipt.State
	rec.Losses = append(lasting(w.rec.Losses), lossesOf(append(losses, written.Losses...))...)
	rec.State = checkpoint.Copied
	if len(rec.Losses) > 0 {
		rec.State = checkpoint.CopiedWithLosses
	}
	if err := p.order.written(ctx, p, rec); err != nil {
		return ledgerError(err)
	}
	if !written.Unchanged {
		p.changed(Added, w.rec, rec)
		p.o.Counters.Written.Add(1)
		n, _, _ := seen.last()
		p.o.Counters.Bytes.Add(n)
	}
	return nil
}

// remove handles an item that is gone at the source.
func (p *pass[S, T]) remove(ctx context.Context, w *work[S]) error {
	rec := w.rec
	was := rec.State
	rec.State, rec.Reason, rec.Message, rec.Losses = checkpoint.Removed, string(fault.SourceDeleted), "", nil
	onTarget := was == checkpoint.Copied || was == checkpoint.CopiedWithLosses || rec.Location != ""
	adopted, left, err := p.clearUp(ctx, w, &rec)
	switch {
	case err != nil:
		return err
	case adopted:
		p.changed(Kept, w.rec, rec)
		return ledgerError(p.order.written(ctx, p, rec))
	case left != nil:
		rec.Reason, rec.Message = string(left.Reason), fault.Text(left)
	}
	if !onTarget {
		if err := p.order.removed(ctx, p, rec.ID); err != nil {
			return ledgerError(err)
		}
	}
	if p.o.Propagate && onTarget {
		at, err := p.order.located(ctx, p, rec)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			err = p.takeAway(ctx, rec.ID, at)
		}
		f := fault.Of(err)
		switch {
		case err == nil:
			rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = "", "", "", ""
			p.changed(Removed, w.rec, rec)
			if err := p.order.removed(ctx, p, rec.ID); err != nil {
				return ledgerError(err)
			}
		case f.Reason == fault.TargetConflict:
			rec.Reason, rec.Message = string(f.Reason), fault.Text(f)
		default:
			return err
		}
	}
	if onTarget && was != checkpoint.Removed && rec.Location != "" {
		p.changed(Kept, w.rec, rec)
	}
	return p.saver.save(rec)
}

// receipt returns what the record remembers of the target.
func receipt(r checkpoint.Record) sinks.Receipt {
	return sinks.Receipt{Location: r.Location, Version: r.ReceiptVersion, BodyVersion: r.BodyVersion, State: r.ReceiptState}
}

func lossesOf(in []sinks.Loss) []checkpoint.Loss {
	var out []checkpoint.Loss
	for _, l := range in {
		out = append(out, checkpoint.Loss(l))
	}
	return out
}

// ledgerError makes a failed write to the ledger the end of the task: without its ledger nothing may go on.
func ledgerError(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.FailTask, fault.LocalDisk, "write the ledger: %w", err).
		WithHint("make room where the state file lies, and see that it may be written to; then run again")
}

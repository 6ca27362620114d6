package engine

import (
	"context"
	"errors"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// errInTheWay says that the object of another item stands where one is to be written.
var errInTheWay error = fault.New(fault.FailItem, fault.TargetUIDConflict, "an object of the same UID belongs to another item")

// later are works that were put off to the end of the pages.
type later[S sources.Content] struct {
	mu    sync.Mutex
	works []*work[S]
}

// mostLater bounds how many items are put off; what is beyond is decided at once.
const mostLater = 1000

// standsAt returns where an object lies that stands for an item which was not written; empty if there is none such.
func standsAt(written sinks.Written, err error) string {
	var taken *sinks.TakenError
	switch {
	case errors.As(err, &taken):
		return taken.Location
	case err == nil && written.Unchanged:
		return written.Receipt.Location
	}
	return ""
}

// succeed decides about a new item for which an object of the same UID stands at a location. Providers give what was deleted and made
// again another id, as an invitation that is accepted anew. The object of an item that is gone at the source becomes the new one's.
// One whose item is there may be gone later in this pass, so that the new item is put off; at the end the object stays, and the
// outcome of the first Put counts.
func (p *pass[S, T]) succeed(ctx context.Context, w *work[S], out sinks.Item[T], at string, written sinks.Written, cause error) (sinks.Written, error) {
	if !p.single() {
		return written, cause
	}
	if err := p.saver.flush(ctx); err != nil {
		return written, err
	}
	owner, err := p.ledger.AtLocation(ctx, at)
	if err != nil {
		return written, ledgerError(err)
	}
	if owner == "" || owner == w.item.ID {
		return written, cause
	}
	rec, _, err := p.ledger.Record(ctx, owner)
	switch {
	case err != nil:
		return written, ledgerError(err)
	case rec.State == checkpoint.Removed:
		return p.inherit(ctx, out, rec)
	case w.late:
		return written, cause
	}
	return written, errInTheWay
}

// inherit writes the item over the object of one that is gone.
func (p *pass[S, T]) inherit(ctx context.Context, out sinks.Item[T], rec checkpoint.Record) (sinks.Written, error) {
	written, err := p.sink.Put(ctx, out, receipt(rec))
	if err != nil {
		return written, err
	}
	rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = "", "", "", ""
	return written, p.saver.save(rec)
}

// putOff leaves an item to comeBack. Where the run ends before, the ledger says that it is not decided.
func (p *pass[S, T]) putOff(ctx context.Context, w *work[S]) error {
	p.o.Counters.Done.Add(-1)
	w.late = true
	if !p.later.add(w) {
		return p.item(ctx, w)
	}
	rec := w.rec
	rec.State, rec.Attempts = checkpoint.Pending, 0
	return p.saver.save(rec)
}

// add returns false where too many wait already.
func (l *later[S]) add(w *work[S]) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.works) >= mostLater {
		return false
	}
	l.works = append(l.works, w)
	return true
}

// comeBack moves what was put off.
func (p *pass[S, T]) comeBack(ctx context.Context) error {
	works := p.later.works
	p.later.works = nil
	return p.move(ctx, works)
}

// takeAway removes what lies at a receipt, unless it stands for another item as well.
func (p *pass[S, T]) takeAway(ctx context.Context, id string, at sinks.Receipt) error {
	if p.single() {
		if err := p.saver.flush(ctx); err != nil {
			return err
		}
		shared, err := p.ledger.Shared(ctx, at.Location, id)
		if shared || err != nil {
			return ledgerError(err)
		}
	}
	if err := p.sink.Remove(ctx, at); err != nil {
		return err
	}
	p.o.Counters.Removed.Add(1)
	return nil
}

// single reports whether the target may take one object of a UID alone: where items have no tree, and a write may be repeated.
func (p *pass[S, T]) single() bool {
	_, ok := p.order.(flat[S, T])
	return ok && p.finder == nil
}

package engine

import (
	"context"
	"slices"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// finishMove completes a move that an earlier attempt left without a record, before the node gets yet another place: it may
// lie at the first one, and only while that is reserved for it can it be found there.
func (t *tree) finishMove(ctx context.Context, p *filePass, w *fileWork) error {
	if w.item.Problem != nil {
		return nil
	}
	if w.rec.Location == "" {
		return t.findLeft(ctx, p, w)
	}
	lies, planned, ok, err := p.ledger.Where(ctx, w.item.ID)
	if err != nil || !ok || slices.Equal(lies, planned) || beneath(planned, lies) {
		return ledgerError(err)
	}
	prev := receipt(w.rec)
	prev.Location = sinks.PathLocation(lies)
	return t.adoptAt(ctx, p, w, prev, planned)
}

// adoptAt puts the node at a path where an earlier attempt may have put it already, and records that it lies there.
func (t *tree) adoptAt(ctx context.Context, p *filePass, w *fileWork, prev sinks.Receipt, path []string) error {
	content, _, err := p.convert(w.item.Content)
	if err != nil {
		return nil // the item itself will meet it again
	}
	content.Path = path
	seen := watch(&content, p.o)
	var written sinks.Written
	err = p.persist(ctx, "finish a write", func() (err error) {
		written, err = p.sink.Put(ctx, sinks.Item[sinks.File]{ID: w.item.ID, Again: true, Content: content}, prev)
		return err
	})
	if err == nil {
		return t.finished(ctx, p, w, written.Receipt, seen)
	}
	if r := fault.Of(err).Reason; r == fault.TargetConflict || r == fault.TargetNoParent {
		return nil // it does not lie there, or is the user's by now
	}
	return asProblem(ctx, w, err)
}

// errInItself keeps a folder from moving into a folder that still lies in it: another one on the way there is to be moved out first, by
// a later page of changes it may be. The item waits until the others are done.
var errInItself error = fault.New(fault.FailItem, fault.TargetNoParent, "the folder would lie in itself")

// beneath reports whether a path leads through a folder.
func beneath(path, folder []string) bool {
	return len(path) > len(folder) && slices.Equal(path[:len(folder)], folder)
}

// finished records where the node lies; the item has still to get its final state.
func (t *tree) finished(ctx context.Context, p *filePass, w *fileWork, at sinks.Receipt, seen *seen) error {
	rec := w.rec
	seen.note(&rec, at)
	rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = at.Location, at.Version, at.BodyVersion, at.State
	if err := p.ledger.Settle(ctx, rec.ID, rec); err != nil {
		return ledgerError(err)
	}
	w.rec = rec
	return nil
}

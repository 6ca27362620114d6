package engine

import (
	"context"
	"fmt"
	"slices"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// noter returns the Item.Note of a work: a write that cannot be repeated is about to begin. What was read of the body is noted with it, so
// that the message can be told from others when its source does not have it any more.
func (p *pass[S, T]) noter(w *work[S], seen *seen) func(context.Context, string) error {
	return func(ctx context.Context, state string) error {
		w.noted = w.item.Version
		rec := w.rec
		rec.State, rec.ReceiptState = checkpoint.Writing, state
		if n, digest, whole := seen.last(); whole && rec.Location == "" {
			rec.Bytes, rec.Digest = n, digest
		}
		if w.rec.State == checkpoint.Writing && rec.ReceiptState == w.rec.ReceiptState && rec.Digest == w.rec.Digest {
			return nil
		}
		if err := p.saver.saveNow(ctx, rec); err != nil {
			return err
		}
		w.rec = rec
		return nil
	}
}

// recover returns what an interrupted write of the item may have left and no other item owns. No write may be under way meanwhile where
// writes are noted.
func (p *pass[S, T]) recover(ctx context.Context, w *work[S], known sinks.Proof) ([]sinks.Receipt, error) {
	if p.recoverer == nil {
		return nil, nil
	}
	left, err := p.recoverer.Recover(ctx, w.item.ID, known)
	if err != nil {
		return nil, fmt.Errorf("look for what an interrupted write left: %w", err)
	}
	if _, isFlat := p.order.(flat[S, T]); !isFlat {
		return left, nil // a place in a tree belongs to one node alone
	}
	return p.unowned(ctx, w, left)
}

// proof returns what the record says of an object at a receipt.
func proof(rec checkpoint.Record, at sinks.Receipt) sinks.Proof {
	return sinks.Proof{Receipt: at, Bytes: rec.Bytes, Digest: rec.Digest}
}

// comesBack makes an item that was gone one that is to be written.
func comesBack(rec *checkpoint.Record) {
	if rec.State == checkpoint.Removed {
		rec.State, rec.Reason, rec.Message = checkpoint.Pending, "", ""
	}
}

// clearUp deals with what an interrupted write left of an item that is gone at the source: it is taken away, or where deletions are kept it
// is the record's from now on. The conflict is about what stays since it may be the user's.
func (p *pass[S, T]) clearUp(ctx context.Context, w *work[S], rec *checkpoint.Record) (adopted bool, conflict *fault.Error, err error) {
	known, ok, err := p.order.left(ctx, p, w.rec)
	if err != nil || !ok {
		return false, nil, err
	}
	if p.finder != nil {
		p.writes.Lock()
		defer p.writes.Unlock()
	}
	if err := p.saver.flush(ctx); err != nil {
		return false, nil, err
	}
	left, err := p.recover(ctx, w, known)
	if err != nil || len(left) == 0 {
		conflict, err = conflictOf(err)
		return false, conflict, err
	}
	if !p.o.Propagate {
		at := left[0]
		rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = at.Location, at.Version, at.BodyVersion, at.State
		return true, nil, nil
	}
	if w.rec.Location == "" {
		left = left[:1] // of messages that are alike, the others may be those of other items
	}
	for _, at := range left {
		c, err := conflictOf(p.takeAway(ctx, rec.ID, at))
		if err != nil {
			return false, nil, err
		}
		if c != nil && at.Location != rec.Location {
			conflict = c
		}
	}
	return false, conflict, nil
}

// conflictOf divides an error into a conflict on the target and others.
func conflictOf(err error) (*fault.Error, error) {
	if f := fault.Of(err); err != nil && f.Reason == fault.TargetConflict {
		return f, nil
	}
	return nil, err
}

// left returns what is known of a write that may have been interrupted; not ok if there was none.
func (flat[S, T]) left(_ context.Context, p *pass[S, T], rec checkpoint.Record) (sinks.Proof, bool, error) {
	if p.finder != nil {
		return proof(rec, receipt(rec)), rec.State == checkpoint.Writing || rec.State == checkpoint.Failed, nil
	}
	return proof(rec, receipt(rec)), rec.State.Unrecorded() && rec.Location == "", nil
}

// left looks at the place that was reserved for the node and where it does not lie by the ledger.
func (t *tree) left(ctx context.Context, p *filePass, rec checkpoint.Record) (sinks.Proof, bool, error) {
	at := receipt(rec)
	lies, planned, ok, err := p.ledger.Where(ctx, rec.ID)
	if err != nil || planned == nil || ok && slices.Equal(lies, planned) {
		return sinks.Proof{}, false, ledgerError(err)
	}
	at.Location = sinks.PathLocation(planned)
	return proof(rec, at), true, nil
}

// traceAll remembers of the works that are to be written for the first time what they were to be.
func (t *tree) traceAll(ctx context.Context, p *filePass, works []*fileWork) error {
	if t.tracer == nil {
		return nil
	}
	var records []checkpoint.Record
	for _, w := range works {
		if w.rec.Location != "" || !w.rec.State.Unrecorded() && w.rec.State != checkpoint.Removed {
			continue
		}
		if trace := t.trace(p, w); trace != "" && trace != w.rec.ReceiptState {
			w.rec.ReceiptState = trace
			comesBack(&w.rec)
			records = append(records, w.rec)
		}
	}
	if len(records) == 0 {
		return nil
	}
	return ledgerError(p.ledger.Save(ctx, records...))
}

// trace returns what is to be remembered of a work; empty for one that is not written.
func (t *tree) trace(p *filePass, w *fileWork) string {
	content, _, err := p.convert(w.item.Content)
	if t.tracer == nil || err != nil {
		return "" // the item itself will meet the error again
	}
	return t.tracer.Trace(content, w.rec.ReceiptState)
}

// findLeft looks for what an interrupted write of a new node left at the place that it was to have, before it gets another one or another
// content.
func (t *tree) findLeft(ctx context.Context, p *filePass, w *fileWork) error {
	if p.recoverer == nil || !w.rec.State.Unrecorded() || !p.again(w) {
		return nil
	}
	at, ok, err := p.ledger.Place(ctx, w.item.ID)
	if err != nil || !ok || at.Reserved == nil || at.Lies != nil {
		return ledgerError(err)
	}
	node, _ := t.node(w)
	if at.Reserved.ParentID == node.ParentID && at.Reserved.Wanted == node.Wanted && t.trace(p, w) == w.rec.ReceiptState {
		return nil // its Put will look for itself
	}
	known, ok, err := t.left(ctx, p, w.rec)
	if err != nil || !ok {
		return err
	}
	var left []sinks.Receipt
	err = p.persist(ctx, "look for a file", func() (err error) {
		left, err = p.recover(ctx, w, known)
		return err
	})
	doubt, err := conflictOf(err)
	switch {
	case err != nil:
		return asProblem(ctx, w, err)
	case doubt != nil:
		return t.adoptAt(ctx, p, w, sinks.Receipt{}, sinks.LocationPath(known.Receipt.Location))
	case len(left) == 0:
		return nil
	}
	return t.finished(ctx, p, w, left[0], watch(new(sinks.File), p.o))
}

// finishMoves sees to moves that an earlier run left without a record. None of their nodes is settled, even where the source has moved it
// back since. Those of folders are brought to their end at once: what lies in them is on its way with them, and may be listed first.
func (t *tree) finishMoves(ctx context.Context, p *filePass) error {
	var folders []*fileWork
	depth := map[*fileWork]int{}
	for after := ""; ; {
		nodes, err := p.ledger.Moving(ctx, after, batch)
		if err != nil {
			return ledgerError(err)
		}
		for _, n := range nodes {
			after = n.ID
			w, err := t.unsettle(ctx, p, n.ID)
			if err != nil {
				return err
			}
			if w == nil || !n.Folder {
				continue
			}
			lies, _, _, err := p.ledger.Where(ctx, n.ID)
			if err != nil {
				return ledgerError(err)
			}
			folders, depth[w] = append(folders, w), len(lies)
		}
		if len(nodes) < batch {
			break
		}
	}
	slices.SortStableFunc(folders, func(a, b *fileWork) int { return depth[a] - depth[b] })
	for _, w := range folders {
		if err := t.finishMove(ctx, p, w); err != nil {
			return err
		}
	}
	return nil
}

// unsettle makes a node that was on the move pending, and returns its work; nil if the move was refused, or is none of an item's.
func (t *tree) unsettle(ctx context.Context, p *filePass, id string) (*fileWork, error) {
	rec, ok, err := p.ledger.Record(ctx, id)
	if err != nil || !ok || rec.Location == "" || rec.State == checkpoint.Removed || rec.State == checkpoint.Skipped {
		return nil, ledgerError(err)
	}
	if rec.State == checkpoint.Copied || rec.State == checkpoint.CopiedWithLosses {
		rec.State, rec.Version = checkpoint.Pending, ""
		if err := p.ledger.Save(ctx, rec); err != nil {
			return nil, ledgerError(err)
		}
	}
	return &fileWork{item: sources.Item[sources.File]{ID: id, Content: sources.File{Type: sources.Folder}}, rec: rec}, nil
}

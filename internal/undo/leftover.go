package undo

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// recover returns what an interrupted write of the item left at the place, or where that was noted, and no other item owns.
func (u *undoer) recover(ctx context.Context, rec checkpoint.Record, place string) (own []sinks.Receipt, err error) {
	r, ok := u.taker.(sinks.Recoverer)
	if !ok {
		return nil, nil
	}
	var left []sinks.Receipt
	err = engine.Persist(ctx, u.o.Patience, "look for what an interrupted write left", func() (err error) {
		left, err = r.Recover(ctx, rec.ID, u.proof(rec, place))
		return err
	})
	if err != nil || u.o.Tree {
		return left, err // a place in a tree belongs to one node alone
	}
	for _, at := range left {
		owner, err := u.ledger.AtLocation(ctx, at.Location)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		if (owner == "" || owner == rec.ID) && !u.counted(at.Location) {
			own = append(own, at)
		}
	}
	return own, nil
}

// flatItem takes away an item that lies in no folder, and what an interrupted write of it left.
func (u *undoer) flatItem(ctx context.Context, rec checkpoint.Record) error {
	rec, _ = unmarked(rec)
	gone, err := u.flatLeft(ctx, &rec)
	switch {
	case err != nil || gone:
		return err
	case rec.Location != "":
		return u.item(ctx, rec, rec.Location)
	case rec.ReceiptState != "": // left by an undo that was broken off, or by a run that never came to write it
		u.keep(pending(rec), u.taker.Expect(sinks.Proof{Receipt: sinks.Receipt{State: rec.ReceiptState}}).Made)
	}
	return nil
}

// pending returns the record of an item of which nothing lies on the target. What was made for it is remembered.
func pending(rec checkpoint.Record) checkpoint.Record {
	state := rec.ReceiptState
	forgotten(&rec)
	rec.ReceiptState = state
	return rec
}

// flatLeft takes away what an interrupted write left, and reports whether nothing is left of the item then. Of messages that are alike each takes
// one, one after the other.
func (u *undoer) flatLeft(ctx context.Context, rec *checkpoint.Record) (gone bool, err error) {
	if !rec.State.Unrecorded() || u.taker.Expect(u.proof(*rec, rec.Location)).Foreign {
		return false, nil
	}
	if rec.ReceiptState != "" {
		u.one.Lock()
		defer u.one.Unlock()
	}
	left, err := u.recover(ctx, *rec, rec.Location)
	if f := fault.Of(err); err != nil && f.Reason == fault.TargetConflict {
		u.stays(*rec, rec.Location, f)
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if rec.Location == "" && len(left) > 0 {
		return true, u.takeLeft(ctx, *rec, left[0], true)
	}
	for _, at := range left {
		if at.Location == rec.Location {
			rec.ReceiptState = at.State
			continue
		}
		if err := u.takeLeft(ctx, *rec, at, false); err != nil {
			return false, err
		}
	}
	return false, nil
}

// takeLeft takes away what lies at a receipt that is not on record. last says that nothing else is left of the item.
func (u *undoer) takeLeft(ctx context.Context, rec checkpoint.Record, at sinks.Receipt, last bool) error {
	u.o.Counters.Listed.Add(1)
	defer u.o.Counters.Done.Add(1)
	e := u.taker.Expect(sinks.Proof{Receipt: at, Bytes: rec.Bytes, Digest: rec.Digest})
	if e.Foreign {
		u.stays(rec, at.Location, fault.New(fault.FailItem, fault.TargetConflict, "an interrupted run wrote it, or it lay there before: nothing tells which"))
		return nil
	}
	if !u.o.DryRun {
		err := engine.Persist(ctx, u.o.Patience, "undo", func() error { return u.taker.Remove(ctx, at) })
		switch f := fault.Of(err); {
		case err == nil:
		case fault.Cancelled(ctx), f.Action == fault.FailTask, f.Action == fault.Retry:
			return err
		default:
			u.remember(e.Made)
			u.stays(rec, at.Location, f)
			return nil
		}
	}
	u.foundLeft(at.Location)
	switch {
	case !last:
		u.remember(e.Made)
		return nil
	case u.o.DryRun:
		u.removed()
		return nil
	}
	rec.ReceiptState = at.State
	return u.forget(ctx, rec, e.Made)
}

// foundLeft remembers a place at which an interrupted write left something that is taken away.
func (u *undoer) foundLeft(location string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left == nil {
		u.left = map[string]bool{}
	}
	u.left[location] = true
}

// counted reports whether what lies at a place is taken away already: a dry run finds it once more for each message that is alike.
func (u *undoer) counted(location string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.left[location]
}

// treeLeft sees to what interrupted writes left in a tree: moves that are not on record, and nodes that lie nowhere by the ledger.
func (u *undoer) treeLeft(ctx context.Context) error {
	if _, ok := u.taker.(sinks.Recoverer); !ok {
		return nil
	}
	if !u.o.DryRun {
		if err := u.finishMoves(ctx); err != nil {
			return err
		}
	}
	const page = 1000
	for after := ""; ; {
		recs, err := u.ledger.InState(ctx, after, page, checkpoint.Pending, checkpoint.Writing, checkpoint.Failed, checkpoint.Removed)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		err = u.atOnce(ctx, func(ctx context.Context, g *errgroup.Group) error {
			for _, rec := range recs {
				if after = rec.ID; rec.Location == "" && rec.ReceiptState != "" { // which is noted before the first write
					g.Go(func() error { return u.nodeLeft(ctx, rec) })
				}
			}
			return nil
		})
		if err != nil || len(recs) < page {
			return err
		}
	}
}

// nodeLeft takes away what an interrupted write left at the place that was reserved for a node.
func (u *undoer) nodeLeft(ctx context.Context, rec checkpoint.Record) error {
	_, planned, lies, err := u.ledger.Where(ctx, rec.ID)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if lies || planned == nil {
		return nil
	}
	place := sinks.PathLocation(planned)
	left, err := u.recover(ctx, rec, place)
	switch f := fault.Of(err); {
	case err == nil && len(left) == 0:
		return nil
	case err == nil:
		return u.takeLeft(ctx, rec, left[0], true)
	case f.Reason == fault.TargetConflict:
		u.stays(rec, place, f)
		return nil
	}
	return err
}

// finishMoves notes of each node that was being moved where it lies by now: what lies in a folder is on its way with it.
func (u *undoer) finishMoves(ctx context.Context) error {
	type move struct {
		id    string
		depth int
	}
	var moves []move
	const page = 1000
	for after := ""; ; {
		nodes, err := u.ledger.Moving(ctx, after, page)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		for _, n := range nodes {
			after = n.ID
			lies, _, _, err := u.ledger.Where(ctx, n.ID)
			if err != nil {
				return fmt.Errorf("read the ledger: %w", err)
			}
			moves = append(moves, move{n.ID, len(lies)})
		}
		if len(nodes) < page {
			break
		}
	}
	slices.SortStableFunc(moves, func(a, b move) int { return cmp.Compare(a.depth, b.depth) })
	for _, m := range moves {
		if err := u.finishMove(ctx, m.id); err != nil {
			return err
		}
	}
	return nil
}

// finishMove notes that a node lies where it was to be moved to, if it lies there and where it was no more.
func (u *undoer) finishMove(ctx context.Context, id string) error {
	rec, ok, err := u.ledger.Record(ctx, id)
	lies, planned, there, err2 := u.ledger.Where(ctx, id)
	if err = cmp.Or(err, err2); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if !ok || !there || planned == nil || slices.Equal(lies, planned) {
		return nil
	}
	rec, _ = unmarked(rec)
	still, err := u.recover(ctx, rec, sinks.PathLocation(lies))
	if err != nil || len(still) > 0 {
		return err
	}
	moved, err := u.recover(ctx, rec, sinks.PathLocation(planned))
	if err != nil || len(moved) == 0 {
		return err
	}
	rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = moved[0].Location, moved[0].Version, moved[0].BodyVersion, moved[0].State
	if rec.State != checkpoint.Removed {
		rec.State, rec.Version = checkpoint.Pending, "" // the run that moved it has not got to its end
	}
	if err := u.ledger.Settle(ctx, id, rec); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

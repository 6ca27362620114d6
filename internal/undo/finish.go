package undo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/sinks"
)

// underWay begins the Reason of an item that is being taken away, before the state and reason that it had. The ledger says so in advance:
// an item that was taken away and still counts as copied would never be moved again.
const underWay = "undo "

// marked returns the record of an item that is about to be taken away.
func marked(rec checkpoint.Record) checkpoint.Record {
	rec.Reason = fmt.Sprintf("%s%d %s", underWay, rec.State, rec.Reason)
	rec.State = checkpoint.Writing
	return rec
}

// unmarked returns the record as it was before, if it is marked.
func unmarked(rec checkpoint.Record) (checkpoint.Record, bool) {
	rest, ok := strings.CutPrefix(rec.Reason, underWay)
	number, reason, ok2 := strings.Cut(rest, " ")
	state, err := strconv.ParseUint(number, 10, 8)
	if !ok || !ok2 || err != nil || rec.State != checkpoint.Writing {
		return rec, false
	}
	rec.State, rec.Reason = checkpoint.State(state), reason
	return rec, true
}

// Finish takes away the items that an undo was about to when it was broken off, so that a run moves them again. It does nothing for a target
// that cannot take anything away.
func Finish(ctx context.Context, ledger checkpoint.Ledger, target any, tree bool, patience engine.Options) error {
	t, ok := target.(Taker)
	if !ok {
		return nil
	}
	u := &undoer{o: Options{Tree: tree, Counters: new(engine.Counters), Patience: patience}, ledger: ledger, taker: t}
	return u.finish(ctx)
}

// halfway is an item whose removal may have reached the target.
type halfway struct {
	rec  checkpoint.Record
	path []string
}

// finish takes away what an earlier undo was about to, the deepest first. There are as many as it had in hand at once.
func (u *undoer) finish(ctx context.Context) error {
	found, err := u.halfway(ctx)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b halfway) int {
		return cmp.Or(len(b.path)-len(a.path), strings.Compare(a.rec.ID, b.rec.ID))
	})
	for _, h := range found {
		switch {
		case !u.o.Tree:
			err = u.item(ctx, h.rec, h.rec.Location)
		case h.path != nil:
			err = u.item(ctx, h.rec, sinks.PathLocation(h.path))
		default: // its place is forgotten, which comes last
			err = u.forget(ctx, h.rec, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *undoer) halfway(ctx context.Context) (found []halfway, err error) {
	const page = 1000
	for after := ""; ; {
		recs, err := u.ledger.InState(ctx, after, page, checkpoint.Writing)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		for _, rec := range recs {
			after = rec.ID
			was, ok := unmarked(rec)
			if !ok {
				continue
			}
			h := halfway{rec: was}
			if u.o.Tree {
				if h.path, _, _, err = u.ledger.Where(ctx, rec.ID); err != nil {
					return nil, fmt.Errorf("read the ledger: %w", err)
				}
			}
			found = append(found, h)
		}
		if len(recs) < page {
			return found, nil
		}
	}
}

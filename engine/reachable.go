package engine

import (
	"context"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
)

// reachable looks at the folders above a node, as far as they failed for want of one another: they come with it when it is taken up, if
// the highest of them failed for what passes.
func (t *tree) reachable(ctx context.Context, p *filePass, id string) (bool, error) {
	for range deepest {
		at, _, err := p.ledger.Place(ctx, id)
		if err != nil || at.Reserved == nil {
			return false, err
		}
		id = at.Reserved.ParentID
		if id == "" {
			return true, nil
		}
		if _, _, lies, err := p.ledger.Where(ctx, id); err != nil || lies {
			return lies, err
		}
		rec, known, err := p.ledger.Record(ctx, id)
		if err != nil || !known {
			return !known, err
		}
		if fault.Reason(rec.Reason) != fault.TargetNoParent {
			return !rec.State.Final() || rec.State == checkpoint.Failed && fault.Reason(rec.Reason).Passes(), nil
		}
	}
	return false, nil
}

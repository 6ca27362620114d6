package engine

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// errAppeared ends the reading of changes, to list anew: a folder is there that holds what the changes do not tell. Nothing of its page
// has been moved yet, so that an interruption brings the same page again.
var errAppeared = errors.New("a folder appeared with more in it than the changes tell")

// checkAppeared looks at the folders of a page of changes that are not on the target. One that comes back from the trash, or from where
// the account could not see it, is reported alone; one that was just made is reported with what was put into it.
func (t *tree) checkAppeared(ctx context.Context, p *filePass, folders, works []*fileWork) error {
	if !p.changing || p.listings >= maxListings {
		return nil
	}
	var fresh []string
	for _, w := range folders {
		switch {
		case w.rec.State == checkpoint.Removed:
			return errAppeared
		case w.rec.Location == "":
			fresh = append(fresh, w.item.ID)
		}
	}
	holder, ok := t.src.(sources.Holder)
	if !ok || len(fresh) == 0 {
		return nil
	}
	known := make(map[string]bool, len(works))
	for _, w := range works {
		known[w.item.ID] = true
	}
	more := false
	err := p.persist(ctx, "list folders", func() (err error) {
		more, err = t.holdMore(ctx, p, holder, fresh, known)
		return err
	})
	if more {
		return errAppeared
	}
	return err
}

// holdMore reports whether the folders hold what is neither among the known nor on the target.
func (t *tree) holdMore(ctx context.Context, p *filePass, h sources.Holder, folders []string, known map[string]bool) (bool, error) {
	for id, err := range h.Holds(ctx, folders) {
		if err != nil {
			return false, err
		}
		if known[id] {
			continue
		}
		rec, ok, err := p.ledger.Record(ctx, id)
		if err != nil {
			return false, ledgerError(fmt.Errorf("look an item up: %w", err))
		}
		if !ok || rec.State == checkpoint.Removed {
			return true, nil
		}
	}
	return false, nil
}

package report

import (
	"context"
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Example is one item that was lost in part, skipped or failed.
type Example struct {
	Account, Kind, Reason, Title, Detail, Link string
	Failed                                     bool
}

const (
	perReason = 3    // examples of one reason
	perTask   = 2000 // records of a task that are looked at
)

// Collect adds examples of what was lost, skipped or failed, from a bounded number of records. What failed comes first.
func (r *Report) Collect(ctx context.Context, store checkpoint.Store) error {
	shown := make(map[string]int)
	for _, states := range [][]checkpoint.State{{checkpoint.Failed}, {checkpoint.Skipped, checkpoint.CopiedWithLosses}} {
		for _, t := range r.Tasks {
			if err := r.collect(ctx, store, t, states, shown); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Report) collect(ctx context.Context, store checkpoint.Store, t Task, states []checkpoint.State, shown map[string]int) error {
	if enough(t, shown) {
		return nil
	}
	looked := 0
	task := checkpoint.Task{Account: t.Account, Kind: t.Kind, Collection: t.Collection}
	for rec, err := range store.Records(ctx, task, states...) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		for _, e := range examplesOf(rec) {
			if shown[e.Reason]++; shown[e.Reason] <= perReason {
				e.Account, e.Kind = t.Account, t.Kind
				r.Examples = append(r.Examples, e)
			}
		}
		if looked++; looked == perTask || enough(t, shown) {
			break
		}
	}
	return nil
}

// enough reports whether there are examples of all that the task could show.
func enough(t Task, shown map[string]int) bool {
	for reason := range t.Reasons {
		if shown[reason] < perReason {
			return false
		}
	}
	return true
}

func examplesOf(rec checkpoint.Record) []Example {
	title := rec.Title
	if title == "" {
		title = rec.ID
	}
	if rec.Reason != "" {
		return []Example{{Reason: rec.Reason, Title: title, Detail: rec.Message, Link: rec.Link, Failed: rec.State == checkpoint.Failed}}
	}
	var out []Example
	for _, l := range rec.Losses {
		out = append(out, Example{Reason: l.Reason, Title: title, Detail: l.Detail, Link: rec.Link})
	}
	return out
}

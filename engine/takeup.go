package engine

import (
	"context"
	"errors"
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// choice says whether a record is taken up.
type choice func(ctx context.Context, r checkpoint.Record) (bool, error)

// takeUp moves the records in the given states that are chosen, each as it is now at the source, and what they put off. nil chooses all.
func (p *pass[S, T]) takeUp(ctx context.Context, chosen choice, states ...checkpoint.State) error {
	if err := p.takeUpFirst(ctx, nil, chosen, states...); err != nil {
		return err
	}
	if err := p.comeBack(ctx); err != nil {
		return err
	}
	return p.saver.flush(ctx)
}

// takeUpFirst is takeUp without what was put off. count counts what was tried; it may be nil.
func (p *pass[S, T]) takeUpFirst(ctx context.Context, count *Count, chosen choice, states ...checkpoint.State) error {
	p.resumed.Store(true)
	p.changing = false
	for after := ""; ; {
		if p.drains() {
			return ErrDrained
		}
		if err := p.saver.flush(ctx); err != nil {
			return err
		}
		records, err := p.ledger.InState(ctx, after, batch, states...)
		if err != nil {
			return fmt.Errorf("find unfinished items: %w", err)
		}
		works, err := worksOf[S](ctx, records, chosen)
		if err != nil {
			return err
		}
		for _, w := range works {
			w.takenUp = count
		}
		p.o.Counters.Listed.Add(int64(len(works)))
		if err := p.move(ctx, works); err != nil {
			return err
		}
		if len(records) < batch {
			return nil
		}
		after = records[len(records)-1].ID
	}
}

// worksOf returns the chosen records as works whose items are to be fetched.
func worksOf[S sources.Content](ctx context.Context, records []checkpoint.Record, chosen choice) ([]*work[S], error) {
	works := make([]*work[S], 0, len(records))
	for _, r := range records {
		if chosen != nil {
			if ok, err := chosen(ctx, r); err != nil {
				return nil, ledgerError(err)
			} else if !ok {
				continue
			}
		}
		if r.State == checkpoint.Skipped {
			r.Version = "" // settled at this version, but for the place on the target
		}
		works = append(works, &work[S]{item: sources.Item[S]{ID: r.ID, Stub: true, Title: r.Title, Link: r.Link}, rec: r})
	}
	return works, nil
}

// tried counts an item that was taken up, once: unless what ended its try is the end of the task, which says nothing of the item.
func (w *work[S]) tried(ctx context.Context, err error) {
	if w.takenUp == nil || err != nil && (fault.Cancelled(ctx) || errors.Is(err, ErrDrained) || fault.Of(err).Action == fault.FailTask) {
		return
	}
	w.takenUp.Add(1)
	w.takenUp = nil
}

// retried chooses what somebody who asks for another try means: of what was skipped, that in whose place something else lay.
func retried(_ context.Context, r checkpoint.Record) (bool, error) {
	return r.State != checkpoint.Skipped || r.Reason == string(fault.TargetConflict), nil
}

// errOutage says that one item after the other failed since a side did not answer.
var errOutage = errors.New("one item after the other failed")

// takeUpPassed takes up what failed in an earlier run for what passes by itself; a full listing has all of them anyway. It comes before the
// pages, so that nothing is tried twice in one run, and keeps nothing from coming after it: where the same items find the side away
// again and again, they stay as they are. What they put off waits for the pages, which may tell that the other item is gone.
func (p *pass[S, T]) takeUpPassed(ctx context.Context) error {
	if p.pos.Cursor == "" {
		return nil
	}
	err := p.takeUpFirst(ctx, &p.o.Counters.Again, p.hasPassed, checkpoint.Failed)
	if errors.Is(err, errOutage) {
		p.o.Log.Warn("what failed before fails again; the rest of it waits for the next run", "reason", fault.Of(err).Reason)
		p.streak.Store(0)
		err = nil
	}
	if err != nil {
		return err
	}
	return p.saver.flush(ctx)
}

// hasPassed reports whether what an item failed for may be over by now.
func (p *pass[S, T]) hasPassed(ctx context.Context, r checkpoint.Record) (bool, error) {
	if fault.Reason(r.Reason) == fault.TargetNoParent {
		return p.order.reachable(ctx, p, r.ID)
	}
	return fault.Reason(r.Reason).Passes(), nil
}

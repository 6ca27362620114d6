package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

// checkFinal refuses what cannot be the last pass of a whole job.
func (p pass) checkFinal() error {
	switch {
	case p.despite && !p.final:
		return errors.New("--despite-failures goes with --final")
	case p.final && p.dryRun:
		return errors.New("--final and --dry-run exclude one another")
	case p.final && (len(p.accounts)+len(p.kinds) > 0 || p.wave != ""):
		return errors.New("--final is about the whole job: it goes without --account, --kind and --wave")
	}
	return nil
}

// reopened refuses a job that was closed, unless it is to be opened again.
func (p pass) reopened(ctx context.Context, job *config.Job, store checkpoint.Store) error {
	closed, err := store.Sealed(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the ledger: %w", err)
	case closed.IsZero() || p.dryRun:
		return nil
	case !p.reopen:
		return usage(fmt.Errorf("the job %q was closed by its last run on %s: people work on the target by now. Give --reopen to go on with it all the same",
			job.Job, closed.Local().Format("2 January 2006 at 15:04")))
	}
	if err := store.Seal(ctx, time.Time{}); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// retryFailed takes up once more what failed, with the same counters.
func (w *wiring) retryFailed(ctx context.Context, r *runner.Runner, people []config.Account) error {
	statuses, err := r.Store.Tasks(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	for _, s := range statuses {
		if s.Counts[checkpoint.Failed] > 0 {
			w.pass.retry = true
			w.changes.retried()
			w.board.Expect(len(people))
			return w.pass.timetable.within(ctx, r, w.accounts(people))
		}
	}
	return nil
}

// finish closes the ledger if everything is decided, and says what changed.
func (w *wiring) finish(ctx context.Context, store checkpoint.Store, r *report.Report) error {
	r.Final = &report.Final{Counts: w.changes.counts, Changes: w.changes.list, Again: w.changes.again}
	if r.Final.Changes == nil {
		r.Final.Counts, r.Final.Changes = map[string]int64{}, []report.Change{}
	}
	failedOnly := r.State == report.Incomplete && r.Balanced && r.Totals.Pending == 0 && r.Unlisted() == 0
	switch {
	case len(r.Held) > 0:
		r.Final.Why = report.Plural(int64(len(r.Held)), "account") + " nobody approved. Approve what their plans say, or take them out of the accounts file, and repeat it."
		return nil
	case r.State == report.Complete, failedOnly && w.pass.despite:
	case failedOnly:
		r.Final.Why = report.Plural(r.Totals.Failed, "item") + " failed. Mend the cause above and repeat it, or accept it with --despite-failures."
		return nil
	default:
		r.Final.Why = "not everything is decided. Mend the cause above and repeat it."
		return nil
	}
	now := time.Now().UTC().Truncate(time.Second)
	if err := store.Seal(ctx, now); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	r.Final.Closed, r.Closed = &now, &now
	return nil
}

// closedSince notes in the report when the job was closed.
func closedSince(ctx context.Context, store checkpoint.Store, r *report.Report) error {
	closed, err := store.Sealed(ctx)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if !closed.IsZero() {
		r.Closed = &closed
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// overParts does one thing with each task of the ledger that is asked for, accounts side by side. What keeps one task from it keeps no
// other: it goes to failed. No run may be under way meanwhile.
type overParts struct {
	job  *config.Job
	pass pass
	out  *output
	// visit does it; failed is told why a task could not be brought to its end. Both may be called at once.
	visit  func(ctx context.Context, w *wiring, store checkpoint.Store, p part) error
	failed func(p part, err error)
	// missed is told of the servers that could not be used for any account, if there are some.
	missed func([]report.Outage)
}

// run returns the accounts of the ledger that nobody may look at, since they stand in the accounts file no more.
func (o overParts) run(ctx context.Context) (gone []string, err error) {
	people, err := o.pass.people(o.job)
	if err != nil {
		return nil, usage(err)
	}
	if err := needState(ctx, o.job); err != nil { // one that is not there is not made
		return nil, err
	}
	store, err := openStore(ctx, o.job, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	statuses, err := store.Tasks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	parts, gone := parts(statuses, o.job, people)
	w, err := newTargetWiring(o.job)
	if err != nil {
		return nil, err
	}
	w.log = o.out.log
	defer w.close()
	stop := progress.Progress{Counters: &w.counters, Source: &w.source, Target: &w.target, Stopped: func() int64 { return 0 }, Log: o.out.progress}.Show(ctx, o.out.screen)
	defer stop()
	return gone, o.each(ctx, w, store, parts)
}

func (o overParts) each(ctx context.Context, w *wiring, store checkpoint.Store, parts []part) error {
	guard := w.guard()
	defer func() { o.missed(report.Outages(guard.Gone())) }()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, o.job.Concurrency.Accounts))
	for _, p := range parts {
		g.Go(func() error {
			if !guard.Pass(gctx, p.status.Account, p.status.Kind) {
				return gctx.Err()
			}
			err := o.visit(gctx, w, store, p)
			if err != nil && !fault.Cancelled(gctx) {
				o.failed(p, err)
			}
			guard.Ended(gctx, p.status.Account, p.status.Kind, err)
			return gctx.Err()
		})
	}
	return errors.Join(g.Wait(), ctx.Err())
}

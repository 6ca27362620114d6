package main

import (
	"context"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// releaseProof proves with two of the accounts that nobody hears of a release. Where there is one account alone, the server must not
// schedule at all.
func (w *wiring) releaseProof(ctx context.Context, people []config.Account) error {
	var pair []caldav.Options
	for _, p := range people[:min(2, len(people))] {
		o, err := w.caldavOptions(ctx, p, "calendar")
		if err != nil {
			return err
		}
		pair = append(pair, o)
	}
	if len(pair) == 2 {
		return caldav.ReleaseCanary(ctx, pair[0], pair[1])
	}
	on, err := caldav.Schedules(ctx, pair[0])
	if err == nil && on {
		err = fault.New(fault.FailTask, fault.TargetUnsupported, "with one account alone it cannot be proven that no guest hears of it").
			WithHint("release with a job of at least two accounts, or switch the server's scheduling off meanwhile")
	}
	return err
}

// releaseCalendars releases one account's calendars.
func (w *wiring) releaseCalendars(ctx context.Context, p config.Account, dryRun bool) (released, error) {
	o, err := w.caldavOptions(ctx, p, "calendar")
	if err != nil {
		return released{}, err
	}
	got, err := caldav.Release(ctx, o, dryRun)
	return released{Account: p.Source, Released: got.Events, Changed: got.Changed}, err
}

// lockState keeps runs of the job away, if it has a state, until unlock is called.
func lockState(ctx context.Context, job *config.Job) (unlock func(), err error) {
	if needState(ctx, job) != nil {
		return func() {}, nil // a job that never ran, or on another machine, has no run to keep away
	}
	store, err := openStore(ctx, job, false)
	if err != nil {
		return nil, err
	}
	return func() { _ = store.Close() }, nil
}

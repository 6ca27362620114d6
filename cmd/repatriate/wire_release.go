package main

import (
	"cmp"
	"context"
	"fmt"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// releaseProof proves with two of the accounts that nobody hears of a release: the first two of the first few that can be used. Where
// there is one account alone, the server must not schedule at all.
func (w *wiring) releaseProof(ctx context.Context, people []config.Account) error {
	if len(people) == 1 {
		return w.releaseProofAlone(ctx, people[0])
	}
	var first error
	few := people[:min(4, len(people))]
	for i, organizer := range few {
		for _, guest := range few[i+1:] {
			err := w.releaseProofBy(ctx, organizer, guest)
			if err == nil || !ofOneAccount(err) {
				return err
			}
			first = cmp.Or(first, err)
		}
	}
	return first
}

// ofOneAccount reports whether an error says nothing of other accounts: a password that is wrong or cannot be had, rights, an address.
func ofOneAccount(err error) bool {
	switch fault.Of(err).Reason {
	case fault.TargetAuth, fault.TargetForbidden, fault.TargetInvalid, fault.Unknown:
		return true
	}
	return false
}

func (w *wiring) releaseProofBy(ctx context.Context, organizer, guest config.Account) error {
	from, err := w.caldavOptions(ctx, organizer, "calendar")
	if err != nil {
		return err
	}
	to, err := w.caldavOptions(ctx, guest, "calendar")
	if err != nil {
		return err
	}
	return caldav.ReleaseCanary(ctx, from, to)
}

func (w *wiring) releaseProofAlone(ctx context.Context, p config.Account) error {
	o, err := w.caldavOptions(ctx, p, "calendar")
	if err != nil {
		return err
	}
	on, err := caldav.Schedules(ctx, o)
	if err == nil && on {
		err = fault.New(fault.FailTask, fault.TargetUnsupported, "with one account alone it cannot be proven that no guest hears of it").
			WithHint("release with a job of at least two accounts, or switch the server's scheduling off meanwhile")
	}
	return err
}

// releaseAll releases the accounts one after the other. One that fails keeps no other one back, unless the server is gone for everybody.
func (w *wiring) releaseAll(ctx context.Context, people []config.Account, dryRun bool) (done []released, err error) {
	var failed, silent int
	for i, p := range people {
		one, err := w.releaseCalendars(ctx, p, dryRun)
		if fault.Cancelled(ctx) {
			return append(done, one), ctx.Err()
		}
		if err == nil {
			done, silent = append(done, one), 0
			continue
		}
		failed++
		one.Error = report.Clean(err.Error(), 400)
		done = append(done, one)
		if silent++; fault.Of(err).Reason != fault.TargetUnavailable {
			silent = 0
		}
		if silent < 3 {
			continue
		}
		silent = 0
		if f := w.lookAt(ctx, outage.Place{Side: preflight.Target, Kind: "calendar"}, p.Source); f != nil {
			return done, exitError{exitStopped, fmt.Errorf("calendars release: %s; %s. Not even begun for it: %s", f.What, f.Do,
				report.Plural(int64(len(people)-i-1), "account"))}
		}
	}
	if failed > 0 {
		return done, exitError{exitStopped, fmt.Errorf("calendars release: %s of %d failed; mend the causes, and repeat it with --account for each of them",
			report.Plural(int64(failed), "account"), len(people))}
	}
	return done, nil
}

// releaseCalendars releases one account's calendars.
func (w *wiring) releaseCalendars(ctx context.Context, p config.Account, dryRun bool) (released, error) {
	one := released{Account: p.Source}
	o, err := w.caldavOptions(ctx, p, "calendar")
	if err != nil {
		return one, err
	}
	got, err := caldav.Release(ctx, o, dryRun)
	one.Released, one.Changed = got.Events, got.Changed
	return one, err
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

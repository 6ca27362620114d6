package main

import (
	"context"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
	"codeberg.org/repatriate/repatriate/sinks/carddav"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
)

// surveyed returns what the runner needs for a plan: before a kind of an account is read, its target is asked for its limits.
func (w *wiring) surveyed(people []config.Account) []runner.Account {
	accounts := w.accounts(people)
	deaf := new(deafness)
	for i := range accounts {
		p, open := people[i], accounts[i].Open
		accounts[i].Open = func(ctx context.Context, kind string) ([]runner.Task, error) {
			w.survey.Limit(plan.Part{Account: p.Source, Kind: kind}, w.ask(ctx, p, kind, deaf))
			return open(ctx, kind)
		}
	}
	return accounts
}

// patience is how long a target may take to tell its limits: a plan can do without.
const patience = time.Minute

// ask asks the target of a kind of an account for its limits.
func (w *wiring) ask(ctx context.Context, p config.Account, kind string, deaf *deafness) plan.Asked {
	if deaf.to(kind) {
		return plan.Asked{Limits: preflight.NoLimits, Refused: "nobody could be asked before, so that no more are"}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	limits, err := w.limits(ctx, p, kind)
	deaf.note(kind, err == nil)
	if err != nil {
		return plan.Asked{Limits: preflight.NoLimits, Refused: preflight.Of(err).What}
	}
	return plan.Asked{Limits: limits}
}

func (w *wiring) limits(ctx context.Context, p config.Account, kind string) (preflight.Limits, error) {
	switch kind {
	case "files":
		return limitsBy(ctx, p, w.webdavOptions, webdav.Limits)
	case "mail":
		return limitsBy(ctx, p, w.imapOptions, imap.Limits)
	case "contacts":
		return limitsBy(ctx, p, w.carddavOptions, carddav.Limits)
	case "calendar":
		return limitsBy(ctx, p, w.caldavFor(kind), caldav.Limits)
	case "tasks":
		return limitsBy(ctx, p, w.caldavFor(kind), caldav.Limits)
	}
	return preflight.NoLimits, nil
}

// limitsBy asks with the options that options makes.
func limitsBy[O any](ctx context.Context, p config.Account, options func(context.Context, config.Account) (O, error),
	ask func(context.Context, O) (preflight.Limits, error)) (preflight.Limits, error) {
	o, err := options(ctx, p)
	if err != nil {
		return preflight.NoLimits, err
	}
	return ask(ctx, o)
}

// deafness remembers of which kind no target ever answered.
type deafness struct {
	mu    sync.Mutex
	vain  map[string]int
	heard map[string]bool
}

// mostVain is how many accounts of a kind are asked in vain before no more are.
const mostVain = 5

func (d *deafness) to(kind string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.heard[kind] && d.vain[kind] >= mostVain
}

func (d *deafness) note(kind string, answered bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.vain == nil {
		d.vain, d.heard = map[string]int{}, map[string]bool{}
	}
	if d.heard[kind] = d.heard[kind] || answered; !answered {
		d.vain[kind]++
	}
}

package main

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// guard returns what tells a server that is gone from an account that is refused.
func (w *wiring) guard() *outage.Guard {
	return &outage.Guard{Look: w.lookAt, Answered: w.answered, Tell: w.tellOutage}
}

// lookAt goes the way to a place that all accounts use, without any account's credentials.
func (w *wiring) lookAt(ctx context.Context, at outage.Place, account string) *preflight.Finding {
	log := new(preflight.Log)
	for _, probe := range w.waysTo(ctx, at, account) {
		if err := probe(ctx, log); err != nil {
			log.Fail(err)
		}
		for _, f := range log.Findings() {
			if f.Level == preflight.Error && outage.ForEverybody(f.Reason) {
				return &f
			}
		}
	}
	return nil
}

// waysTo returns the probes of a place, in their order.
func (w *wiring) waysTo(ctx context.Context, at outage.Place, account string) (ways []preflight.Probe) {
	if at.Side == preflight.Target {
		for kind, place := range w.places() {
			if kind == at.Kind {
				ways = append(ways, w.targetOf(place[0], place[1], account).Reach())
			}
		}
		return ways
	}
	provider, err := w.newProvider(ctx) // with tokens of its own: those that were given out may be good for an hour yet
	if err != nil {
		return []preflight.Probe{func(_ context.Context, l *preflight.Log) error { return unusable(err, l) }}
	}
	for _, root := range provider.roots() {
		ways = append(ways, preflight.Server{URL: root, Key: w.sourceKey(), Reason: fault.SourceUnavailable, Roots: w.rootsFor(preflight.Source)}.Reach())
	}
	for _, c := range provider.sharedChecks(w.job.Kinds) {
		ways = append(ways, c.Probe)
	}
	return ways
}

// targetOf returns the server of a target as an account finds it.
func (w *wiring) targetOf(key, address, account string) preflight.Server {
	s := preflight.Server{URL: address, Key: key, Reason: fault.TargetUnavailable, Roots: w.rootsFor(preflight.Target)}
	i := slices.IndexFunc(w.job.People, func(p config.Account) bool { return p.Source == account })
	if i >= 0 {
		s.URL = config.UserURL(address, w.job.People[i].Target)
	}
	if u, err := url.Parse(s.URL); err == nil {
		s.Path = u.Path
	}
	return s
}

// unusable tells why the provider cannot even be asked.
func unusable(err error, l *preflight.Log) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	l.Refuse(fault.SourceAuth, err.Error(), "correct what the section source of the job file names: it must be there and readable")
	return nil
}

// answered reports whether a place was of use in this pass.
func (w *wiring) answered(at outage.Place) bool {
	if w.board == nil {
		return false
	}
	if at.Side == preflight.Source {
		return w.counters.Listed.Load() > 0
	}
	c := w.board.Kinds()[at.Kind]
	return c != nil && c.Written.Load() > 0
}

// tellOutage tells the display and the log of a place that is waited for, given up, or back.
func (w *wiring) tellOutage(at outage.Place, f *preflight.Finding, again time.Time) {
	text := report.OutageNews(at, f, again)
	if w.board != nil {
		w.board.Say(text)
	}
	if f != nil {
		w.log.Warn("out of use for everybody", "side", at.Side, "kind", at.Kind, "reason", f.Reason, "error", f.What, "again", again)
	}
}

package main

import (
	"fmt"
	"os"
	"time"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/windows"
)

// estimated says how long the demands take when the job is run as its job file says. Round trips that were not measured are assumed.
func (w *wiring) estimated(demands []estimate.Demand, measured estimate.Options) estimate.Estimate {
	accounts := map[string]bool{}
	for _, d := range demands {
		accounts[d.Account] = true
	}
	o := measured
	o.Accounts = max(1, min(w.job.Concurrency.Accounts, len(accounts)))
	o.InFlight = func(kind string) int { return w.inFlightOf(kind, o.Accounts) }
	o.TargetConnections = mostConnections
	if w.job.Target.Mail != nil {
		o.MailConnections = w.job.Target.Mail.Connections
	}
	return estimate.Of(demands, w.provider.prices(), o)
}

// firstWave returns when the first wave may begin; zero if no waves are asked for.
func (o planning) firstWave(job *config.Job, now time.Time) (time.Time, error) {
	switch {
	case o.waves == "":
		return time.Time{}, nil
	case o.from == "":
		return now.In(job.Open.Zone()), nil
	}
	first, err := time.ParseInLocation(time.DateOnly, o.from, job.Open.Zone())
	if err != nil {
		return first, fmt.Errorf("--from %q is no day: write it like 2026-12-01", o.from)
	}
	return waveWindows(job, first).FirstOn(first), nil
}

// waveWindows are the job's time windows, or nights and weekends where it has none, or is always open.
func waveWindows(job *config.Job, first time.Time) windows.Windows {
	if _, change := job.Open.At(first); change.IsZero() {
		return estimate.Nights(job.Open.Zone())
	}
	return job.Open
}

// wavesOf packs the accounts into windows.
func wavesOf(job *config.Job, e estimate.Estimate, first time.Time) []estimate.Wave {
	return estimate.Waves(e, estimate.WaveOptions{Windows: estimate.Openings(waveWindows(job, first), first)})
}

// modelled returns how long the rest of the pass takes by the plan, of which so many items and bytes were written; nil where there is no
// plan of just what the pass has to do: of the whole job, and made since the last run.
func (p pass) modelled(job *config.Job) func(items, bytes int64, elapsed time.Duration) time.Duration {
	if p.retry || p.dryRun || len(p.accounts)+len(p.kinds) > 0 {
		return nil
	}
	kept, err := plan.ReadKept(planFiles(job).Plan, job.Job)
	if err != nil || kept.Whole == nil {
		return nil
	}
	if info, err := os.Stat(job.StatePath()); err == nil && info.ModTime().After(kept.Whole.Planned) {
		return nil
	}
	return kept.Whole.Left
}

package main

import "codeberg.org/repatriate/repatriate/internal/estimate"

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

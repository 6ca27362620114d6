package bench

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// series is what was measured of one limit and one migration, several times by turns. Of each the best counts: the
// machine may be busy with other things, and nothing makes it faster than it is.
type series struct {
	server *realserver.Server
	// items is how many of them a limit's loop writes.
	items         int
	limits, rates []float64
	// fetching are limits of a loop that also downloads from the simulated provider.
	fetching []float64
	best     outcome
	// What the server spent on the best limit, and server and provider on the best migration.
	limitCPU, serverCPU, providerCPU time.Duration
}

// limit measures what the server can do: load returns how many items a second.
func (s *series) limit(load func() float64) {
	before := serverCPU(s.server)
	v := load()
	if spent := serverCPU(s.server) - before; v > best(s.limits) {
		s.limitCPU = spent
	}
	s.limits = append(s.limits, v)
}

func (s *series) fetchingLimit(v float64) { s.fetching = append(s.fetching, v) }

func (s *series) migration(p *provider, run func() outcome) {
	provider, server := p.cpu(), serverCPU(s.server)
	o := run()
	provider, server = p.cpu()-provider, serverCPU(s.server)-server
	rate := o.pass.Written / o.wall.Seconds()
	if rate > best(s.rates) {
		s.best, s.providerCPU, s.serverCPU = o, provider, server
	}
	s.rates = append(s.rates, rate)
}

func best(v []float64) float64 {
	var m float64
	for _, x := range v {
		m = max(m, x)
	}
	return m
}

// report says what came out, and the single figures in the log. CPU is in seconds for each thousand items.
func (s *series) report(b *testing.B, unit string) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best(s.limits), "limit-"+unit+"/s")
	b.ReportMetric(best(s.rates), unit+"/s")
	b.ReportMetric(100*best(s.rates)/best(s.limits), "%")
	if len(s.fetching) > 0 {
		b.ReportMetric(best(s.fetching), "fetching-limit-"+unit+"/s")
	}
	thousands := s.best.pass.Written / 1000
	b.ReportMetric(s.limitCPU.Seconds()/float64(s.items)*1000, "limit-server-cpu")
	b.ReportMetric(s.serverCPU.Seconds()/thousands, "server-cpu")
	b.ReportMetric(s.best.cpu.Seconds()/thousands, "cpu")
	b.ReportMetric(s.providerCPU.Seconds()/thousands, "provider-cpu")
	b.ReportMetric(s.best.pass.SourceRequests/s.best.pass.Written, "source-req/item")
	b.ReportMetric(s.best.pass.TargetRequests/s.best.pass.Written, "target-req/item")
	b.ReportMetric(float64(s.best.memory)/1e6, "MB-peak")
	b.Logf("limits %.0f, fetching %.0f, migrations %.0f %s/s", s.limits, s.fetching, s.rates, unit)
}

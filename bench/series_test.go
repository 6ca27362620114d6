package bench

import (
	"testing"
	"time"
)

// series is what was measured of one limit and one migration, several times by turns. Of each the best counts: the
// machine may be busy with other things, and nothing makes it faster than it is.
type series struct {
	limits, rates []float64
	others        map[string]float64
	best          outcome
	providerCPU   time.Duration // of the best migration
}

func (s *series) limit(v float64) { s.limits = append(s.limits, v) }

func (s *series) other(name string, v float64) {
	if s.others == nil {
		s.others = map[string]float64{}
	}
	s.others[name] = max(s.others[name], v)
}

func (s *series) migration(p *provider, run func() outcome) {
	before := p.cpu()
	o := run()
	spent := p.cpu() - before
	rate := o.pass.Written / o.wall.Seconds()
	if len(s.rates) == 0 || rate > best(s.rates) {
		s.best, s.providerCPU = o, spent
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

// report says what came out, and the single figures in the log.
func (s *series) report(b *testing.B, unit string) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(best(s.limits), "limit-"+unit+"/s")
	b.ReportMetric(best(s.rates), unit+"/s")
	b.ReportMetric(100*best(s.rates)/best(s.limits), "%")
	for name, v := range s.others {
		b.ReportMetric(v, name)
	}
	thousands := s.best.pass.Written / 1000
	b.ReportMetric(s.best.cpu.Seconds()/thousands, "cpu-s/1000")
	b.ReportMetric(s.providerCPU.Seconds()/thousands, "provider-cpu-s/1000")
	b.ReportMetric(s.best.pass.SourceRequests/s.best.pass.Written, "source-req/item")
	b.ReportMetric(s.best.pass.TargetRequests/s.best.pass.Written, "target-req/item")
	b.ReportMetric(float64(s.best.memory)/1e6, "MB-peak")
	b.Logf("limits %.0f, migrations %.0f %s/s", s.limits, s.rates, unit)
}

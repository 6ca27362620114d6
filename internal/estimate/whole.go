package estimate

import (
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// whole puts the accounts together.
func (m *model) whole() Estimate {
	e := Estimate{Accounts: m.accounts, Requests: int64(m.requests), Items: m.items, Bytes: m.contents, options: m.o}
	var times [price.Cases]longest
	for c := range price.Cases {
		times[c] = m.total(c)
	}
	e.Optimistic = seconds(times[price.Optimistic].seconds)
	e.Likely = max(e.Optimistic, seconds(times[price.Likely].seconds))
	e.Pessimistic = max(e.Likely, seconds(times[price.Pessimistic].seconds))
	e.Binding = times[price.Likely].why
	e.Scopes, e.resources = m.uses(), m.sharedResources()
	return e
}

// total is how long all accounts take in a case: in their order side by side, and at least what all share.
func (m *model) total(c price.Case) longest {
	s := scenarios[c]
	var t longest
	t.of(makespan(m.accounts, c, m.together), m.most())
	for i, cost := range m.scopes.all {
		if m.scopes.shared(i, c) {
			t.of(stretched(s, cost.Limit, m.scopes.units[c][i], m.o.Begin), cost.Name)
		}
	}
	if n := m.o.TargetConnections; n > 0 {
		t.of(m.targets[c]/(float64(n)*s.inFlight), Target)
	}
	if m.o.BytesPerSecond > 0 {
		t.of(m.bytes[c]*s.again/(m.o.BytesPerSecond*s.line), Bandwidth)
	}
	return t
}

// most is what held up accounts longest, of several the first by name.
func (m *model) most() string {
	var most string
	for why, t := range m.binding {
		if why != "" && (t > m.binding[most] || t == m.binding[most] && why < most || most == "") {
			most = why
		}
	}
	return most
}

func (m *model) uses() []Use {
	uses := make([]Use, len(m.scopes.all))
	for i, c := range m.scopes.all {
		uses[i] = Use{Scope: c.Name, Shared: m.scopes.shared(i, price.Likely), Units: m.scopes.units[price.Likely][i],
			PerMinute: c.PerMinute, PerDay: c.PerDay, Time: seconds(m.scopes.time[i])}
		if uses[i].Shared {
			uses[i].Time = seconds(stretched(scenarios[price.Likely], c.Limit, uses[i].Units, m.o.Begin))
		}
	}
	return uses
}

// makespan is how long the accounts take in seconds when as many are moved at once: the next one begins where one ends.
func makespan(accounts []AccountTime, c price.Case, together int) float64 {
	ends := make([]float64, together) // a heap, the earliest first
	for _, a := range accounts {
		ends[0] += a.in(c).Seconds()
		sink(ends)
	}
	return slices.Max(ends)
}

func (a AccountTime) in(c price.Case) time.Duration {
	switch c {
	case price.Optimistic:
		return a.Optimistic
	case price.Likely:
		return a.Likely
	}
	return a.Pessimistic
}

// sink moves the first of a heap to its place.
func sink(h []float64) {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child] < h[least] {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

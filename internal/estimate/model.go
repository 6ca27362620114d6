package estimate

import (
	"time"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// model goes through the accounts once.
type model struct {
	prices  Prices
	o       Options
	demands []Demand
	// heads are the first demands of the accounts in their order, and follows the next one of the same account; -1: none.
	heads, follows []int32
	scopes         scopes
	accounts       []AccountTime
	together       int // accounts at once
	// targets and bytes are what shared servers and the line take, and requests the likely ones.
	targets, bytes  [price.Cases]float64
	requests        float64
	items, contents int64
	binding         map[string]time.Duration // how long accounts took because of it
}

func newModel(p Prices, o Options, demands []Demand) *model {
	m := &model{prices: p, o: o, demands: demands, follows: make([]int32, len(demands)), scopes: scopes{byName: map[string]int{}},
		binding: map[string]time.Duration{}}
	last := make(map[string]int32, len(demands)/2)
	for i, d := range demands {
		m.follows[i] = -1
		if before, known := last[d.Account]; known {
			m.follows[before] = int32(i)
		} else {
			m.heads = append(m.heads, int32(i))
		}
		last[d.Account] = int32(i)
	}
	m.accounts = make([]AccountTime, 0, len(m.heads))
	m.together = max(1, min(o.Accounts, len(m.heads)))
	return m
}

// longest is the longest of several times, in seconds, and what it comes from.
type longest struct {
	seconds float64
	why     string
}

func (l *longest) of(seconds float64, why string) {
	if seconds > l.seconds {
		l.seconds, l.why = seconds, why
	}
}

// account looks at one account.
func (m *model) account(i int) {
	first := m.heads[i]
	a := AccountTime{Account: m.demands[first].Account, Kinds: make([]string, 0, 5), Days: 1}
	var times [price.Cases]longest
	bytes, targets := m.bytes[price.Likely], m.targets[price.Likely]
	for k := first; k >= 0; k = m.follows[k] {
		d := m.demands[k]
		a.Kinds = append(a.Kinds, d.Kind)
		a.Items += d.Items
		a.Bytes += d.Bytes
		for c := range price.Cases {
			times[c].of(m.kind(d, c))
		}
	}
	for c := range price.Cases {
		m.budgets(c, &times[c], &a)
	}
	a.shared = make([]float64, budgetsFrom+len(m.scopes.all))
	a.shared[line], a.shared[connectionOf] = m.bytes[price.Likely]-bytes, m.targets[price.Likely]-targets
	m.note(&a, times)
	m.scopes.next()
}

// note keeps an account's times. What goes worse takes longer.
func (m *model) note(a *AccountTime, times [price.Cases]longest) {
	a.Optimistic = seconds(times[price.Optimistic].seconds)
	a.Likely = max(a.Optimistic, seconds(times[price.Likely].seconds))
	a.Pessimistic = max(a.Likely, seconds(times[price.Pessimistic].seconds))
	a.Binding = times[price.Likely].why
	for _, s := range m.scopes.drawn {
		if m.scopes.shared(s, price.Likely) {
			a.shared[budgetsFrom+s] = m.scopes.own[price.Likely][s]
		}
	}
	m.binding[a.Binding] += a.Likely
	m.items += a.Items
	m.contents += a.Bytes
	m.accounts = append(m.accounts, *a)
}

// longestTime is what a duration can hold, or nearly.
const longestTime = 290 * 365 * 24 * time.Hour

func seconds(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), float64(longestTime)))
}

// appended is how many messages one APPEND holds on the way to a target (docs/performance.md).
const appended = 16

// kind returns how long a kind takes by itself, and what that comes from, and notes what it draws on.
func (m *model) kind(d Demand, c price.Case) (float64, string) {
	s, p := scenarios[c], m.prices.Price(d, c)
	for _, cost := range p.Costs {
		m.scopes.draw(c, cost)
	}
	if c == price.Likely {
		m.requests += p.Requests
	}
	m.bytes[c] += p.Bytes
	places := max(1, float64(m.o.InFlight(d.Kind))*s.inFlight)
	source := max(0, p.Requests-p.Serial) * s.again * m.o.SourceRTT.Seconds()
	target := float64(d.Items) * s.again * m.o.TargetRTT.Seconds()
	local := float64(d.Items) * s.local.Seconds()
	var t longest
	why := RoundTrips
	if target > source {
		why = Target
	}
	t.of((source+target+local)/places, why)
	if d.Kind == "mail" {
		t.of(target/(float64(m.o.MailConnections)*appended*s.inFlight), Target)
	} else {
		m.targets[c] += target
	}
	if m.o.BytesPerSecond > 0 {
		t.of(p.Bytes*s.again/(m.o.BytesPerSecond*s.line), Bandwidth)
	}
	opening := p.Serial*s.again*m.o.SourceRTT.Seconds() + float64(d.Collections)*s.opening*m.o.TargetRTT.Seconds()
	if t.why == "" || opening > t.seconds {
		t.why = RoundTrips
	}
	return t.seconds + opening, t.why
}

// budgets lengthens an account's time to what the budgets take that it draws on.
func (m *model) budgets(c price.Case, t *longest, a *AccountTime) {
	s := scenarios[c]
	for _, i := range m.scopes.drawn {
		cost, units := m.scopes.all[i], m.scopes.own[c][i]
		a.Days = max(a.Days, days(cost.Limit, units))
		crowd := 1.0
		if m.scopes.shared(i, c) && s.crowd {
			crowd = float64(m.together)
		}
		own := s.spend(cost.Limit, units*crowd)
		t.of(own, cost.Name)
		if cost.Concurrent > 0 {
			// Half of what the provider works on at once may be stuck as well.
			t.of(units*s.again*m.o.SourceRTT.Seconds()/(float64(cost.Concurrent)*s.inFlight), cost.Name+", requests at once")
		}
		if c == price.Likely {
			m.scopes.time[i] = max(m.scopes.time[i], own)
		}
	}
}

package estimate

import (
	"math"
	"time"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/price"
)

// scopes numbers the budgets that demands draw on.
type scopes struct {
	byName map[string]int
	all    []price.Cost // the first cost of each, for its limit
	units  [price.Cases][]float64
	time   []float64 // seconds of a budget of its own in the likely case, of the account that takes longest
	// own are the units of the account that is being looked at, and drawn the budgets that it draws on.
	own   [price.Cases][]float64
	drawn []int
}

// number returns the number of a cost's budget; false if it has no limit.
func (s *scopes) number(c price.Cost) (int, bool) {
	if i, ok := s.byName[c.Name]; ok {
		return i, true
	}
	if c.PerMinute <= 0 && c.PerDay <= 0 && c.Concurrent <= 0 {
		return 0, false
	}
	i := len(s.all)
	s.byName[c.Name], s.all, s.time = i, append(s.all, c), append(s.time, 0)
	for k := range s.units {
		s.units[k], s.own[k] = append(s.units[k], 0), append(s.own[k], 0)
	}
	return i, true
}

// draw notes a cost of the present account.
func (s *scopes) draw(c price.Case, cost price.Cost) {
	i, limited := s.number(cost)
	if !limited {
		return
	}
	if cost.Sharing > s.all[i].Sharing {
		s.all[i].Sharing = cost.Sharing
	}
	if s.own[0][i]+s.own[1][i]+s.own[2][i] == 0 && cost.Units > 0 {
		s.drawn = append(s.drawn, i)
	}
	s.own[c][i] += cost.Units
	s.units[c][i] += cost.Units
}

// next forgets the present account.
func (s *scopes) next() {
	for _, i := range s.drawn {
		for k := range s.own {
			s.own[k][i] = 0
		}
	}
	s.drawn = s.drawn[:0]
}

// shared reports whether all accounts draw on a budget in a case.
func (s *scopes) shared(i int, c price.Case) bool {
	sharing := s.all[i].Sharing
	return sharing == price.Shared || sharing == price.MayShare && scenarios[c].crowd
}

// days is how many days of the provider the units take.
func days(l httpx.Limit, units float64) int {
	if l.PerDay <= 0 {
		return 1
	}
	return max(1, int(math.Ceil(min(units/l.PerDay, 1e6))))
}

const day = 24 * time.Hour

// stretched is how long a budget takes in seconds, from the given time on, when what is too much for a day waits for the next.
func stretched(s scenario, l httpx.Limit, units float64, begin time.Time) float64 {
	units *= s.again
	alone := s.spend(l, units/s.again)
	if l.PerDay <= 0 {
		return alone
	}
	first := day.Seconds()
	if !begin.IsZero() {
		first = l.NextDay(begin).Sub(begin).Seconds()
	}
	today := l.PerDay
	if rate := s.rate(l); rate > 0 {
		today = min(today, l.Burst()+rate*first)
	}
	left := units - today
	if left <= 0 {
		return alone
	}
	whole := math.Ceil(left/l.PerDay) - 1
	return first + whole*day.Seconds() + s.spend(l, (left-whole*l.PerDay)/s.again)
}

package estimate

import (
	"time"

	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/price"
)

// scenario is how well things go. What a demand does not tell is the source's to assume for each case, see price.Case.
type scenario struct {
	// stated says that the provider's limits are used to the last unit; otherwise at the pace of our budgets, which keep back a
	// twentieth of a minute so that no window ever sees more than its quota.
	stated bool
	// pace is the part of that pace that is reached.
	pace float64
	// again is how many requests are made for each that is needed.
	again float64
	// inFlight and line are the parts of the items under way and of the line's speed that are really there.
	inFlight, line float64
	// opening are round trips to the target for each collection before its first item.
	opening float64
	// local is what is spent on an item on this machine while its place is taken: mapping, ledger, waiting for its fsync.
	local time.Duration
	// crowd says that accounts draw on a shared budget at the same time all along, and that budgets which may be one are one.
	crowd bool
}

// scenarios are the three that an Estimate has.
//
// Optimistic: the limits exactly as stated, no request in vain, everything at once that may be, nothing spent on this machine.
//
// Likely: the pace that our budgets keep; one request in a hundred has to be made again; what opening a collection takes on the target
// (login, a look at what is there, making it), and 5 ms an item for the ledger, whose writes gather for 3 ms before they are synced.
//
// Pessimistic: once a minute the provider refuses although we stay below what it states, as it reserves itself to do. That costs a pause
// of 10 s and, since a budget then goes on at half its pace and wins a sixty-fourth of the whole back each second, 8 s more: 42 of 60
// seconds are left, 0.7. One request in twenty is made again. Half of the items under way are stuck behind slow ones, and half of the line
// is taken by others.
var scenarios = [price.Cases]scenario{
	price.Optimistic:  {stated: true, pace: 1, again: 1, inFlight: 1, line: 1},
	price.Likely:      {pace: 1, again: 1.01, inFlight: 1, line: 1, opening: 5, local: 5 * time.Millisecond},
	price.Pessimistic: {pace: 0.7, again: 1.05, inFlight: 0.5, line: 0.5, opening: 15, local: 20 * time.Millisecond, crowd: true},
}

// rate is the pace of a budget in units per second; zero: no limit.
func (s scenario) rate(l httpx.Limit) float64 {
	if s.stated {
		return l.Stated()
	}
	return l.Rate() * s.pace
}

// spend is how long a budget that was idle takes to let the units through.
func (s scenario) spend(l httpx.Limit, units float64) float64 {
	rate := s.rate(l)
	if rate <= 0 {
		return 0
	}
	return max(0, units*s.again-l.Burst()) / rate
}

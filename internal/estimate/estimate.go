// Package estimate says how long a migration takes, which limit holds it up, and in which nights it can be done.
//
// The model. Accounts are moved side by side, as many as the options say, in their order; within an account the kinds are, and the
// collections of a kind one after the other, as internal/runner has it. A kind takes as long as the slowest of what it needs: the round
// trips of its items divided by the items under way, and its bytes at the speed of the line. An account takes as long as its longest kind
// or the longest of the budgets that are its own, and the whole as long as the accounts in their order take or the longest of the budgets
// that all share. The units are the provider's and come from the source (package price); docs/sizing.md explains it to an operator.
package estimate

import (
	"time"

	"codeberg.org/repatriate/repatriate/internal/price"
)

// Demand is what is left to move of one kind of an account.
type Demand = price.Demand

// Prices is what the source makes of demands.
type Prices = price.Prices

// Assumed times of a round trip where none was measured: a request to the provider, and a write on the target with its answer.
const (
	AssumedSourceRTT = 100 * time.Millisecond
	AssumedTargetRTT = 50 * time.Millisecond
)

// Options say how the job is run.
type Options struct {
	// Accounts is how many are moved at once; at least 1.
	Accounts int
	// InFlight is how many items of a kind one account has under way; nil: 16.
	InFlight func(kind string) int
	// SourceRTT and TargetRTT are as measured; zero: as assumed.
	SourceRTT, TargetRTT time.Duration
	// TargetConnections bounds the HTTP requests to the targets at once, over all accounts; zero: no bound.
	TargetConnections int
	// MailConnections is how many connections of one account append mail; zero: 4.
	MailConnections int
	// BytesPerSecond is the speed of the line; zero: not known, and no limit.
	BytesPerSecond float64
	// Begin is when the first run begins, from which the days of daily quotas are counted; zero: when such a day begins.
	Begin time.Time
}

func (o Options) withDefaults() Options {
	o.Accounts = max(1, o.Accounts)
	if o.InFlight == nil {
		o.InFlight = func(string) int { return 16 }
	}
	if o.SourceRTT <= 0 {
		o.SourceRTT = AssumedSourceRTT
	}
	if o.TargetRTT <= 0 {
		o.TargetRTT = AssumedTargetRTT
	}
	if o.MailConnections <= 0 {
		o.MailConnections = 4
	}
	return o
}

// What binds where it is no budget of the provider.
const (
	RoundTrips = "round trips to the provider"
	Target     = "the target"
	Bandwidth  = "bandwidth"
)

// Estimate is how long everything takes together.
type Estimate struct {
	// Optimistic, Likely and Pessimistic are explained at Scenarios. A day's quota that is used up is waited for, which supposes that
	// somebody, such as a timer, runs the job again when the provider's next day begins.
	Optimistic, Likely, Pessimistic time.Duration
	// Binding is what the likely time comes from: the name of one of the provider's budgets, RoundTrips, Target or Bandwidth. Empty:
	// there is nothing to do.
	Binding string
	// Scopes are the budgets that are drawn on, as they first appeared.
	Scopes []Use
	// Accounts are in the order of their first demands.
	Accounts []AccountTime
	// Requests are the likely ones to the provider; Items and Bytes are those of the demands.
	Requests, Items, Bytes int64

	options   Options
	resources []resource // what all share, in the order of AccountTime.shared
}

// Use is how much of one of the provider's budgets is needed, in the likely case.
type Use struct {
	// Scope is its name.
	Scope string
	// Shared says that all accounts draw on it; otherwise each has its own.
	Shared bool
	// Units are those of all accounts, PerMinute and PerDay the quota that the provider states; zero: none is.
	Units, PerMinute, PerDay float64
	// Time is how long the budget alone takes: that of all, or of the account that takes longest.
	Time time.Duration
}

// AccountTime is how long one account takes, without waiting for the others or for the next day of a quota.
type AccountTime struct {
	Account                         string
	Kinds                           []string
	Items, Bytes                    int64
	Optimistic, Likely, Pessimistic time.Duration
	// Binding is as in Estimate.
	Binding string
	// Days is how many days of the provider the account needs because of a daily quota; usually 1.
	Days int

	shared []float64 // likely units of what all share
}

// SharedDrive reports whether the account is a shared drive or a document library.
func (a AccountTime) SharedDrive() bool { return Demand{Account: a.Account}.SharedDrive() }

// Of estimates how long the demands take. Accounts may be many: a hundred thousand take about a second.
func Of(demands []Demand, p Prices, o Options) Estimate {
	m := newModel(p, o.withDefaults(), demands)
	for i := range m.heads {
		m.account(i)
	}
	return m.whole()
}

// Package price holds the words in which a source says what a migration takes of its provider. It knows no provider: each source
// prices demands by the tables from which it also makes the budgets of a run.
package price

import (
	"strings"

	"codeberg.org/repatriate/repatriate/internal/httpx"
)

// Demand is what is left to move of one kind of an account.
type Demand struct {
	// Account is named as in the accounts file, Kind as in a job file.
	Account, Kind string
	// Collections are the calendars, address books or task lists; 1 for files and mail.
	Collections int64
	// Items are all that is to be listed and written, Empty those of them that have no content to download: folders and shortcuts.
	Items, Empty int64
	// Bytes are those of the contents.
	Bytes int64
}

// SharedDrive reports whether the account is a shared drive or a document library, and nobody's own.
func (d Demand) SharedDrive() bool { return strings.HasPrefix(d.Account, "drive:") }

// Case says how things go that a demand does not tell, such as how many contacts have a picture.
type Case uint8

// The cases. What one takes, the next takes at least.
const (
	Optimistic Case = iota
	Likely
	Pessimistic
	Cases
)

// Of returns that of three values which belongs to the case.
func (c Case) Of(optimistic, likely, pessimistic float64) float64 {
	return [Cases]float64{optimistic, likely, pessimistic}[c]
}

// Sharing says who draws on a budget together.
type Sharing uint8

// Each account has a budget of its own, or all have one. MayShare is for a budget of the account's own as far as one knows before the
// start: it is only at run time that several may turn out to have one.
const (
	Own Sharing = iota
	MayShare
	Shared
)

// Cost is what a demand takes of one budget of the provider. The Limit's name says which budget it is.
type Cost struct {
	httpx.Limit
	Sharing Sharing
	// Units are the provider's.
	Units float64
	// Concurrent is how many requests the provider works on at once within the budget; zero: any number. Units are requests then.
	Concurrent int
}

// Price is what a demand takes of the provider.
type Price struct {
	Costs []Cost
	// Requests are all that are sent, and Serial are those round trips of them that wait for one another.
	Requests, Serial float64
	// Bytes are those on the wire.
	Bytes float64
}

// Listed is how many bytes the listings of so many items take besides their contents: assumed to be half a kilobyte for each, compressed.
func Listed(items int64, c Case) float64 { return float64(items) * c.Of(0, 500, 2000) }

// Prices prices demands in the provider's units. It is the source's knowledge, and safe for concurrent use.
type Prices interface {
	Price(d Demand, c Case) Price
}

// Pages is how many pages of a size a listing has: at least one.
func Pages(items int64, size float64) float64 {
	n := float64(items) / size
	if whole := float64(int64(n)); whole < n {
		n = whole + 1
	}
	return max(1, n)
}

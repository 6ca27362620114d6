package plan

import (
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// Demand is what remains to be moved of one kind of an account.
type Demand struct {
	Account, Kind string
	Collections   int64
	// Items are all, Empty those of them for which nothing is downloaded: folders, shortcuts, and what changed but for its content.
	Items, Empty int64
	Bytes        int64
}

// Demands are those of all accounts of the plan. One that was not looked at is taken to be like one that was: by turns, so that a few large
// ones stay few.
func (p *Plan) Demands() (all []Demand) {
	p.each(func(account string, k Kind, _ bool) {
		all = append(all, Demand{Account: account, Kind: k.Kind, Collections: k.Collections, Items: k.Items, Empty: k.Empty, Bytes: k.Bytes + k.Weighs})
	})
	return all
}

// Total is what a run would write of one kind of all accounts.
type Total struct {
	Kind     string `json:"kind"`
	Accounts int64  `json:"accounts"`
	Found
}

// Totals are those of each kind, in the order in which kinds come, and of all together. What was not looked at is extrapolated, but for
// the largest item and the longest path.
func (p *Plan) Totals() (kinds []Total, all Total) {
	all.Accounts = int64(len(p.Accounts) + len(p.Others))
	p.each(func(_ string, k Kind, looked bool) {
		f := k.Found
		if !looked {
			f.Largest, f.Longest = nil, nil
		}
		i := slices.IndexFunc(kinds, func(t Total) bool { return t.Kind == k.Kind })
		if i < 0 {
			i = len(kinds)
			kinds = append(kinds, Total{Kind: k.Kind})
		}
		kinds[i].Accounts++
		kinds[i].add(f)
		all.add(f)
	})
	slices.SortStableFunc(kinds, func(a, b Total) int { return order(a.Kind) - order(b.Kind) })
	return kinds, all
}

// order is the place of a kind among all.
func order(kind string) int { return slices.Index(config.Kinds, kind) }

// each calls f with each kind of each account, or with that of the account that it is taken to be like.
func (p *Plan) each(f func(account string, k Kind, looked bool)) {
	for _, a := range p.Accounts {
		for _, k := range a.Kinds {
			f(a.Source, k, true)
		}
	}
	likes := newDonors(p.Accounts)
	for _, o := range p.Others {
		for _, k := range likes.next(o).Kinds {
			if slices.Contains(o.Kinds, k.Kind) {
				f(o.Source, k, false)
			}
		}
	}
}

// donors are the accounts that others are taken to be like: those with the same kinds, or all where there are none.
type donors struct {
	all    []Account
	alike  map[string][]Account
	turns  map[string]int
	nobody Account
}

func newDonors(accounts []Account) *donors {
	d := &donors{all: accounts, alike: map[string][]Account{}, turns: map[string]int{}}
	for _, a := range accounts {
		var kinds []string
		for _, k := range a.Kinds {
			kinds = append(kinds, k.Kind)
		}
		key := strings.Join(kinds, " ")
		d.alike[key] = append(d.alike[key], a)
	}
	return d
}

func (d *donors) next(o Person) Account {
	key := strings.Join(o.Kinds, " ")
	from := d.alike[key]
	if len(from) == 0 {
		from = d.all
	}
	if len(from) == 0 {
		return d.nobody
	}
	d.turns[key]++
	return from[(d.turns[key]-1)%len(from)]
}

package plan

import (
	"maps"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Gate decides which accounts may run without anybody's approval.
type Gate struct {
	// Limit is the worst grade that needs none.
	Limit htmlreport.Grade
	kept  *Kept
	// accepted are the causes that were approved, by account and kind.
	accepted map[string]map[string][]string
}

// NewGate returns the gate of a job. An approval holds for the causes that it names: what a later plan finds besides is asked for again.
func NewGate(limit htmlreport.Grade, kept *Kept, approvals Approvals) *Gate {
	g := &Gate{Limit: limit, kept: kept, accepted: map[string]map[string][]string{}}
	for _, a := range approvals.All {
		if g.accepted[a.Account] == nil {
			g.accepted[a.Account] = map[string][]string{}
		}
		for kind, reasons := range a.Reasons {
			g.accepted[a.Account][kind] = append(g.accepted[a.Account][kind], reasons...)
		}
	}
	return g
}

// Holds returns why an account may not run with the given kinds; nil if it may.
func (g *Gate) Holds(account string, kinds []string) *report.Held {
	var open []htmlreport.Cause
	var unplanned []string
	for _, kind := range kinds {
		plan, planned := g.kept.Accounts[account][kind]
		if !planned {
			unplanned = append(unplanned, kind)
		}
		for _, c := range plan.Causes {
			if c.Grade > g.Limit && !slices.Contains(g.accepted[account][kind], c.Name) {
				open = append(open, c)
			}
		}
	}
	switch {
	case len(unplanned) > 0:
		return &report.Held{Account: account, Name: g.kept.Name(account), Why: "not planned yet: " + strings.Join(unplanned, ", "), Unplanned: true}
	case len(open) > 0:
		grade, why := htmlreport.Worst(open)
		return &report.Held{Account: account, Name: g.kept.Name(account), Grade: grade.String(), Why: strings.Join(why, ", ")}
	}
	return nil
}

// Waiting returns those of the accounts that were planned and that somebody has to approve, in order.
func (g *Gate) Waiting() (held []report.Held) {
	for _, account := range slices.Sorted(maps.Keys(g.kept.Accounts)) {
		if h := g.Holds(account, slices.Sorted(maps.Keys(g.kept.Accounts[account]))); h != nil {
			held = append(held, *h)
		}
	}
	return held
}

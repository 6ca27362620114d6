package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Held is an account that a run left out since nobody approved what its plan says.
type Held struct {
	Account string `json:"account"`
	// Name is what a drive is called; empty for people.
	Name string `json:"name,omitempty"`
	// Grade is what it would need an approval for; empty if it was never planned.
	Grade string `json:"grade,omitempty"`
	// Why says what it comes from.
	Why string `json:"why"`
	// Unplanned says that there is no plan to approve.
	Unplanned bool `json:"unplanned,omitempty"`
}

// Hold notes which accounts the run left out. A run that left one out is not complete.
func (r *Report) Hold(held []Held) {
	r.Held = held
	if len(held) > 0 && r.State == Complete {
		r.State = Incomplete
	}
}

// mostHeld is how many accounts that were left out are named to a person; --json has them all.
const mostHeld = 10

// writeHeld names the accounts that were left out, and the commands to go on.
func (r *Report) writeHeld(b *strings.Builder, job string) {
	if len(r.Held) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", wrap(fmt.Sprintf("Left out, since nobody approved it: %s.", Plural(int64(len(r.Held)), "account")), 0))
	plan, approve := "", ""
	for i, h := range r.Held {
		if h.Unplanned {
			plan = cmp.Or(plan, h.Account)
		} else {
			approve = cmp.Or(approve, h.Account)
		}
		if i < mostHeld {
			fmt.Fprintf(b, "  %s\n", wrap(strings.TrimSpace(h.Grade+" "+Called(h.Account, h.Name))+": "+Clean(h.Why, 400), 4))
		}
	}
	if more := len(r.Held) - mostHeld; more > 0 {
		fmt.Fprintf(b, "  … and %d more; --json names them all.\n", more)
	}
	b.WriteString("To go on, look at what they would lose, and accept it:\n")
	fmt.Fprintf(b, "  repatriate plan %s --account %s\n  repatriate approve %s --account %s\n", job, Clean(cmp.Or(plan, approve), maxAccount), job, Clean(cmp.Or(approve, plan), maxAccount))
}

package plan

import (
	"cmp"
	"slices"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Reason is why items would be left out or lose something, over all accounts that were looked at.
type Reason struct {
	Reason string `json:"reason"`
	// Grade is how much it matters; D if an example failed.
	Grade    htmlreport.Grade `json:"grade"`
	Items    int64            `json:"items"`
	Accounts int64            `json:"accounts"`
	Examples []Example        `json:"examples"`
}

// Example is one item that has the reason.
type Example struct {
	Account string `json:"account"`
	Kind    string `json:"kind"`
	Title   string `json:"title"`
	Detail  string `json:"detail,omitempty"`
	Link    string `json:"link,omitempty"`
}

// Reasons returns them, the worst first and of those alike the most frequent.
func (p *Plan) Reasons() []Reason {
	at := make(map[string]*Reason)
	last := make(map[string]string) // the account that was counted last; tasks come account by account
	for _, t := range p.Report.Tasks {
		for reason, n := range t.Reasons {
			r := at[reason]
			if r == nil {
				r = &Reason{Reason: reason, Grade: htmlreport.Of(reason), Examples: []Example{}}
				at[reason] = r
			}
			r.Items += n
			if r.Accounts == 0 || last[reason] != t.Account {
				r.Accounts++
				last[reason] = t.Account
			}
		}
	}
	for _, e := range p.Report.Examples {
		if r := at[e.Reason]; r != nil {
			r.example(e)
		}
	}
	if r := p.leftOut(); r.Items > 0 {
		at[r.Reason] = &r
	}
	out := make([]Reason, 0, len(at))
	for _, r := range at {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Grade, a.Grade), cmp.Compare(b.Items, a.Items), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// mostLeft bounds the accounts that are named of which something is left out on purpose.
const mostLeft = 3

// leftOut gathers what sources do not list, by what the providers count of it. No item of it is in the ledger.
func (p *Plan) leftOut() Reason {
	r := Reason{Reason: string(fault.SourceLeftOut), Grade: htmlreport.Of(string(fault.SourceLeftOut)), Examples: []Example{}}
	for _, t := range p.Report.Tasks {
		n := t.Counted.LeftOut()
		if n == 0 {
			continue
		}
		r.Items += n
		r.Accounts++
		if len(r.Examples) < mostLeft {
			r.Examples = append(r.Examples, Example{Account: t.Account, Kind: t.Kind, Title: report.ApartText([]report.Task{t})})
		}
	}
	return r
}

// LeftOut says in words what sources do not list on purpose, over all accounts that were looked at; empty if it is nothing, or if no
// provider counts it.
func (p *Plan) LeftOut() string { return report.ApartText(p.Report.Tasks) }

func (r *Reason) example(e report.Example) {
	if e.Failed {
		r.Grade = htmlreport.D
	}
	detail := report.WithoutReason(e.Detail, e.Reason)
	if detail == e.Title {
		detail = ""
	}
	r.Examples = append(r.Examples, Example{Account: e.Account, Kind: e.Kind, Title: e.Title, Detail: detail, Link: htmlreport.WebLink(e.Link)})
}

// worst returns the accounts that are worse than a grade, the worst first.
func (p *Plan) worst(than htmlreport.Grade) []Account {
	out := slices.DeleteFunc(slices.Clone(p.Accounts), func(a Account) bool { return a.Grade <= than })
	slices.SortStableFunc(out, func(a, b Account) int { return cmp.Compare(b.Grade, a.Grade) })
	return out
}

// unfit is what does not fit on the target.
type unfit struct {
	Account string
	// Target is the account's name there for the kind, if it is not the one that it has for the others.
	Target string
	Kind
}

// title names the account and the kind.
func (u unfit) title() string {
	if u.Target == "" {
		return u.Account + ", " + u.Kind.Kind
	}
	return u.Account + ", " + u.Kind.Kind + " (" + report.Clean(u.Target, 40) + ")"
}

func (p *Plan) unfits() (out []unfit) {
	for _, a := range p.Accounts {
		for _, k := range a.Kinds {
			if !k.Fits() {
				out = append(out, unfit{a.Source, a.Targets[k.Kind], k})
			}
		}
	}
	return out
}

// deaf is a kind of which targets could not be asked for their room.
type deaf struct {
	Kind     string `json:"kind"`
	Accounts int    `json:"accounts"`
	// Why is what was said of the first of them.
	Why string `json:"why"`
}

func (p *Plan) deaf() (out []deaf) {
	for _, a := range p.Accounts {
		for _, k := range a.Kinds {
			if k.NotAsked == "" {
				continue
			}
			i := slices.IndexFunc(out, func(d deaf) bool { return d.Kind == k.Kind })
			if i < 0 {
				i = len(out)
				out = append(out, deaf{Kind: k.Kind, Why: k.NotAsked})
			}
			out[i].Accounts++
		}
	}
	return out
}

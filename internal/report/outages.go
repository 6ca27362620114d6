package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

// Outage is a server that no account could use, so that a command left the rest of them alone.
type Outage struct {
	Side preflight.Side `json:"side"`
	// Kinds are what the server is for; none: all.
	Kinds  []string `json:"kinds,omitempty"`
	Reason string   `json:"reason"`
	// What is wrong, and what to Do about it.
	What string `json:"what"`
	Do   string `json:"do,omitempty"`
	// Left are the accounts of which something was left alone for it.
	Left []string `json:"left"`
}

// Outages returns those of the places that were given up, those of the same cause as one.
func Outages(gone []outage.Gone) (out []Outage) {
	for _, g := range gone {
		i := slices.IndexFunc(out, func(o Outage) bool { return o.Side == g.Place.Side && o.What == g.What })
		if i < 0 {
			i = len(out)
			out = append(out, Outage{Side: g.Place.Side, Reason: string(g.Reason), What: g.What, Do: g.Do, Left: []string{}})
		}
		if g.Place.Kind != "" {
			out[i].Kinds = append(out[i].Kinds, g.Place.Kind)
		}
		out[i].Left = append(out[i].Left, g.Missed...)
	}
	for i := range out {
		slices.Sort(out[i].Left)
		out[i].Left = slices.Compact(out[i].Left)
	}
	return out
}

// Missed notes which servers could not be used at all. A run that left accounts alone for it has stopped.
func (r *Report) Missed(o []Outage) {
	r.Outages = o
	if len(o) > 0 && r.State != Interrupted {
		r.State = Stopped
	}
}

// covers reports whether what stopped a task is the outage itself.
func (o Outage) covers(kind, cause string) bool {
	reason := reasonIn(cause)
	side, _, _ := strings.Cut(reason, ".")
	return side == string(o.Side) && (len(o.Kinds) == 0 || slices.Contains(o.Kinds, kind)) && outage.ForEverybody(fault.Reason(reason))
}

// covered reports whether one of the outages is what stopped a task.
func covered(outages []Outage, kind, cause string) bool {
	return cause != "" && slices.ContainsFunc(outages, func(o Outage) bool { return o.covers(kind, cause) })
}

// own returns the cause by which a task stopped in a form that it shares with those that stopped alike; nothing if it did not stop, or an
// outage is the cause.
func own(outages []Outage, account, kind, text string) string {
	if covered(outages, kind, text) {
		return ""
	}
	return cause(text, account)
}

// nameOf returns what people call a side.
func nameOf(side preflight.Side, kinds ...string) string {
	if side == preflight.Source {
		return "The provider"
	}
	return "The target of " + strings.Join(kinds, ", ")
}

// ByOutage reports whether an outage is what stopped a task of the report.
func (r *Report) ByOutage(t Task) bool { return covered(r.Outages, t.Kind, t.Error) }

// WriteOutages says what no account could use, if there is something.
func (r *Report) WriteOutages(b *strings.Builder) {
	met := encounters{outages: r.Outages}
	for _, t := range r.Tasks {
		met.add(t.Account, t.Kind, t.Error)
	}
	met.write(b)
}

// encounters are outages with the tasks that met them.
type encounters struct {
	outages  []Outage
	tasks    []int64           // by outage
	accounts []map[string]bool // likewise
}

// add notes a task that stopped, if an outage is the cause.
func (e *encounters) add(account, kind, cause string) {
	if cause == "" {
		return
	}
	for i, o := range e.outages {
		if e.tasks == nil {
			e.tasks, e.accounts = make([]int64, len(e.outages)), make([]map[string]bool, len(e.outages))
		}
		if !o.covers(kind, cause) {
			continue
		}
		if e.accounts[i] == nil {
			e.accounts[i] = map[string]bool{}
		}
		e.tasks[i]++
		e.accounts[i][account] = true
	}
}

// write says of each what is wrong, what to do, and whom it concerns.
func (e *encounters) write(b *strings.Builder) {
	for i, o := range e.outages {
		fmt.Fprintf(b, "\n%s\n  %s\n", wrap(nameOf(o.Side, o.Kinds...)+" cannot be used by any account:", 0), wrap(Clean(o.What, 1000)+" ("+o.Reason+")", 2))
		if do := o.remedy(); do != "" {
			fmt.Fprintf(b, "  %s\n", wrap("What to do: "+do, 2))
		}
		if e.tasks == nil {
			continue
		}
		text := "It stopped " + Plural(e.tasks[i], "collection") + "."
		if left := o.left(e.accounts[i]); left > 0 {
			text += " Not even begun for it: " + Plural(left, "account") + "."
		}
		fmt.Fprintf(b, "  %s\n", wrap(text, 2))
	}
}

// remedy is what to do: what was said of this very outage, or else of its reason.
func (o Outage) remedy() string {
	if o.Do != "" {
		return Clean(o.Do, 1000) + "."
	}
	return Advice(o.Reason)
}

// left counts the accounts that were left alone before they met the outage themselves.
func (o Outage) left(met map[string]bool) (n int64) {
	for _, account := range o.Left {
		if !met[account] {
			n++
		}
	}
	return n
}

// OutageNews says on one line what is wrong at a place, and when it is looked at again; the zero time if it is given up, and a finding of
// nil if it can be used again.
func OutageNews(at outage.Place, f *preflight.Finding, again time.Time) string {
	who := nameOf(at.Side, at.Kind)
	switch {
	case f == nil:
		return who + " can be used again: going on"
	case again.IsZero():
		return who + " cannot be used by any account: " + Clean(f.What, 300) + "; leaving the others as they are"
	}
	return who + " cannot be used by any account: " + Clean(f.What, 300) + "; trying again at " + again.Local().Format("15:04:05")
}

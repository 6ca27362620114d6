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
	Side   preflight.Side `json:"side"`
	Kinds  []string       `json:"kinds"`
	Reason string         `json:"reason"`
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
		out[i].Kinds = append(out[i].Kinds, g.Place.Kind)
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
	return side == string(o.Side) && slices.Contains(o.Kinds, kind) && outage.ForEverybody(fault.Reason(reason))
}

// covered reports whether one of the outages is what stopped a task.
func covered(outages []Outage, kind, cause string) bool {
	return cause != "" && slices.ContainsFunc(outages, func(o Outage) bool { return o.covers(kind, cause) })
}

// sides are what people call the sides.
var sides = map[preflight.Side]string{preflight.Source: "The provider", preflight.Target: "The target"}

// ByOutage reports whether an outage is what stopped a task of the report.
func (r *Report) ByOutage(t Task) bool { return covered(r.Outages, t.Kind, t.Error) }

// WriteOutages says what no account could use, if there is something.
func (r *Report) WriteOutages(b *strings.Builder) {
	writeOutages(b, r.Outages, func(o Outage) (n int64) {
		for _, t := range r.Tasks {
			if o.covers(t.Kind, t.Error) {
				n++
			}
		}
		return n
	})
}

// writeOutages says what is wrong, what to do, and whom it concerns. stopped counts the tasks that met one.
func writeOutages(b *strings.Builder, outages []Outage, stopped func(Outage) int64) {
	for _, o := range outages {
		fmt.Fprintf(b, "\n%s\n  %s\n", wrap(sides[o.Side]+" cannot be used by any account, for "+strings.Join(o.Kinds, ", ")+":", 0), wrap(Clean(o.What, 1000)+" ("+o.Reason+")", 2))
		if o.Do != "" {
			fmt.Fprintf(b, "  %s\n", wrap("What to do: "+Clean(o.Do, 1000)+".", 2))
		}
		fmt.Fprintf(b, "  %s\n", wrap(o.whom(stopped(o)), 2))
	}
}

// whom says how many met it.
func (o Outage) whom(stopped int64) string {
	text := "It stopped " + Plural(stopped, "task") + "."
	if n := int64(len(o.Left)); n > 0 {
		text += " Not even begun for it: " + Plural(n, "account") + "."
	}
	return text
}

// OutageNews says on one line what is wrong at a place, and when it is looked at again; the zero time if it is given up, and a finding of
// nil if it can be used again.
func OutageNews(at outage.Place, f *preflight.Finding, again time.Time) string {
	who := sides[at.Side] + ", for " + at.Kind
	switch {
	case f == nil:
		return who + ": it can be used again, going on"
	case again.IsZero():
		return who + ", cannot be used by any account: " + Clean(f.What, 300) + "; leaving the others as they are"
	}
	return who + ", cannot be used by any account: " + Clean(f.What, 300) + "; trying again at " + again.Local().Format("15:04:05")
}

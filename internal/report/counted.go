package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sources"
)

// Counted is a provider's own count of a collection, beside what was listed of it.
type Counted struct {
	By    string `json:"by"`
	Total int64  `json:"total"`
	// Apart are those that are not listed on purpose, by what they are.
	Apart map[string]int64 `json:"apart,omitempty"`
	// Listed is what was listed and is still there.
	Listed int64 `json:"listed"`
	// Missing is how many should have been listed and were not; below zero, how many were listed and are not counted.
	Missing int64 `json:"missing"`

	apart []sources.Apart
}

// Compare puts the providers' own counts beside what was listed.
func (r *Report) Compare(counts map[checkpoint.Task]sources.Count) {
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if c, ok := counts[checkpoint.Task{Account: t.Account, Kind: t.Kind, Collection: t.Collection}]; ok {
			t.Counted = counted(c, t.Listed-t.Removed)
		}
	}
}

// counted finds what the provider's count leaves unexplained. What is left out of the listing may stand in several of its
// parts and be counted twice, so that a number between the two extremes is explained.
func counted(c sources.Count, listed int64) *Counted {
	out := &Counted{By: c.By, Total: c.Total, Listed: listed, apart: c.Apart}
	least := c.Total
	for _, a := range c.Apart {
		least -= a.Total
		if out.Apart == nil {
			out.Apart = make(map[string]int64)
		}
		out.Apart[a.What] += a.Total
	}
	switch {
	case listed < least:
		out.Missing = least - listed
	case listed > c.Total:
		out.Missing = c.Total - listed
	}
	return out
}

// LeftOut is how many items are not listed on purpose, as far as the provider counts them; 0 for nil.
func (c *Counted) LeftOut() (n int64) {
	if c != nil {
		for _, a := range c.apart {
			n += a.Total
		}
	}
	return n
}

// ApartText says in words what of the tasks is not listed on purpose; empty if nothing is known of it.
func ApartText(tasks []Task) string {
	type part struct{ kind, what string }
	var parts []part
	totals := map[part]int64{}
	for _, t := range tasks {
		if t.Counted == nil {
			continue
		}
		for _, a := range t.Counted.apart {
			p := part{t.Kind, a.What}
			if !slices.Contains(parts, p) {
				parts = append(parts, p)
			}
			totals[p] += a.Total
		}
	}
	var said []string
	last := ""
	for _, p := range parts {
		switch n := totals[p]; {
		case n == 0:
			continue
		case p.kind == last:
			said = append(said, fmt.Sprintf("%d %s", n, p.what))
		default:
			said = append(said, Plural(n, unitOf(p.kind))+" "+p.what)
		}
		last = p.kind
	}
	return strings.Join(said, ", ")
}

// units are what providers count, by kind.
var units = map[string]string{"mail": "message", "contacts": "contact"}

func unitOf(kind string) string { return cmp.Or(units[kind], "item") }

// writeCounted names the collections of which the provider counts something else than was listed.
func (r *Report) writeCounted(b *strings.Builder) {
	r.nameSome(b, func(t Task) string {
		if t.Counted == nil || t.Counted.Missing == 0 {
			return ""
		}
		return t.Counted.text(t.Kind)
	}, "What came or went during the pass makes a difference, too. If it stays at the final pass, report it.")
}

// maxNamed bounds the tasks that are named because the provider says something else of them.
const maxNamed = 20

// nameSome names the tasks of which there is something to say, and after them what is to be known of all of these.
func (r *Report) nameSome(b *strings.Builder, say func(t Task) string, note string) {
	n := 0
	for _, t := range r.Tasks {
		text := say(t)
		if text == "" {
			continue
		}
		if n++; n <= maxNamed {
			fmt.Fprintf(b, "\n%s\n", wrap(t.title()+": "+text, 0))
		}
	}
	if n > maxNamed {
		fmt.Fprintf(b, "\n… and %s of which the provider counts something else; --json has them all.\n", Plural(int64(n-maxNamed), "other collection"))
	}
	if n > 0 {
		fmt.Fprintf(b, "  %s\n", wrap(note, 2))
	}
}

func (c *Counted) text(kind string) string {
	text := fmt.Sprintf("%s counts %s; %s listed", c.By, Plural(c.Total, unitOf(kind)), wereListed(c.Listed))
	for _, a := range c.apart {
		if a.Total > 0 {
			text += fmt.Sprintf(", %d %s are left out", a.Total, a.What)
		}
	}
	if c.Missing > 0 {
		return text + fmt.Sprintf(": %d missing from the listing.", c.Missing)
	}
	return text + fmt.Sprintf(": %d of these the provider does not count.", -c.Missing)
}

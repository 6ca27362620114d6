package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/engine"
)

// Change is what a pass did to one item of an account.
type Change struct {
	Account string `json:"account"`
	Kind    string `json:"kind"`
	engine.Change
}

// Final is what the last pass before a cut-over ended with.
type Final struct {
	// Closed is when the ledger was closed; nil if it was not.
	Closed *time.Time `json:"closed"`
	// Why says why it was not closed, in words.
	Why string `json:"why,omitempty"`
	// Counts has the number of items by what was done to them since the pass before, and Changes names them; of very many, the first ones.
	Counts  map[string]int64 `json:"counts"`
	Changes []Change         `json:"changes"`
	// Again is how many of those that failed had failed before for the same reason.
	Again int64 `json:"failed_again"`
}

// mostShown is how many changes are shown to a person; --json has more.
const mostShown = 50

func (r *Report) writeFinal(b *strings.Builder) {
	f := r.Final
	if f == nil {
		if r.Closed != nil {
			fmt.Fprintf(b, "The ledger was closed by a final run on %s.\n", r.Closed.Local().Format("2 January 2006 at 15:04"))
		}
		return
	}
	fmt.Fprintf(b, "\n%s\n", wrap("Since the pass before: "+f.summary()+".", 0))
	shown := slices.Clone(f.Changes)
	slices.SortStableFunc(shown, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.What, y.What))
	})
	var total int64
	for _, n := range f.Counts {
		total += n
	}
	shown = shown[:min(len(shown), mostShown)]
	for _, c := range shown {
		fmt.Fprintf(b, "  %s\n", wrap(r.called(c.Account)+", "+c.Kind+", "+c.said()+": "+Clean(cmp.Or(c.Title, c.Location), 80), 4))
	}
	if rest := total - int64(len(shown)); rest > 0 && len(shown) > 0 {
		fmt.Fprintf(b, "  … and %d more; --json names up to a thousand.\n", rest)
	}
	if f.Closed != nil {
		fmt.Fprintf(b, "\n%s\n", wrap(closedWith(r.Totals.Failed)+": a later run is refused unless --reopen is given. Now is the time to check: repatriate verify "+cmp.Or(r.Path, "JOB.yaml"), 0))
		return
	}
	fmt.Fprintf(b, "\n%s\n", wrap("The ledger is NOT closed: "+f.Why, 0))
}

// closedWith says that the ledger is closed, and with what.
func closedWith(failed int64) string {
	if failed > 0 {
		return "The ledger is closed, although " + Plural(failed, "item") + " failed"
	}
	return "The ledger is closed"
}

func (f *Final) summary() string {
	var parts []string
	counts := maps.Clone(f.Counts)
	if f.Again > 0 {
		counts[engine.Broken] -= f.Again
	}
	for _, what := range []string{engine.Added, engine.Updated, engine.Removed, engine.Kept, engine.Broken} {
		if n := counts[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing changed"}
	}
	switch {
	case f.Again == 1:
		return strings.Join(parts, ", ") + "; 1 item still fails"
	case f.Again > 1:
		return strings.Join(parts, ", ") + "; " + Plural(f.Again, "item") + " still fail"
	}
	return strings.Join(parts, ", ")
}

// said says in words what was done to an item.
func (c Change) said() string {
	if c.Again {
		return "still fails"
	}
	return c.What
}

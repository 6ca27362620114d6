package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/fault"
)

// reasonTexts returns what docs/reasons.md says of each reason.
var reasonTexts = sync.OnceValue(func() map[string]docs.Reason {
	out := make(map[string]docs.Reason)
	for _, r := range docs.ListReasons() {
		out[r.Name] = r
	}
	return out
})

// Meaning says in words what a reason means; empty if nobody wrote it down.
func Meaning(reason string) string { return reasonTexts()[reason].Meaning }

// Advice says what to do about a reason; empty if nobody wrote it down.
func Advice(reason string) string { return reasonTexts()[reason].Action }

// isLoss tells a loss of an item that was moved from the reason why one was not.
func isLoss(reason string) bool {
	kind, _, _ := strings.Cut(reason, ".")
	return slices.Contains([]string{"file", "mail", "event", "contact", "task"}, kind)
}

// WithoutReason returns what was said of an item without the name of the reason that stands beside it.
func WithoutReason(detail, reason string) string {
	return strings.Replace(strings.Replace(detail, " ("+reason+")", "", 1), ".: ", ": ", 1)
}

// reasonCount is how many items have a reason.
type reasonCount struct {
	reason string
	n      int64
}

// reasons returns those of all tasks: what failed first, then by number.
func (r *Report) reasons(losses bool) []reasonCount {
	total := make(map[string]int64)
	for _, t := range r.Tasks {
		for reason, n := range t.Reasons {
			if isLoss(reason) == losses {
				total[reason] += n
			}
		}
	}
	var out []reasonCount
	for reason, n := range total {
		out = append(out, reasonCount{reason, n})
	}
	rank := func(c reasonCount) int {
		if r.hasFailed(c) {
			return 1 // next to what is to be done about it
		}
		return 0
	}
	slices.SortFunc(out, func(x, y reasonCount) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(y.n, x.n), cmp.Compare(x.reason, y.reason))
	})
	return out
}

// hasFailed reports whether items failed for the reason.
func (r *Report) hasFailed(c reasonCount) bool {
	return slices.ContainsFunc(r.Examples, func(e Example) bool { return e.Failed && e.Reason == c.reason })
}

// quiet reports whether the pass brought nothing, so that what was lost and skipped is what it was, and needs no telling night after night.
func (r *Report) quiet() bool {
	return r.Pass != nil && r.Pass.Written == 0 && !r.Simulated && r.Path != ""
}

func (r *Report) writeReasons(b *strings.Builder) {
	for _, group := range []struct {
		title  string
		losses bool
	}{
		{"Copied, but not as it was:", true},
		{r.leftTitle(), false},
	} {
		reasons := r.reasons(group.losses)
		if len(reasons) == 0 {
			continue
		}
		if r.quiet() {
			group.title = "Failed:"
			reasons = slices.DeleteFunc(reasons, func(c reasonCount) bool { return !r.hasFailed(c) })
		}
		if len(reasons) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%s\n", group.title)
		for _, c := range reasons {
			r.writeReason(b, c)
		}
	}
	if r.quiet() && r.Totals.CopiedWithLosses+r.Totals.Skipped > 0 {
		fmt.Fprintln(b)
		say(b, "Nothing new; what was copied with losses, and skipped, before: repatriate status %s", r.Path)
	}
}

// leftTitle names what did not come over.
func (r *Report) leftTitle() string {
	switch {
	case r.Totals.Failed == 0:
		return "Skipped:"
	case r.Totals.Skipped == 0:
		return "Failed:"
	}
	return "Skipped or failed:"
}

// Indents of the list of reasons.
const (
	reasonIndent  = 9
	exampleIndent = 11
)

func (r *Report) writeReason(b *strings.Builder, c reasonCount) {
	text := c.reason
	if m := Meaning(c.reason); m != "" {
		text += ": " + m
	}
	fmt.Fprintf(b, "%7d  %s\n", c.n, wrap(text, reasonIndent))
	var shown []Example
	for _, e := range r.Examples {
		if e.Reason == c.reason {
			shown = append(shown, e)
		}
	}
	before := ""
	for _, e := range shown {
		e.write(b, r.called(e.Account), before)
		before = e.Detail
	}
	if more := c.n - int64(len(shown)); more > 0 && len(shown) > 0 {
		fmt.Fprintf(b, "%*s… and %d more\n", exampleIndent, "", more)
	}
}

// write writes the example of an account that people call so, without its detail where that is the same as that of the example before.
func (e Example) write(b *strings.Builder, account, before string) {
	text := account + ": " + Clean(e.Title, 80)
	if e.Failed {
		text = "failed: " + text
	}
	detail := WithoutReason(e.Detail, e.Reason)
	if detail != "" && detail != e.Title && e.Detail != before {
		text += " – " + Clean(detail, 500)
	}
	fmt.Fprintf(b, "%*s%s\n", exampleIndent, "", wrap(text, exampleIndent+2))
	if e.Link != "" && !isLoss(e.Reason) {
		fmt.Fprintf(b, "%*s%s\n", exampleIndent+2, "", Clean(e.Link, 200))
	}
}

// Passing returns how many of the items that failed the next run takes up by itself.
func (r *Report) Passing() (n int64) {
	for _, t := range r.Tasks {
		n += t.passing()
	}
	return n
}

func (t Task) passing() (n int64) {
	for reason, count := range t.Reasons {
		if fault.Reason(reason).Passes() {
			n += count
		}
	}
	return min(n, t.Failed)
}

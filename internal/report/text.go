package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteText writes the report for a person at a terminal. Names are shown without what could steer the terminal.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	r.writeTasks(&b)
	r.writeReasons(&b)
	r.writeErrors(&b)
	r.writePass(&b)
	r.writeVerdict(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) writeTasks(b *strings.Builder) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "account\tkind\tcollection\tlisted\tcopied\twith losses\tskipped\tfailed\tremoved\tpending\tsize\t")
	for _, t := range r.Tasks {
		name := cmp.Or(t.Name, t.Collection)
		writeCounts(tw, Clean(t.Account, 32), t.Kind, Clean(name, 28), t.Counts)
	}
	if len(r.Tasks) != 1 {
		writeCounts(tw, "total", "", "", r.Totals)
	}
	_ = tw.Flush()
}

func writeCounts(w io.Writer, account, kind, name string, c Counts) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t\n", account, kind, name,
		c.Listed, c.Copied, c.CopiedWithLosses, c.Skipped, c.Failed, c.Removed, c.Pending, Size(c.Bytes))
}

func (r *Report) writeReasons(b *strings.Builder) {
	total := make(map[string]int64)
	for _, t := range r.Tasks {
		for reason, n := range t.Reasons {
			total[reason] += n
		}
	}
	if len(total) == 0 {
		return
	}
	fmt.Fprintln(b, "\nWhat did not come along, or not whole (docs/reasons.md explains each reason):")
	for _, reason := range slices.SortedFunc(maps.Keys(total), func(x, y string) int {
		return cmp.Or(cmp.Compare(total[y], total[x]), cmp.Compare(x, y))
	}) {
		fmt.Fprintf(b, "%7d  %s\n", total[reason], reason)
		for _, e := range r.Examples {
			if e.Reason == reason {
				fmt.Fprintf(b, "         %s: %s", Clean(e.Account, 40), Clean(e.Title, 60))
				if e.Detail != "" {
					fmt.Fprintf(b, " – %s", Clean(e.Detail, 160))
				}
				fmt.Fprintln(b)
			}
		}
	}
}

func (r *Report) writeErrors(b *strings.Builder) {
	for _, t := range r.Tasks {
		if !t.Balanced {
			fmt.Fprintf(b, "\n%s %s: the ledger does not balance: %d listed, but the states do not add up to it\n", Clean(t.Account, 60), t.Kind, t.Listed)
		}
		if t.Error == "" {
			continue
		}
		fmt.Fprintf(b, "\n%s %s %s stopped: %s\n", Clean(t.Account, 60), t.Kind, Clean(t.Name, 40), Clean(t.Error, 600))
		if t.Until != nil && t.Until.After(time.Now()) {
			fmt.Fprintf(b, "  It is parked until %s; a run after that goes on.\n", t.Until.Local().Format("2006-01-02 15:04"))
		}
	}
}

func (r *Report) writePass(b *strings.Builder) {
	if r.Pass == nil {
		return
	}
	p := r.Pass
	verb := "This pass wrote"
	if r.Simulated {
		verb = "A run would write"
	}
	fmt.Fprintf(b, "\n%s %d items (%s) and removed %d, with %d requests to the provider and %d to the target, in %s",
		verb, p.Written, Size(p.Bytes), p.Removed, p.SourceRequests, p.TargetRequests, round(p.Seconds))
	if p.ThrottledSeconds >= 0.1 {
		fmt.Fprintf(b, ", %s of it throttled", round(p.ThrottledSeconds))
	}
	fmt.Fprintln(b, ".")
}

func round(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(100 * time.Millisecond)
}

func (r *Report) writeVerdict(b *strings.Builder) {
	fmt.Fprintln(b)
	if r.Balanced {
		fmt.Fprintf(b, "The ledger balances: each of the %d listed items is accounted for.\n", r.Totals.Listed)
	} else {
		fmt.Fprintln(b, "The ledger does NOT balance. Please keep the state file and report this.")
	}
	switch r.State {
	case Incomplete:
		if r.Totals.Failed > 0 {
			fmt.Fprintf(b, "%d items failed. Mend the cause above, then: repatriate retry JOB.yaml\n", r.Totals.Failed)
		}
		if r.Totals.Pending > 0 {
			fmt.Fprintf(b, "%d items are still to come: repatriate run JOB.yaml\n", r.Totals.Pending)
		}
	case Stopped:
		fmt.Fprintln(b, "Some tasks stopped before their end. Mend the cause above, then: repatriate run JOB.yaml")
	case Interrupted:
		fmt.Fprintln(b, "The run was interrupted; nothing is lost. To go on: repatriate run JOB.yaml")
	}
}

// Size writes a number of bytes for people.
func Size(n int64) string {
	const unit = 1000
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/unit, 0
	for v >= unit && i < 4 {
		v /= unit
		i++
	}
	return fmt.Sprintf("%.1f %cB", v, "kMGTP"[i])
}

// Clean returns s on one line, at most n runes long, without what could steer a terminal or turn the direction of text.
func Clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case unicode.Is(unicode.Cf, r) || !unicode.IsPrint(r):
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if runes := []rune(s); len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return s
}

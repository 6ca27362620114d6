package estimate

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteText writes the estimate for people: how long, what binds, and the budgets that are drawn on.
func (e Estimate) WriteText(w io.Writer) error {
	if e.Binding == "" {
		_, err := fmt.Fprintln(w, "There is nothing to move.")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Likely time:\t%s\t(%s if all goes well, %s if much does not)\n", Duration(e.Likely), Duration(e.Optimistic), Duration(e.Pessimistic))
	fmt.Fprintf(t, "What binds:\t%s\t(%d at once, %d requests to the provider)\n", e.Binding, e.options.Accounts, e.Requests)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(t, "\nBudget\tUnits\tA minute\tA day\tTakes alone")
	for _, u := range e.Scopes {
		who := ""
		if !u.Shared {
			who = " for the largest account"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s%s\n", u.Scope, count(u.Units), count(u.PerMinute), count(u.PerDay), Duration(u.Time), who)
	}
	return t.Flush()
}

// count writes a number of units in no more than five characters or so.
func count(n float64) string {
	switch {
	case n <= 0:
		return "-"
	case n < 1e4:
		return fmt.Sprintf("%.0f", n)
	case n < 1e6:
		return fmt.Sprintf("%.0fk", n/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1fM", n/1e6)
	}
	return fmt.Sprintf("%.1fG", n/1e9)
}

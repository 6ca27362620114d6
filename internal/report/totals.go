package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Total is the sum of several tasks.
type Total struct {
	// Account or Kind is what they have in common; the other one is empty.
	Account string `json:"account,omitempty"`
	Kind    string `json:"kind,omitempty"`
	Tasks   int    `json:"tasks"`
	Counts
	Balanced bool `json:"balanced"`
}

func (t *Total) add(task Task) {
	t.Tasks++
	t.Counts.Add(task.Counts)
	t.Balanced = t.Balanced && task.Balanced
}

// total sums up in the reports's totals by kind and by account. Tasks come account by account.
func (r *Report) total(t Task) {
	if n := len(r.Accounts); n == 0 || r.Accounts[n-1].Account != t.Account {
		r.Accounts = append(r.Accounts, Total{Account: t.Account, Balanced: true})
	}
	r.Accounts[len(r.Accounts)-1].add(t)
	i, found := slices.BinarySearchFunc(r.Kinds, t.Kind, func(k Total, kind string) int { return cmp.Compare(k.Kind, kind) })
	if !found {
		r.Kinds = slices.Insert(r.Kinds, i, Total{Kind: t.Kind, Balanced: true})
	}
	r.Kinds[i].add(t)
}

// accounted is the number of items that have a state.
func (c Counts) accounted() int64 {
	return c.Copied + c.CopiedWithLosses + c.Skipped + c.Failed + c.Removed + c.Pending
}

// maxUnbalanced bounds the tasks that are named because they do not add up.
const maxUnbalanced = 20

// writeUnbalanced names each task that does not add up.
func (r *Report) writeUnbalanced(b *strings.Builder) {
	n := 0
	for _, t := range r.Tasks {
		if t.Balanced {
			continue
		}
		if n++; n > maxUnbalanced {
			continue
		}
		text := fmt.Sprintf("%s: the ledger does NOT balance: %s listed, and the states add up to %d: %s.",
			t.title(), wereListed(t.Listed), t.accounted(), difference(t.Listed-t.accounted()))
		fmt.Fprintf(b, "\n%s\n", wrap(text, 0))
	}
	if n > maxUnbalanced {
		fmt.Fprintf(b, "\n… and %s; --json has them all.\n", Plural(int64(n-maxUnbalanced), "other collection"))
	}
}

func wereListed(n int64) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}

// difference says in words how many of the listed items have no state.
func difference(n int64) string {
	switch {
	case n == 1:
		return "1 item is not accounted for"
	case n >= 0:
		return fmt.Sprintf("%d items are not accounted for", n)
	case n == -1:
		return "1 item was never counted as listed"
	}
	return fmt.Sprintf("%d items were never counted as listed", -n)
}

// unbalanced is the number of tasks that do not add up.
func (r *Report) unbalanced() (n int64) {
	for _, t := range r.Tasks {
		if !t.Balanced {
			n++
		}
	}
	return n
}

func (r *Report) writeBalance(b *strings.Builder, job string) {
	if r.Balanced {
		open := ""
		if r.Totals.Pending > 0 && !r.Simulated {
			open = fmt.Sprintf(", %d of them still to come", r.Totals.Pending)
		}
		say(b, "The ledger balances: %s listed, each accounted for%s.", Plural(r.Totals.Listed, "item"), open)
		return
	}
	fmt.Fprintf(b, "The ledger does NOT balance: %s, named above.\n", Plural(r.unbalanced(), "collection"))
	if r.Simulated {
		return
	}
	fmt.Fprintf(b, "%s\n  repatriate state check %s\n  repatriate state export %s\n",
		wrap("Run nothing until it is explained. Keep the state file, and report it with what these two print:", 0), job, job)
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// lineWidth is how wide a report for people is: nothing that can be broken is longer.
const lineWidth = 100

// manyTasks is the number of tasks up to which each has its own line. Of more, those are shown that need attention.
const manyTasks = 60

// row is one line of the table of tasks.
type row struct {
	kind, name string
	counts     Counts
}

// writeTasks writes a heading for each account with a line for each of its tasks, and the totals by kind.
func (r *Report) writeTasks(b *strings.Builder) {
	columns := r.columns()
	writeHeader(b, columns)
	shown := r.Tasks
	if len(shown) > manyTasks {
		shown = slices.DeleteFunc(slices.Clone(shown), Task.fine)
		fmt.Fprintf(b, "%s\n", Plural(int64(len(r.Tasks)-len(shown)), "task")+" with nothing to look at; the others are these:")
	}
	account := ""
	for i, t := range shown {
		if t.Account != account || i == 0 {
			account = t.Account
			fmt.Fprintln(b, Clean(account, lineWidth))
		}
		writeRow(b, columns, row{t.Kind, cmp.Or(t.Name, t.Collection), t.Counts})
	}
	if len(r.Tasks) != 1 {
		fmt.Fprintln(b, "total")
		for _, total := range r.kinds() {
			writeRow(b, columns, total)
		}
	}
}

// fine reports whether nobody needs to look at the task.
func (t Task) fine() bool {
	return t.Balanced && t.Error == "" && t.Failed == 0 && t.Pending == 0 && t.Complete
}

// kinds returns the totals of each kind, and of all where there are several.
func (r *Report) kinds() []row {
	var rows []row
	for _, t := range r.Tasks {
		i := slices.IndexFunc(rows, func(w row) bool { return w.kind == t.Kind })
		if i < 0 {
			i, rows = len(rows), append(rows, row{kind: t.Kind})
		}
		rows[i].counts.add(t.Counts)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.kind, b.kind) })
	if len(rows) != 1 {
		rows = append(rows, row{kind: "all", counts: r.Totals})
	}
	return rows
}

// column is one of the numbers of a task.
type column struct {
	title string
	value func(Counts) string
}

// columns returns those of the numbers that say something here.
func (r *Report) columns() []column {
	number := func(f func(Counts) int64) func(Counts) string {
		return func(c Counts) string { return fmt.Sprint(f(c)) }
	}
	out := []column{
		{"listed", number(func(c Counts) int64 { return c.Listed })},
		{"copied", number(func(c Counts) int64 { return c.Copied })},
		{"with losses", number(func(c Counts) int64 { return c.CopiedWithLosses })},
		{"skipped", number(func(c Counts) int64 { return c.Skipped })},
		{"failed", number(func(c Counts) int64 { return c.Failed })},
	}
	if r.Totals.Removed > 0 {
		out = append(out, column{"removed", number(func(c Counts) int64 { return c.Removed })})
	}
	if r.Totals.Pending > 0 {
		out = append(out, column{"pending", number(func(c Counts) int64 { return c.Pending })})
	}
	if !r.Simulated {
		out = append(out, column{"size", func(c Counts) string { return Size(c.Bytes) }})
	}
	return out
}

// nameWidth is what the numbers leave for kind and name.
func nameWidth(columns []column) int {
	width := lineWidth
	for _, c := range columns {
		width -= columnWidth(c) + 1
	}
	return width
}

func columnWidth(c column) int { return max(len(c.title), 8) }

func writeHeader(b *strings.Builder, columns []column) {
	fmt.Fprintf(b, "%-*s", nameWidth(columns), "account")
	for _, c := range columns {
		fmt.Fprintf(b, " %*s", columnWidth(c), c.title)
	}
	b.WriteByte('\n')
}

func writeRow(b *strings.Builder, columns []column, r row) {
	width := nameWidth(columns)
	name := Clean(strings.TrimSpace(fmt.Sprintf("%-8s  %s", r.kind, r.name)), width-2)
	fmt.Fprintf(b, "  %s%s", name, strings.Repeat(" ", width-2-utf8.RuneCountInString(name)))
	for _, c := range columns {
		fmt.Fprintf(b, " %*s", columnWidth(c), c.value(r.counts))
	}
	b.WriteByte('\n')
}

package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// widest is how wide a report for people is where there is room: nothing that can be broken is longer. narrowest is what the
// tables need.
const widest, narrowest = 100, 72

// lineWidth is how wide the reports of this process are, and terminal how many columns there are for a line that is not broken; 0 where
// it is written to no terminal.
var (
	lineWidth = widest
	terminal  int
)

// FitTo sets how many columns the terminal has that the reports are written to; 0: there is none. It is called before anything is
// written, if at all; reports are as wide on a pipe and in a file as on a wide terminal.
func FitTo(columns int) {
	lineWidth, terminal = widest, 0
	if columns > 0 {
		terminal = max(columns, narrowest)
		lineWidth = min(terminal, widest)
	}
}

// manyTasks is the number of tasks up to which each has its own line. Of more, those are shown that need attention.
const manyTasks = 60

// row is one line of the table of tasks.
type row struct {
	kind, name string
	counts     Counts
	stopped    bool
}

// writeTasks writes a heading for each account with a line for each of its tasks, and the totals by kind.
func (r *Report) writeTasks(b *strings.Builder) {
	columns := r.columns()
	writeHeader(b, titles(columns))
	shown := r.Tasks
	if len(shown) > manyTasks {
		shown = writeFew(b, shown, r.inFull())
	}
	sums := make(map[string]Total, len(r.Accounts))
	for _, a := range r.Accounts {
		sums[a.Account] = a
	}
	account := ""
	for i, t := range shown {
		if t.Account != account || i == 0 {
			account = t.Account
			fmt.Fprintln(b, Called(account, t.Name))
		}
		writeRow(b, columns, row{t.Kind, cmp.Or(t.Name, t.Collection), t.Counts, t.Error != ""})
		if i == len(shown)-1 || shown[i+1].Account != account {
			r.writeAccount(b, columns, sums[account])
		}
	}
	if len(r.Tasks) != 1 {
		fmt.Fprintln(b, "total")
		for _, total := range r.totals() {
			writeRow(b, columns, total)
		}
	}
}

// inFull names what has all collections, where the table has not.
func (r *Report) inFull() string {
	if r.Simulated {
		return "--json" // a dry run leaves no ledger to report of
	}
	return "'repatriate report " + cmp.Or(r.Path, "JOB.yaml") + "'"
}

// writeFew returns those of very many tasks that have numbers which somebody should look at, and says how many it leaves out, and where
// those are.
func writeFew(b *strings.Builder, tasks []Task, where string) []Task {
	looked := slices.DeleteFunc(slices.Clone(tasks), Task.fine)
	begun := slices.DeleteFunc(slices.Clone(looked), func(t Task) bool { return t.Listed == 0 && t.Error != "" })
	if n := len(tasks) - len(looked); n > 0 {
		verb := "are"
		if n == 1 {
			verb = "is"
		}
		say(b, "%s without failures %s not shown; %s has %s.", Plural(int64(n), "collection"), verb, where, them(int64(n)))
	}
	if n := len(looked) - len(begun); n > 0 {
		fmt.Fprintf(b, "%s stopped before anything was listed: see below\n", Plural(int64(n), "collection"))
	}
	if len(begun) > 0 {
		b.WriteString("The others are these:\n")
	}
	return begun
}

// writeAccount writes the sum of an account that has several tasks, also of those that are not shown.
func (r *Report) writeAccount(b *strings.Builder, columns []column, sum Total) {
	if sum.Tasks > 1 && len(r.Accounts) > 1 {
		writeRow(b, columns, row{kind: "all", name: Plural(int64(sum.Tasks), "collection"), counts: sum.Counts})
	}
}

// fine reports whether nobody needs to look at the task.
func (t Task) fine() bool {
	return t.Balanced && t.Error == "" && t.Failed == 0 && t.Pending == 0 && t.Complete
}

// totals returns those of each kind, and of all where there are several.
func (r *Report) totals() []row {
	var rows []row
	for _, k := range r.Kinds {
		rows = append(rows, row{kind: k.Kind, counts: k.Counts})
	}
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
		{"losses", number(func(c Counts) int64 { return c.CopiedWithLosses })},
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
		out = append(out, column{"size", sizeOf})
	}
	return out
}

// sizeOf tells a size where there is one: events, contacts and tasks have no bodies.
func sizeOf(c Counts) string {
	if c.Bytes == 0 {
		return "–"
	}
	return Size(c.Bytes)
}

// titles are the headings of columns.
func titles(columns []column) (out []string) {
	for _, c := range columns {
		out = append(out, c.title)
	}
	return out
}

// writeRow writes a row. Where one stopped before anything was listed, it says so instead of what looks like an empty collection.
func writeRow(b *strings.Builder, columns []column, r row) {
	var values []string
	for _, c := range columns {
		values = append(values, c.value(r.counts))
	}
	if r.stopped && r.counts.Listed == 0 {
		last := len(columns) - 1
		if columns[last].title != "size" {
			last = 0
		}
		values[last] = "stopped"
	}
	writeLine(b, titles(columns), r.kind, r.name, values)
}

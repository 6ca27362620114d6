package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// table is one of numbers by task, with a heading for each account and a line for all.
type table struct {
	titles []string
	rows   []numbers
}

type numbers struct {
	account, kind, name string
	values              []int64
}

func (t *table) add(account, kind, name string, values ...int64) {
	t.rows = append(t.rows, numbers{account, kind, name, values})
}

func (t *table) write(b *strings.Builder) {
	width := lineWidth
	for _, title := range t.titles {
		width -= max(len(title), 8) + 1
	}
	fmt.Fprintf(b, "%-*s", width, "account")
	for _, title := range t.titles {
		fmt.Fprintf(b, " %*s", max(len(title), 8), title)
	}
	b.WriteByte('\n')
	total := numbers{values: make([]int64, len(t.titles))}
	account := ""
	for i, r := range t.rows {
		if r.account != account || i == 0 {
			account = r.account
			fmt.Fprintln(b, Clean(account, lineWidth))
		}
		t.row(b, width, r)
		for i, v := range r.values {
			total.values[i] += v
		}
	}
	if len(t.rows) != 1 {
		fmt.Fprintln(b, "total")
		total.kind = "all"
		t.row(b, width, total)
	}
}

func (t *table) row(b *strings.Builder, width int, r numbers) {
	name := Clean(strings.TrimSpace(fmt.Sprintf("%-8s  %s", r.kind, r.name)), width-2)
	fmt.Fprintf(b, "  %s%s", name, strings.Repeat(" ", width-2-utf8.RuneCountInString(name)))
	for i, v := range r.values {
		fmt.Fprintf(b, " %*d", max(len(t.titles[i]), 8), v)
	}
	b.WriteByte('\n')
}

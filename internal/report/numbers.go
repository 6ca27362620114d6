package report

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
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
	writeHeader(b, t.titles)
	total := numbers{kind: "all", values: make([]int64, len(t.titles))}
	account := ""
	for i, r := range t.rows {
		if r.account != account || i == 0 {
			account = r.account
			fmt.Fprintln(b, Called(account, r.name))
		}
		t.row(b, r)
		for i, v := range r.values {
			total.values[i] += v
		}
	}
	if len(t.rows) != 1 {
		fmt.Fprintln(b, "total")
		t.row(b, total)
	}
}

func (t *table) row(b *strings.Builder, r numbers) {
	var values []string
	for _, v := range r.values {
		values = append(values, fmt.Sprint(v))
	}
	writeLine(b, t.titles, r.kind, r.name, values)
}

// roomyName is how many columns kind and name have before numbers stand further apart.
const roomyName = 28

// gap is how many blanks stand between the numbers: headings that stand too close read as one phrase.
func gap(titles []string) int {
	if lineWidth-numbersWidth(titles, 2) >= roomyName {
		return 2
	}
	return 1
}

// nameWidth is what the numbers below their titles leave for kind and name.
func nameWidth(titles []string) int { return lineWidth - numbersWidth(titles, gap(titles)) }

// numbersWidth is what columns take that are so many blanks apart.
func numbersWidth(titles []string, gap int) (width int) {
	for _, title := range titles {
		width += columnWidth(title) + gap
	}
	return width
}

// columnWidth leaves room for counts; on a narrow terminal for those of less than a million, so that names keep theirs.
func columnWidth(title string) int {
	least := 7
	switch {
	case title == "size":
		least = 8 // "999.9 MB"
	case lineWidth < widest:
		least = 6
	}
	return max(len(title), least)
}

func writeHeader(b *strings.Builder, titles []string) {
	fmt.Fprintf(b, "%-*s", nameWidth(titles), "account")
	for _, title := range titles {
		fmt.Fprintf(b, "%*s", gap(titles)+columnWidth(title), title)
	}
	b.WriteByte('\n')
}

// writeLine writes kind and name, and a value below each title.
func writeLine(b *strings.Builder, titles []string, kind, name string, values []string) {
	width := nameWidth(titles)
	text := Fit(strings.TrimSpace(fmt.Sprintf("%-8s  %s", kind, name)), width-2)
	fmt.Fprintf(b, "  %s%s", text, strings.Repeat(" ", width-2-uniseg.StringWidth(text)))
	for i, v := range values {
		fmt.Fprintf(b, "%*s", gap(titles)+columnWidth(titles[i]), v)
	}
	b.WriteByte('\n')
}

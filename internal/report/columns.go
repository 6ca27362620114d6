package report

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// WriteColumns writes lines of fields below one another, two blanks apart: the first texts columns to the left, numbers
// after them to the right. The first line is the heading. All have the same number of fields, which are fit to be shown.
func WriteColumns(w io.Writer, texts int, lines [][]string) error {
	widths := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, field := range l {
			widths[i] = max(widths[i], uniseg.StringWidth(field))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		var line strings.Builder
		for i, field := range l {
			if i > 0 {
				line.WriteString("  ")
			}
			blanks := strings.Repeat(" ", widths[i]-uniseg.StringWidth(field))
			if i < texts {
				line.WriteString(field + blanks)
			} else {
				line.WriteString(blanks + field)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

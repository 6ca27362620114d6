package htmlreport

import (
	"fmt"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// segment is one part of a bar: x and width are percentages.
type segment struct {
	Class, Title string
	X, Width     float64
}

// bar is one horizontal bar of a chart.
type bar struct {
	Label    string
	Total    int64
	Segments []segment
}

// part is a number in a bar.
type part struct {
	class, name string
	n           int64
}

// leastWidth is how wide a part is at least, in per cent, so that a few failures among a million items are seen.
const leastWidth = 0.8

// parts returns the numbers of each outcome in the order in which bars show them.
func parts(c report.Counts) []part {
	return []part{
		{"copied", "copied", c.Copied},
		{"lossy", "copied with losses", c.CopiedWithLosses},
		{"skipped", "skipped", c.Skipped},
		{"removed", "removed at the source", c.Removed},
		{"pending", "still to come", c.Pending},
		{"failed", "failed", c.Failed},
	}
}

// newBar divides a bar among its parts.
func newBar(label string, all []part) bar {
	b := bar{Label: label}
	all = slices.DeleteFunc(slices.Clone(all), func(p part) bool { return p.n <= 0 })
	for _, p := range all {
		b.Total += p.n
	}
	var width float64
	for _, p := range all {
		s := segment{Class: p.class, Title: fmt.Sprintf("%s: %s", p.name, grouped(p.n, ",")), Width: max(leastWidth, 100*float64(p.n)/float64(b.Total))}
		b.Segments = append(b.Segments, s)
		width += s.Width
	}
	var x float64
	for i := range b.Segments {
		s := &b.Segments[i]
		s.Width *= 100 / width
		s.X = x
		x += s.Width
	}
	return b
}

// grouped writes a number with a separator between thousands.
func grouped(n int64, separator string) string {
	digits := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return sign + digits
}

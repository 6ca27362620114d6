// Package sheet makes text safe for spreadsheets, which calculate what looks like a formula in a file that somebody sent.
package sheet

import (
	"regexp"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// ByteOrderMark makes spreadsheets read a file as UTF-8.
const ByteOrderMark = "\ufeff"

// longest is how long a cell may be, in runes.
const longest = 2000

// formula finds what a spreadsheet would calculate: at the beginning of a cell, or after a semicolon, where spreadsheets of
// many countries begin another cell. Blanks do not help, nor do the full-width forms.
var formula = regexp.MustCompile(`(^|;)([\s\x{fffd}]*)([=+\-@＝＋－＠])`)

// guarded finds where Cell put an apostrophe.
var guarded = regexp.MustCompile(`(^|;)'([\s\x{fffd}]*)([=+\-@＝＋－＠])`)

// Cell returns text that a spreadsheet shows and does not calculate: an apostrophe stands before what could begin a formula.
func Cell(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	clean := report.Clean(s, longest)
	if first == '\t' || first == '\r' {
		clean = "'" + clean
	}
	return formula.ReplaceAllString(clean, "${1}'${2}${3}")
}

// Cells returns the fields as Cell makes them, in place.
func Cells(fields ...string) []string {
	for i, f := range fields {
		fields[i] = Cell(f)
	}
	return fields
}

// Plain returns what Cell was given, for text on one line.
func Plain(cell string) string { return guarded.ReplaceAllString(cell, "${1}${2}${3}") }

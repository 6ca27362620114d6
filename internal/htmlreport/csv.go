package htmlreport

import (
	"encoding/csv"
	"io"
	"regexp"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// columns are those of the CSV file. Later ones may be added at the end.
var columns = []string{
	"account", "target", "account_grade", "kind", "collection", "title", "outcome", "reason", "grade", "meaning", "what_to_do", "detail",
	"place", "link", "id",
}

// csvWriter writes a line for each Item.
type csvWriter struct {
	w       *csv.Writer
	account Account
}

// ByteOrderMark makes spreadsheets read a file as UTF-8.
const ByteOrderMark = "\ufeff"

// NewCSV returns a Writer of CSV (RFC 4180) with a heading: one line for each Item.
func NewCSV(w io.Writer) (Writer, error) {
	if _, err := io.WriteString(w, ByteOrderMark); err != nil {
		return nil, err
	}
	c := &csvWriter{w: csv.NewWriter(w)}
	return c, c.w.Write(columns)
}

func (c *csvWriter) Begin(a Account) error {
	c.account = a
	return nil
}

func (c *csvWriter) Item(i Item) error {
	return c.w.Write(Cells(
		c.account.Source, c.account.Target, c.account.Grade.String(), i.Kind, i.Collection, i.Shown(), i.State, i.Reason, i.Grade.String(),
		report.Meaning(i.Reason), report.Advice(i.Reason), i.Detail, i.Place, i.Link, i.ID,
	))
}

func (c *csvWriter) End() error {
	c.w.Flush()
	return c.w.Error()
}

// longest is how long a cell may be, in runes.
const longest = 2000

// Cells returns the fields of a line as a spreadsheet may be given them: nothing in them is calculated.
func Cells(fields ...string) []string {
	for i, f := range fields {
		fields[i] = cell(f)
	}
	return fields
}

// formula finds what a spreadsheet would calculate: at the beginning of a cell, or after a semicolon, where spreadsheets of
// many countries begin another cell. Blanks do not help, nor do the full-width forms.
var formula = regexp.MustCompile(`(^|;)([\s\x{fffd}]*)([=+\-@＝＋－＠])`)

// cell returns text that a spreadsheet shows and does not calculate: an apostrophe stands before what could begin a formula.
func cell(s string) string {
	first, _ := utf8.DecodeRuneInString(s)
	clean := report.Clean(s, longest)
	if first == '\t' || first == '\r' {
		clean = "'" + clean
	}
	return formula.ReplaceAllString(clean, "${1}'${2}${3}")
}

package htmlreport

import (
	"encoding/csv"
	"io"

	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/sheet"
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

// NewCSV returns a Writer of CSV (RFC 4180) with a heading: one line for each Item.
func NewCSV(w io.Writer) (Writer, error) {
	if _, err := io.WriteString(w, sheet.ByteOrderMark); err != nil {
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
	return c.w.Write(sheet.Cells(
		c.account.Source, c.account.Target, c.account.Grade.String(), i.Kind, i.Collection, i.Shown(), i.State, i.Reason, i.Grade.String(),
		report.Meaning(i.Reason), report.Advice(i.Reason), i.Detail, i.Place, i.Link, i.ID,
	))
}

func (c *csvWriter) End() error {
	c.w.Flush()
	return c.w.Error()
}

package plan

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/sheet"
)

// columnsOfCSV are those of the CSV file; target is what the account is called there for the kind of the line. Later ones may be added at the end.
var columnsOfCSV = []string{
	"account", "target", "looked_at", "account_grade", "kind", "grade", "why", "collections", "items", "bytes", "items_of_unknown_size",
	"largest_bytes", "largest", "longest_path_characters", "longest_path_bytes", "longest_path", "needs_bytes", "room_bytes", "item_limit_bytes",
	"items_too_big", "fits", "with_losses", "skipped", "failed", "note", "weighed_bytes", "left_out",
}

// WriteCSV writes a line for each kind of each account (RFC 4180), and one for each account that was not looked at.
func (p *Plan) WriteCSV(w io.Writer) error {
	if _, err := io.WriteString(w, sheet.ByteOrderMark); err != nil {
		return err
	}
	c := csv.NewWriter(w)
	if err := c.Write(columnsOfCSV); err != nil {
		return err
	}
	for _, a := range p.Accounts {
		for _, k := range a.Kinds {
			if err := c.Write(sheet.Cells(line(a, k)...)); err != nil {
				return err
			}
		}
	}
	for _, o := range p.Others {
		cells := make([]string, len(columnsOfCSV))
		cells[0], cells[1], cells[2], cells[len(cells)-3] = o.Source, o.Target, "no", "not looked at"
		if err := c.Write(sheet.Cells(cells...)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func line(a Account, k Kind) []string {
	_, why := htmlreport.Worst(k.Causes)
	number := func(n int64) string { return fmt.Sprint(n) }
	largest, longest, room, limit, fits := Largest{}, Longest{}, "", "", "yes"
	if k.Largest != nil {
		largest = *k.Largest
	}
	if k.Longest != nil {
		longest = *k.Longest
	}
	if k.Room != nil {
		room = number(*k.Room)
	}
	if k.ItemLimit > 0 {
		limit = number(k.ItemLimit)
	}
	switch {
	case !k.Fits():
		fits = "no"
	case k.NotAsked != "":
		fits = ""
	}
	return []string{
		a.Source, a.targetOf(k.Kind), "yes", a.Grade.String(), k.Kind, k.Grade.String(), strings.Join(why, ", "), number(k.Collections), number(k.Items),
		number(k.Bytes), number(k.Unsized), number(largest.Bytes), largest.Title, fmt.Sprint(longest.Characters), fmt.Sprint(longest.Bytes),
		longest.Path, number(k.Needs), room, limit, number(k.TooBig), fits, number(k.Ledger.CopiedWithLosses), number(k.Ledger.Skipped),
		number(k.Ledger.Failed), k.NotAsked, number(k.Weighs), number(k.LeftOut),
	}
}

package htmlreport

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/spool"
)

// Bounds of groups.
const (
	maxGroups   = 400      // beyond, reasons share the last group of their outcome
	groupMemory = 32 << 10 // of a group's rows, before a temporary file holds them
	chunk       = 100      // rows that a browser lays out together
)

// groupKey is what the items of a group have in common.
type groupKey struct {
	outcome outcome
	reason  string
}

// outcome is what became of an item, the worst first.
type outcome uint8

const (
	failed outcome = iota
	skipped
	lost
)

func outcomeOf(i Item) outcome {
	switch {
	case i.Failed():
		return failed
	case i.Lost():
		return lost
	}
	return skipped
}

// group holds the rows of the items with one reason, as they will stand in the page.
type group struct {
	groupKey
	Grade Grade
	// N is how many items there are, Rows how many of them have a row.
	N, Rows int64
	rows    *spool.Spool
}

// groups sorts the rows of items by reason, however many there are: they lie in temporary files until the page is written.
type groups struct {
	// limit is how many rows a reason gets; nil: all.
	limit func(reason string) int64
	all   map[groupKey]*group
	buf   bytes.Buffer
}

func newGroups(limit func(string) int64) *groups {
	return &groups{limit: limit, all: make(map[groupKey]*group)}
}

// add adds an item, of which render writes the row.
func (g *groups) add(i Item, render func(io.Writer) error) error {
	at := g.of(i)
	at.N++
	at.Grade = max(at.Grade, i.Grade)
	if g.limit != nil && at.Rows >= g.limit(at.reason) {
		return nil
	}
	g.buf.Reset()
	if at.Rows%chunk == 0 {
		if at.Rows > 0 {
			g.buf.WriteString("</ul>\n")
		}
		g.buf.WriteString("<ul>\n")
	}
	if err := render(&g.buf); err != nil {
		return err
	}
	at.Rows++
	_, err := at.rows.Write(g.buf.Bytes())
	return err
}

func (g *groups) of(i Item) *group {
	key := groupKey{outcomeOf(i), i.Reason}
	if at, ok := g.all[key]; ok {
		return at
	}
	if len(g.all) >= maxGroups {
		key.reason = "unknown"
	}
	at, ok := g.all[key]
	if !ok {
		at = &group{groupKey: key, rows: spool.New(groupMemory, "")}
		g.all[key] = at
	}
	return at
}

// sorted returns the groups: by outcome, then the worst first, then the largest.
func (g *groups) sorted() []*group {
	var out []*group
	for _, at := range g.all {
		out = append(out, at)
	}
	slices.SortFunc(out, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.outcome, b.outcome), cmp.Compare(b.Grade, a.Grade), cmp.Compare(b.N, a.N), cmp.Compare(a.reason, b.reason))
	})
	return out
}

// copyTo writes the group's rows.
func (at *group) copyTo(w io.Writer) error {
	if at.Rows == 0 {
		return nil
	}
	r, err := at.rows.Open()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	_, err = io.WriteString(w, "</ul>\n")
	return err
}

// release frees what the groups hold, and leaves them empty.
func (g *groups) release() {
	for _, at := range g.all {
		at.rows.Release()
	}
	clear(g.all)
}

// shares divides room for rows among reasons of different size: the small ones have all of theirs, and those that do not
// fit have equal parts. Without a need to divide it returns nil.
func shares(counts map[string]int64, room int64) func(string) int64 {
	var sizes []int64
	var total int64
	for _, n := range counts {
		sizes = append(sizes, n)
		total += n
	}
	if total <= room {
		return nil
	}
	slices.Sort(sizes)
	share := room
	for i, n := range sizes {
		share = room / int64(len(sizes)-i)
		if n > share {
			break
		}
		room -= n
	}
	return func(string) int64 { return share }
}

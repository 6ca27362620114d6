package htmlreport

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// Bounds of the HTML report: a browser has to open it. What they cut off is in the other forms, and the page says so.
const (
	MaxRows     = 250_000 // items
	maxAccounts = 20_000
	openUpTo    = 60 // accounts that are shown without a click
)

// HTML is a Writer of one self-contained page for administrators.
type HTML struct {
	job    *Job
	w      *bufio.Writer
	groups *groups
}

// NewHTML returns a Writer of the page; Release frees what it holds.
func NewHTML(w io.Writer, j *Job) *HTML {
	counts := make(map[string]int64)
	for _, t := range j.Report.Tasks {
		for reason, n := range t.Reasons {
			counts[reason] += n
		}
	}
	return &HTML{job: j, w: bufio.NewWriterSize(w, 64<<10), groups: newGroups(shares(counts, MaxRows))}
}

// Release frees temporary files; it may be called at any time, and twice.
func (h *HTML) Release() { h.groups.release() }

// Begin implements Writer.
func (h *HTML) Begin(Account) error { return nil }

// row is an item as the page shows it.
type row struct {
	Kind, Link, Title, Where, Detail string
}

// Item implements Writer.
func (h *HTML) Item(i Item) error {
	r := row{Kind: clean(i.Kind), Link: i.Link, Title: clean(i.Shown()), Where: clean(i.Account) + " · " + clean(i.Kind), Detail: said(i)}
	switch {
	case i.Place != "":
		r.Where += " · " + report.Clean(i.Place, longDetail)
	case i.Collection != "" && i.Collection != i.Account:
		r.Where += " · " + clean(i.Collection)
	}
	return h.groups.add(i, func(w io.Writer) error { return templates().ExecuteTemplate(w, "row", r) })
}

// End implements Writer.
func (h *HTML) End() error {
	accounts, more := h.accounts()
	if err := templates().ExecuteTemplate(h.w, "head", newSummary(h.job, len(accounts))); err != nil {
		return err
	}
	for _, a := range accounts {
		if err := templates().ExecuteTemplate(h.w, "account", a); err != nil {
			return err
		}
	}
	below := struct{ More, Cut string }{}
	if more > 0 {
		below.More = number(int64(more))
	}
	if h.groups.limit != nil {
		below.Cut = "There are too many for one page: of some reasons it has only a part, which is all that a search here finds. The CSV and JSON reports have every item."
	}
	if err := templates().ExecuteTemplate(h.w, "items", below); err != nil {
		return err
	}
	if err := h.writeGroups(); err != nil {
		return err
	}
	return errors.Join(templates().ExecuteTemplate(h.w, "tail", len(h.groups.all) == 0), h.w.Flush())
}

// outcomes name what became of items, and say what that means.
var outcomes = [...]struct{ Name, Title, Text string }{
	failed:  {"failed", "Failed", "should be on the target and are not; retry takes them up, and the next run those whose reason passes"},
	skipped: {"skipped", "Skipped", "left out for a reason that would be the same tomorrow"},
	lost:    {"with losses", "Copied with losses", "on the target, without something of them"},
}

// shownGroup is what stands above the rows of a group.
type shownGroup struct {
	Outcome, N, Reason, Meaning, Advice, Cut string
	Grade                                    Grade
}

func (h *HTML) writeGroups() error {
	before := -1
	for _, g := range h.groups.sorted() {
		o := outcomes[g.outcome]
		if int(g.outcome) != before {
			before = int(g.outcome)
			if err := templates().ExecuteTemplate(h.w, "outcome", o); err != nil {
				return err
			}
		}
		s := shownGroup{Outcome: o.Name, N: number(g.N), Reason: clean(g.reason), Meaning: report.Meaning(g.reason), Advice: report.Advice(g.reason), Grade: g.Grade}
		if g.Rows < g.N {
			s.Cut = "The first " + number(g.Rows) + " of " + number(g.N) + " items; the CSV and JSON reports have them all."
		}
		if err := templates().ExecuteTemplate(h.w, "group", s); err != nil {
			return err
		}
		if err := g.copyTo(h.w); err != nil {
			return err
		}
		if _, err := io.WriteString(h.w, "</details>\n"); err != nil {
			return err
		}
	}
	return nil
}

// shownAccount is a line of the table of accounts.
type shownAccount struct {
	Source, Name, Target, Why string
	// Approved says who approved its plan, and when.
	Approved string
	Grade    Grade
	Cells    []shownCell
}

// accounts returns the lines of the table, the worst grade first, and how many are too many.
func (h *HTML) accounts() (shown []shownAccount, more int) {
	all := slices.Clone(h.job.Accounts)
	slices.SortStableFunc(all, func(a, b Account) int { return cmp.Compare(b.Grade, a.Grade) })
	if len(all) > maxAccounts {
		more = len(all) - maxAccounts
		all = all[:maxAccounts]
	}
	numbers := numbersOf(h.job.Report.Totals)
	for _, a := range all {
		s := shownAccount{Source: clean(a.Source), Name: clean(a.name()), Target: otherNames(a.Source, a.Target, a.Targets), Grade: a.Grade, Why: why(a)}
		if by := a.Approved; by != nil {
			s.Approved = clean(by.By) + " on " + by.At.Local().Format("2 January 2006")
		}
		for _, n := range numbers {
			s.Cells = append(s.Cells, n.cell(a.Counts))
		}
		shown = append(shown, s)
	}
	return shown, more
}

// mostWhys is how many causes of a grade a line names.
const mostWhys = 3

func why(a Account) string {
	if a.Grade == A {
		return ""
	}
	text := ""
	for i, w := range a.Why {
		if i == mostWhys {
			return text + " and " + number(int64(len(a.Why)-i)) + " more"
		}
		if i > 0 {
			text += ", "
		}
		text += clean(w)
	}
	return text
}

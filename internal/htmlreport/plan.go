package htmlreport

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// PlanPage is what the page of a plan shows. All texts may be anybody's.
type PlanPage struct {
	Job, Provider, Version string
	Made                   time.Time
	// State colours the verdict: report.Complete, Incomplete or Stopped.
	State, Verdict string
	Notes          []string
	Cards          []PlanNumber
	Estimate       []string
	// Grades counts the accounts of each grade.
	Grades [D + 1]int64
	Lists  []PlanList
	// Kinds and Accounts have the same numbers, in the same order.
	Kinds    []PlanRow
	Accounts []PlanRow
	Reasons  []PlanReason
}

// PlanNumber is a number with its name. Bad ones stand out, and those without a Value are not shown.
type PlanNumber struct {
	Label, Value string
	// Note says more of it, such as which item is the largest.
	Note string
	Bad  bool
}

// PlanList is a list of what somebody should look at; one without lines is not shown.
type PlanList struct {
	Title string
	Lines []PlanLine
}

// PlanLine is one of them: whom it concerns, and what it is.
type PlanLine struct{ Title, Text string }

// PlanRow is a line of numbers about a kind or an account.
type PlanRow struct {
	// Label is the kind or the account, Name what a shared drive is called.
	Label, Name, Target string
	// Targets are the names on the target for single kinds, where they are others than Target.
	Targets map[string]string
	Grade   Grade
	Why     []string
	Numbers []PlanNumber
}

// PlanReason is a reason with examples.
type PlanReason struct {
	Reason   string
	Grade    Grade
	Items    int64
	Examples []PlanExample
}

// PlanExample is one item that has the reason.
type PlanExample struct{ Account, Kind, Title, Detail, Link string }

// planView is what the template gets.
type planView struct {
	frame
	State, Verdict string
	Notes          []string
	Cards          []card
	Estimate       []string
	Columns        []string
	Kinds          []shownKind
	Lists          []shownList
	AccountsTitle  string
	OpenAccounts   bool
	Accounts       []shownAccount
	MoreAccounts   string
	Reasons        []shownReason
}

type shownList struct {
	Title string
	Lines []stop
	More  string
}

type shownReason struct {
	shownGroup
	Rows []row
}

// Write writes the page: one file that loads nothing and runs no script.
func (p PlanPage) Write(w io.Writer) error {
	v := planView{
		frame: newFrame(p.Job, "what would be moved", "", p.Made), State: p.State, Verdict: clean(p.Verdict), Notes: cleaned(p.Notes), Estimate: cleaned(p.Estimate),
		AccountsTitle: count(int64(len(p.Accounts)), "account"), OpenAccounts: len(p.Accounts) <= openUpTo,
	}
	v.Provider, v.Version = p.Provider, p.Version
	v.grades(PlanRules, p.Grades)
	for _, n := range p.Cards {
		v.Cards = append(v.Cards, card{n.Label, clean(n.Value), badly(n)})
	}
	for _, k := range p.Kinds {
		v.kind(k)
	}
	for _, l := range p.Lists {
		v.list(l)
	}
	v.accounts(p.Accounts)
	for _, r := range p.Reasons {
		v.reason(r)
	}
	out := bufio.NewWriterSize(w, 64<<10)
	return errors.Join(templates().ExecuteTemplate(out, "plan", v), out.Flush())
}

func cleaned(texts []string) (out []string) {
	for _, t := range texts {
		out = append(out, report.Clean(t, longDetail))
	}
	return out
}

func badly(n PlanNumber) string {
	if n.Bad {
		return "bad"
	}
	return ""
}

func (v *planView) kind(k PlanRow) {
	if len(v.Columns) == 0 {
		for _, n := range k.Numbers {
			v.Columns = append(v.Columns, n.Label)
		}
	}
	v.Kinds = append(v.Kinds, shownKind{Label: clean(k.Label), Cells: shownCells(k.Numbers)})
}

func shownCells(numbers []PlanNumber) (cells []shownCell) {
	for _, n := range numbers {
		c := shownCell{Label: n.Label, Value: clean(n.Value), Class: badly(n)}
		if n.Value == "0" || n.Value == "–" {
			c.Class = "zero"
		}
		cells = append(cells, c)
	}
	return cells
}

func (v *planView) list(l PlanList) {
	if len(l.Lines) == 0 {
		return
	}
	s := shownList{Title: l.Title}
	for _, line := range l.Lines[:min(len(l.Lines), mostStops)] {
		s.Lines = append(s.Lines, stop{clean(line.Title), report.Clean(line.Text, longDetail)})
	}
	if more := len(l.Lines) - mostStops; more > 0 {
		s.More = number(int64(more))
	}
	v.Lists = append(v.Lists, s)
}

func (v *planView) accounts(rows []PlanRow) {
	if more := len(rows) - maxAccounts; more > 0 {
		v.MoreAccounts = number(int64(more))
		rows = rows[:maxAccounts]
	}
	for _, r := range rows {
		a := shownAccount{Source: clean(r.Label), Name: clean(r.Name), Target: otherNames(r.Label, r.Target, r.Targets), Grade: r.Grade, Why: r.why(), Cells: shownCells(r.Numbers)}
		v.Accounts = append(v.Accounts, a)
	}
}

// why says in a line what a grade comes from, and what the numbers are about.
func (r PlanRow) why() string {
	says := []string{why(Account{Grade: r.Grade, Why: r.Why})}
	for _, n := range r.Numbers {
		if n.Note != "" {
			says = append(says, n.Label+": "+clean(n.Note))
		}
	}
	return strings.TrimPrefix(strings.Join(says, " · "), " · ")
}

func (v *planView) reason(r PlanReason) {
	s := shownReason{shownGroup: shownGroup{
		N: number(r.Items), Reason: clean(r.Reason), Meaning: report.Meaning(r.Reason), Advice: report.Advice(r.Reason), Grade: r.Grade,
	}}
	for _, e := range r.Examples {
		s.Rows = append(s.Rows, row{
			Kind: clean(e.Kind), Link: WebLink(e.Link), Title: clean(e.Title), Where: clean(e.Account) + " · " + clean(e.Kind), Detail: report.Clean(e.Detail, longDetail),
		})
	}
	if n := int64(len(r.Examples)); n > 0 && n < r.Items {
		s.Cut = count(n, "example") + " of " + number(r.Items) + "."
	}
	v.Reasons = append(v.Reasons, s)
}

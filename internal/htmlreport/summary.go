package htmlreport

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// frame is what every page for administrators has.
type frame struct {
	Title, Name, Provider, Version, Made, MadeISO string
	Policy                                        string
	Style                                         template.CSS
	GradeBar                                      shownBar
	Rules                                         []shownRule
}

func newFrame(name, title, script string, made time.Time) frame {
	style := mustRead("style.css")
	return frame{
		Name: clean(name), Title: clean(name) + ": " + title, Made: made.Format(moment), MadeISO: made.Format(time.RFC3339),
		Policy: policy(style, script), Style: template.CSS(style), //nolint:gosec // the program's own
	}
}

// grades shows how many accounts have each grade.
func (f *frame) grades(rules []Rule, n [D + 1]int64) {
	var all []part
	total := int64(0)
	for _, r := range rules {
		all = append(all, part{r.Grade.String(), r.Grade.String() + ", " + r.Name, n[r.Grade]})
		f.Rules = append(f.Rules, shownRule{r.Grade.String(), r.Name, r.Meaning, number(n[r.Grade])})
		total += n[r.Grade]
	}
	f.GradeBar = shownBar{newBar("grades", all), count(total, "account")}
}

// summary is what stands above the items.
type summary struct {
	frame
	Closed         string
	State, Verdict string
	Notes          []string
	Cards          []card
	Legend         []segment
	Bars           []shownBar
	Course         *course
	Throttled      []shownBar
	Columns        []string
	Kinds          []shownKind
	KindNames      []string
	Stops          []stop
	MoreStops      string
	AccountsTitle  string
	OpenAccounts   bool
}

type card struct{ Label, Value, Class string }

type shownBar struct {
	bar
	Sum string
}

type shownCell struct {
	Label, Value, Class string
	Sort                int64
}

type shownKind struct {
	Label string
	Cells []shownCell
}

type shownRule struct {
	Letter, Name, Meaning, N string
}

type stop struct{ Title, Text string }

// number writes a number for people.
func number(n int64) string { return grouped(n, ",") }

// quantity is one of the numbers of an account or a kind.
type quantity struct {
	label string
	bad   bool
	value func(report.Counts) int64
	text  func(int64) string
}

// sizeOf writes a size; events, contacts and tasks have none.
func sizeOf(n int64) string {
	if n == 0 {
		return "–"
	}
	return report.Size(n)
}

// numbersOf returns the quantities that say something here.
func numbersOf(totals report.Counts) []quantity {
	all := []quantity{
		{"listed", false, func(c report.Counts) int64 { return c.Listed }, number},
		{"copied", false, func(c report.Counts) int64 { return c.Copied }, number},
		{"with losses", false, func(c report.Counts) int64 { return c.CopiedWithLosses }, number},
		{"skipped", false, func(c report.Counts) int64 { return c.Skipped }, number},
		{"failed", true, func(c report.Counts) int64 { return c.Failed }, number},
		{"pending", true, func(c report.Counts) int64 { return c.Pending }, number},
		{"removed", false, func(c report.Counts) int64 { return c.Removed }, number},
		{"size", false, func(c report.Counts) int64 { return c.Bytes }, sizeOf},
	}
	var out []quantity
	for _, q := range all {
		if q.value(totals) > 0 || q.label != "pending" && q.label != "removed" {
			out = append(out, q)
		}
	}
	return out
}

func (q quantity) cell(c report.Counts) shownCell {
	n := q.value(c)
	cell := shownCell{Label: q.label, Value: q.text(n), Sort: n}
	switch {
	case n == 0:
		cell.Class = "zero"
	case q.bad:
		cell.Class = "bad"
	}
	return cell
}

func newSummary(j *Job, shown int) summary {
	s := summary{
		frame: newFrame(j.Report.Job, "what was moved", mustRead("script.js"), j.Made), AccountsTitle: count(int64(len(j.Accounts)), "account"),
		OpenAccounts: shown <= openUpTo,
	}
	s.Provider, s.Version = j.Provider, j.Version
	s.Course, s.Throttled = newCourse(j.Passes), newThrottled(j.Passes)
	s.verdict(j.Report)
	s.glance(j)
	s.kinds(j.Report)
	s.stops(j.Report)
	var n [D + 1]int64
	for _, a := range j.Accounts {
		n[a.Grade]++
	}
	s.grades(Rules, n)
	s.leftBehind(n[C], n[D])
	return s
}

// leftBehind says beside the verdict that accounts have grades at which somebody should look, although nothing failed.
func (s *summary) leftBehind(looked, left int64) {
	if s.State == report.Complete && left > 0 {
		s.State = report.Incomplete // its colour
	}
	if looked+left == 0 {
		return
	}
	var parts []string
	for _, g := range []struct {
		grade Grade
		n     int64
	}{{D, left}, {C, looked}} {
		if g.n > 0 {
			parts = append(parts, fmt.Sprintf("%s of grade %s", count(g.n, "account"), g.grade))
		}
	}
	s.Notes = append(s.Notes, "To be looked at before the provider's accounts end: "+strings.Join(parts, " and ")+", below.")
}

// moment is how points in time are written.
const moment = "2 January 2006 at 15:04 MST"

func (s *summary) verdict(r *report.Report) {
	s.State = r.State
	switch {
	case !r.Balanced:
		s.State, s.Verdict = "unbalanced", "The ledger does not balance."
		s.Notes = append(s.Notes, "Some listed items are not accounted for. Run nothing until it is explained: state check says more.")
	case r.State == report.Complete:
		s.Verdict = "Complete: everything was listed and decided, and nothing failed."
	case r.State == report.Stopped:
		s.Verdict = "Stopped: some of it could not go on."
	default:
		s.Verdict = "Not complete yet."
	}
	if r.Balanced {
		s.Notes = append(s.Notes, fmt.Sprintf("The ledger balances: %s listed, each accounted for.", count(r.Totals.Listed, "item")))
	}
	if r.Totals.Failed > 0 {
		s.Notes = append(s.Notes, count(r.Totals.Failed, "item")+" failed. The retry command takes up what failed once the cause is gone, and the next run what failed for a passing reason.")
	}
	if n := r.Unlisted(); n > 0 {
		s.Notes = append(s.Notes, count(n, "collection")+" not listed to the end yet, so that the number of items is not the last word.")
	}
	if r.Totals.Pending > 0 {
		s.Notes = append(s.Notes, count(r.Totals.Pending, "item")+" still to come.")
	}
	s.Closed = "The job is open: a later run may change what stands here."
	if r.Closed != nil {
		s.Closed = "The job was closed on " + r.Closed.Local().Format(moment) + "."
	}
}

func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

func (s *summary) glance(j *Job) {
	s.Cards = []card{{Label: "accounts", Value: number(int64(len(j.Accounts)))}}
	for _, q := range numbersOf(j.Report.Totals) {
		c := q.cell(j.Report.Totals)
		class := ""
		if c.Class == "bad" {
			class = "bad"
		}
		s.Cards = append(s.Cards, card{q.label, c.Value, class})
	}
	balanced := card{"ledger", "balances", ""}
	if !j.Report.Balanced {
		balanced = card{"ledger", "does not balance", "bad"}
	}
	s.Cards = append(s.Cards, balanced)
}

func (s *summary) kinds(r *report.Report) {
	for _, p := range parts(r.Totals) {
		if p.n > 0 {
			s.Legend = append(s.Legend, segment{Class: p.class, Title: p.name})
		}
	}
	numbers := numbersOf(r.Totals)
	for _, q := range numbers {
		s.Columns = append(s.Columns, q.label)
	}
	add := func(label string, c report.Counts) {
		k := shownKind{Label: label}
		for _, q := range numbers {
			k.Cells = append(k.Cells, q.cell(c))
		}
		s.Kinds = append(s.Kinds, k)
	}
	for _, k := range r.Kinds {
		name := clean(k.Kind)
		s.KindNames = append(s.KindNames, name)
		b := newBar(name, parts(k.Counts))
		s.Bars = append(s.Bars, shownBar{b, number(b.Total)})
		add(name, k.Counts)
	}
	if len(r.Kinds) > 1 {
		add("all", r.Totals)
	}
}

// mostStops is how many tasks that could not go on the page names.
const mostStops = 100

func (s *summary) stops(r *report.Report) {
	more := int64(0)
	for _, t := range r.Tasks {
		text := ""
		switch {
		case t.Error != "":
			text = report.Clean(t.Error, longDetail)
		case !t.Balanced:
			text = fmt.Sprintf("%s listed, and the states add up to %s.", count(t.Listed, "item"), number(t.Listed-t.Unaccounted))
		default:
			continue
		}
		if len(s.Stops) == mostStops {
			more++
			continue
		}
		title := clean(t.Account) + ", " + clean(t.Kind)
		if name := cmp.Or(t.Name, t.Collection); name != "" && name != t.Account {
			title += " (" + clean(name) + ")"
		}
		s.Stops = append(s.Stops, stop{title, text})
	}
	if more > 0 {
		s.MoreStops = number(more)
	}
}

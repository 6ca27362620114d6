package plan

import (
	"fmt"
	"io"
	"slices"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// WriteHTML writes the plan as one page for people, which loads nothing and runs no script.
func (p *Plan) WriteHTML(w io.Writer) error {
	page := htmlreport.PlanPage{
		Job: p.Report.Job, Provider: p.Provider, Version: p.Version, Made: p.Made, Grades: p.counted(), Estimate: p.Estimate,
		Cards: p.cards(), Lists: []htmlreport.PlanList{p.stops(), p.misfits(), p.unknown()},
	}
	page.State, page.Verdict, page.Notes = p.verdict()
	kinds, all := p.Totals()
	for _, t := range kinds {
		page.Kinds = append(page.Kinds, htmlreport.PlanRow{Label: t.Kind, Numbers: t.numbers(false)})
	}
	if len(kinds) > 1 {
		page.Kinds = append(page.Kinds, htmlreport.PlanRow{Label: "all", Numbers: all.numbers(false)})
	}
	worstFirst := slices.Clone(p.Accounts)
	slices.SortStableFunc(worstFirst, func(a, b Account) int { return int(b.Grade) - int(a.Grade) })
	for _, a := range worstFirst {
		page.Accounts = append(page.Accounts, htmlreport.PlanRow{
			Label: a.Source, Name: a.Name, Target: a.Target, Targets: a.Targets, Grade: a.Grade, Why: a.Why, Numbers: a.Sum().numbers(true),
		})
	}
	for _, r := range p.Reasons() {
		shown := htmlreport.PlanReason{Reason: r.Reason, Grade: r.Grade, Items: r.Items}
		for _, e := range r.Examples {
			shown.Examples = append(shown.Examples, htmlreport.PlanExample(e))
		}
		page.Reasons = append(page.Reasons, shown)
	}
	return page.Write(w)
}

// numbers are those of a line; noted ones say which item is the largest and which path the longest.
func (f Found) numbers(noted bool) []htmlreport.PlanNumber {
	largest, longest := htmlreport.PlanNumber{Label: "largest", Value: "–"}, htmlreport.PlanNumber{Label: "longest path", Value: "–"}
	if f.Largest != nil {
		largest.Value = report.Size(f.Largest.Bytes)
	}
	if f.Longest != nil {
		longest.Value = fmt.Sprint(f.Longest.Characters)
	}
	if noted && f.Largest != nil {
		largest.Note = f.Largest.Title
	}
	return []htmlreport.PlanNumber{
		{Label: "collections", Value: fmt.Sprint(f.Collections)}, {Label: "items", Value: fmt.Sprint(f.Items)}, {Label: "size", Value: f.Size()}, largest, longest,
	}
}

func (p *Plan) cards() []htmlreport.PlanNumber {
	_, all := p.Totals()
	cards := []htmlreport.PlanNumber{{Label: "accounts", Value: fmt.Sprint(all.Accounts)}}
	if n := len(p.Others); n > 0 {
		cards = append(cards, htmlreport.PlanNumber{Label: "not looked at", Value: fmt.Sprint(n)})
	}
	cards = append(cards, all.numbers(false)...)
	unfits := len(p.unfits())
	return append(cards, htmlreport.PlanNumber{Label: "do not fit", Value: fmt.Sprint(unfits), Bad: unfits > 0})
}

func (p *Plan) verdict() (state, verdict string, notes []string) {
	n := p.counted()
	total := int64(len(p.Accounts))
	state, verdict = report.Complete, "Every account would come over whole, or nearly so."
	switch {
	case p.Stopped():
		state, verdict = report.Stopped, "Some of it could not be looked at, so that the plan is not whole."
	case n[htmlreport.D] > 0:
		state, verdict = report.Incomplete, "Something important would be left behind of "+report.Plural(n[htmlreport.D], "account")+fmt.Sprintf(" of %d.", total)
	case n[htmlreport.C] > 0:
		state, verdict = report.Incomplete, "Somebody should look at what "+report.Plural(n[htmlreport.C], "account")+fmt.Sprintf(" of %d would lose.", total)
	}
	if others := len(p.Others); others > 0 {
		notes = append(notes, fmt.Sprintf("A sample: %s looked at; the numbers of the other %d are extrapolated. Grades, reasons and what does not fit are those of the sample.",
			report.Plural(total, "account"), others))
	}
	if _, all := p.Totals(); all.Unsized > 0 {
		text := "A plus after a size: there is more"
		if all.Weighs > 0 {
			text = "A tilde before a size: a part of it is what the provider says of whole mailboxes. A plus after one: there is more"
		}
		notes = append(notes, fmt.Sprintf("%s, namely %s of which only reading tells the size.", text, report.Plural(all.Unsized, "item")))
	}
	if left := p.LeftOut(); left != "" {
		notes = append(notes, "Left out on purpose, and not listed: "+left+".")
	}
	if p.Waiting > 0 {
		notes = append(notes, report.Plural(p.Waiting, "account")+" will not run before somebody approves what the plan says.")
	}
	return state, verdict, notes
}

func (p *Plan) stops() htmlreport.PlanList {
	l := htmlreport.PlanList{Title: "What could not be looked at"}
	for _, t := range p.Report.Tasks {
		if t.Error != "" {
			l.Lines = append(l.Lines, htmlreport.PlanLine{Title: t.Account + ", " + t.Kind, Text: t.Error})
		}
	}
	return l
}

func (p *Plan) misfits() htmlreport.PlanList {
	l := htmlreport.PlanList{Title: "What does not fit on the target"}
	for _, u := range p.unfits() {
		l.Lines = append(l.Lines, htmlreport.PlanLine{Title: u.title(), Text: u.misfit()})
	}
	return l
}

func (p *Plan) unknown() htmlreport.PlanList {
	l := htmlreport.PlanList{Title: "Targets that could not be asked for their room"}
	for _, d := range p.deaf() {
		l.Lines = append(l.Lines, htmlreport.PlanLine{Title: d.Kind + ", " + report.Plural(int64(d.Accounts), "account"), Text: d.Why})
	}
	return l
}

package plan

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Bounds of the summary: it fits on one screen whatever the size of the organisation.
const (
	mostWorst = 6
	mostWhys  = 4
	mostUnfit = 3
)

// WriteText writes a summary for a person at a terminal: first what there is, last what is to be done.
func (p *Plan) WriteText(w io.Writer) error {
	var b strings.Builder
	p.writeHead(&b)
	if err := p.writeTotals(&b); err != nil {
		return err
	}
	p.writeGrades(&b)
	p.writeReasons(&b)
	p.writeUnfit(&b)
	if len(p.Estimate) > 0 {
		fmt.Fprintln(&b)
	}
	for _, line := range p.Estimate {
		fmt.Fprintln(&b, report.Line(line))
	}
	if len(p.Waves) > 0 {
		fmt.Fprintln(&b, p.span())
	}
	p.writeEnd(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func (p *Plan) writeHead(b *strings.Builder) {
	fmt.Fprintf(b, "%s\nWhat a run would write, lose and leave behind; nothing was written.\n", report.Line("Plan of "+p.Report.Job))
	if n := len(p.Others); n > 0 {
		fmt.Fprintf(b, "Looked at %d of %s; the numbers of the other %d are extrapolated.\n", len(p.Accounts), report.Plural(int64(len(p.Accounts)+n), "account"), n)
	}
	p.writeNames(b)
	fmt.Fprintln(b)
}

// writeNames says that accounts have other names for single kinds, with one of them.
func (p *Plan) writeNames(b *strings.Builder) {
	n, such := int64(0), ""
	for _, a := range p.Accounts {
		if len(a.Targets) > 0 {
			n++
			such = cmp.Or(such, a.Source+" is "+htmlreport.TargetNames(a.Target, a.Targets))
		}
	}
	switch {
	case n == 1:
		fmt.Fprintln(b, report.Line("On the target, "+such))
	case n > 1:
		fmt.Fprintf(b, "%s have several names on the target; --html and --csv have them all, such as\n", report.Plural(n, "account"))
		fmt.Fprintln(b, report.Line("  "+such))
	}
}

func (p *Plan) writeTotals(b *strings.Builder) error {
	kinds, all := p.Totals()
	lines := [][]string{{"kind", "accounts", "collections", "items", "size", "largest", "longest path"}}
	for _, t := range kinds {
		lines = append(lines, t.cells())
	}
	all.Kind = "all"
	if len(kinds) != 1 {
		lines = append(lines, all.cells())
	}
	if err := report.WriteColumns(b, 1, lines); err != nil {
		return err
	}
	if all.Unsized > 0 {
		fmt.Fprintf(b, "%s: of %s only reading tells the size\n", all.unsure(), report.Plural(all.Unsized, "item"))
	}
	if left := p.LeftOut(); left != "" {
		fmt.Fprintln(b, report.Line("Left out on purpose: "+left))
	}
	return nil
}

// unsure explains the signs of sizes.
func (f Found) unsure() string {
	if f.Weighs > 0 {
		return "~ (the provider's sum), + or unknown"
	}
	return "+ or unknown"
}

func (t Total) cells() []string {
	largest, longest := "–", "–"
	if t.Largest != nil {
		largest = report.Size(t.Largest.Bytes)
	}
	if t.Longest != nil {
		longest = fmt.Sprint(t.Longest.Characters)
	}
	return []string{t.Kind, fmt.Sprint(t.Accounts), fmt.Sprint(t.Collections), fmt.Sprint(t.Items), t.Size(), largest, longest}
}

// Size writes the bytes for people: with a tilde if a part of them is only weighed, with a plus if there are more, and "unknown" if no item tells its size.
func (f Found) Size() string {
	switch {
	case f.Weighs > 0:
		return "~" + report.Size(f.Bytes+f.Weighs)
	case f.Unsized > 0 && f.Bytes == 0:
		return "unknown"
	case f.Unsized > 0:
		return report.Size(f.Bytes) + "+"
	}
	return report.Size(f.Bytes)
}

// counted returns how many accounts have each grade.
func (p *Plan) counted() (n [htmlreport.D + 1]int64) {
	for _, a := range p.Accounts {
		n[a.Grade]++
	}
	return n
}

func (p *Plan) writeGrades(b *strings.Builder) {
	n := p.counted()
	fmt.Fprintf(b, "\nGrades: %d A, %d B, %d C, %d D (A complete … D left behind)\n", n[htmlreport.A], n[htmlreport.B], n[htmlreport.C], n[htmlreport.D])
	worst := p.worst(htmlreport.B)
	for i, a := range worst {
		if i == mostWorst {
			fmt.Fprintf(b, "  … and %d more of the grades C and D; --html and --csv have them all\n", len(worst)-i)
			break
		}
		fmt.Fprintln(b, report.Line(fmt.Sprintf("  %s %s: %s", a.Grade, a.shown(), strings.Join(a.Why, ", "))))
	}
}

func (p *Plan) writeReasons(b *strings.Builder) {
	reasons := p.Reasons()
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintln(b, "\nWhat is left out or loses something, the worst first:")
	for i, r := range reasons {
		if i == mostWhys {
			fmt.Fprintf(b, "  … and %s; 'repatriate explain' says what each means\n", report.Plural(int64(len(reasons)-i), "more reason"))
			break
		}
		fmt.Fprintln(b, report.Line(fmt.Sprintf("  %s %6d %s: %s", r.Grade, r.Items, r.Reason, report.Meaning(r.Reason))))
		if len(r.Examples) > 0 {
			e := r.Examples[0]
			fmt.Fprintln(b, report.Line(fmt.Sprintf("           %s: %s", e.Account, e.said())))
		}
	}
}

// said names the example, with what is said of it.
func (e Example) said() string {
	if e.Detail == "" || strings.Contains(e.Detail, e.Title) {
		return cmp.Or(e.Detail, e.Title)
	}
	return report.Clean(e.Title, 40) + " – " + e.Detail
}

func (p *Plan) writeUnfit(b *strings.Builder) {
	unfits := p.unfits()
	if len(unfits) > 0 {
		fmt.Fprintln(b, "\nWhat does not fit on the target:")
	}
	for i, u := range unfits {
		if i == mostUnfit {
			fmt.Fprintf(b, "  … and %d more\n", len(unfits)-i)
			break
		}
		fmt.Fprintln(b, report.Line("  "+u.title()+": "+u.misfit()))
	}
	p.writeDeaf(b)
}

// writeDeaf says whose room is not known: in one line, since that keeps nobody from planning.
func (p *Plan) writeDeaf(b *strings.Builder) {
	all := p.deaf()
	if len(all) == 0 {
		return
	}
	var kinds []string
	for _, d := range all {
		kinds = append(kinds, fmt.Sprintf("%s (%d)", d.Kind, d.Accounts))
	}
	fmt.Fprintf(b, "\n%s\n", report.Line("Room not known: "+strings.Join(kinds, ", ")+": "+all[0].Why))
}

// misfit says in words what does not fit; empty if all does.
func (k Kind) misfit() string {
	var says []string
	if k.crowded() {
		says = append(says, fmt.Sprintf("needs %s, and there is room for %s", report.Size(k.Needs+k.Weighs), report.Size(*k.Room)))
	}
	if k.TooBig > 0 {
		says = append(says, fmt.Sprintf("%s larger than %s", report.Plural(k.TooBig, "item"), report.Size(k.ItemLimit)))
	}
	return strings.Join(says, "; ")
}

func (p *Plan) writeEnd(b *strings.Builder) {
	job := cmp.Or(p.Report.Path, "JOB.yaml")
	if pass := p.Report.Pass; pass != nil {
		took := time.Duration(pass.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
		fmt.Fprintf(b, "\nIt took %s to the provider and %d to the target, in %s.\n", report.Plural(pass.SourceRequests, "request"), pass.TargetRequests, took)
	}
	p.Report.WriteOutages(b)
	n := int64(0)
	first := ""
	for _, t := range p.Report.Tasks {
		if t.Error != "" && !p.Report.ByOutage(t) {
			n++
			first = cmp.Or(first, t.Account+", "+t.Kind+": "+t.Error)
		}
	}
	if n > 0 {
		fmt.Fprintln(b, report.Line("Stopped: "+first))
		fmt.Fprintf(b, "Could not be read: %s. To see why: repatriate check %s\n", report.Plural(n, "collection"), job)
	}
	if p.Waiting > 0 {
		fmt.Fprintf(b, "Waiting for approval: %s. See: repatriate approve %s --list\n", report.Plural(p.Waiting, "account"), job)
	}
	if len(p.Report.Outages) > 0 {
		fmt.Fprintf(b, "\nThe plan is not whole. Mend the cause above, then: repatriate plan %s\n", job)
		return
	}
	page := "" // what is written needs no naming
	if p.Page == "" {
		page = "All of it: repatriate plan " + job + " --html plan.html\n"
	}
	fmt.Fprintf(b, "%sTo go on: repatriate run %s\n", page, job+p.firstWave())
}

package plan_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// dry is a dry run that is put together by hand.
type dry struct {
	statuses []checkpoint.Status
	survey   plan.Survey
	looked   []plan.Person
	others   []plan.Person
	examples []report.Example
}

// kind adds a kind of an account with one collection; what is in it comes over but for those with a reason.
func (d *dry) kind(account, kind string, room preflight.Limits, sizes []int64, reasons map[string]int64, change func(*checkpoint.Status)) {
	st := checkpoint.Status{Task: checkpoint.Task{Account: account, Kind: kind, Collection: "c"}, Complete: true, Reasons: reasons, Listed: int64(len(sizes))}
	st.Counts[checkpoint.Copied] = st.Listed
	if change != nil {
		change(&st)
	}
	d.statuses = append(d.statuses, st)
	p := plan.Part{Account: account, Kind: kind}
	d.survey.Limit(p, plan.Asked{Limits: room})
	o := d.survey.Observe(p)
	for i, n := range sizes {
		o.Saw(plan.Seen{ID: fmt.Sprint(i), Bytes: n, Path: strings.Repeat("p", i+1)})
	}
	o.End(titled)
	if i := slices.IndexFunc(d.looked, func(p plan.Person) bool { return p.Source == account }); i >= 0 {
		d.looked[i].Kinds = append(d.looked[i].Kinds, kind)
		return
	}
	d.looked = append(d.looked, plan.Person{Source: account, Target: account + "-t", Kinds: []string{kind}})
}

func (d *dry) plan() *plan.Plan {
	r := report.New("pilot", d.statuses)
	r.Examples = d.examples
	r.Pass = &report.Pass{SourceRequests: 12, TargetRequests: 3, Seconds: 1.5}
	p := plan.New(r, &d.survey, d.looked, d.others)
	p.Made, p.Version = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), "1.2.3"
	return p
}

var anything = preflight.NoLimits

// TestGradesOfPlans: the grades of reports, but for what is still to come, and with what does not fit.
func TestGradesOfPlans(t *testing.T) {
	lossy := func(st *checkpoint.Status) {
		st.Counts[checkpoint.Copied], st.Counts[checkpoint.CopiedWithLosses] = 0, st.Listed
	}
	for name, c := range map[string]struct {
		limits preflight.Limits
		reason string
		change func(*checkpoint.Status)
		grade  htmlreport.Grade
		why    string
	}{
		"all comes over": {anything, "", nil, htmlreport.A, ""},
		"still to come": {anything, "", func(st *checkpoint.Status) {
			st.Counts[checkpoint.Copied], st.Counts[checkpoint.Pending] = 0, st.Listed
		}, htmlreport.A, ""},
		"renamed":       {anything, "file.renamed", lossy, htmlreport.B, "file.renamed"},
		"repaired":      {anything, "event.end_repaired", lossy, htmlreport.C, "event.end_repaired"},
		"room enough":   {preflight.Limits{Room: 300}, "", nil, htmlreport.A, ""},
		"no room":       {preflight.Limits{Room: 299}, "", nil, htmlreport.D, plan.NoRoom},
		"room for none": {preflight.Limits{Room: 0}, "", nil, htmlreport.D, plan.NoRoom},
		"small enough":  {preflight.Limits{Room: -1, Item: 200}, "", nil, htmlreport.A, ""},
		"too big":       {preflight.Limits{Room: -1, Item: 199}, "", nil, htmlreport.D, plan.TooBig},
		"failed": {anything, "source.export_size", func(st *checkpoint.Status) {
			st.Counts[checkpoint.Copied], st.Counts[checkpoint.Failed] = 1, 1
		}, htmlreport.D, "items failed, source.export_size"},
		"stopped":  {anything, "", func(st *checkpoint.Status) { st.Error = "no mailbox" }, htmlreport.D, "stopped"},
		"unlisted": {anything, "", func(st *checkpoint.Status) { st.Complete = false }, htmlreport.D, "not listed to the end"},
	} {
		var d dry
		reasons := map[string]int64{}
		if c.reason != "" {
			reasons[c.reason] = 1
		}
		d.kind("ada", "mail", c.limits, []int64{100, 200}, reasons, c.change)
		d.kind("ada", "files", anything, nil, map[string]int64{}, nil)
		a := d.plan().Accounts[0]
		if a.Grade != c.grade || strings.Join(a.Why, ", ") != c.why {
			t.Errorf("%s: %s for %q, want %s for %q", name, a.Grade, a.Why, c.grade, c.why)
		}
		if a.Kinds[1].Grade != htmlreport.A {
			t.Errorf("%s: the other kind has %s", name, a.Kinds[1].Grade)
		}
	}
}

// TestAccountsThatHoldNothing are complete: nothing is lost of them.
func TestAccountsThatHoldNothing(t *testing.T) {
	d := dry{looked: []plan.Person{{Source: "ada", Kinds: []string{"contacts"}}}}
	p := d.plan()
	if a := p.Accounts[0]; a.Grade != htmlreport.A || len(a.Kinds) != 1 || !a.Kinds[0].Fits() || a.Kinds[0].Room != nil || p.ExitCode() != 0 {
		t.Errorf("%+v, exit code %d", a, p.ExitCode())
	}
}

func TestExitCodesOfPlans(t *testing.T) {
	var d dry
	d.kind("ada", "mail", preflight.Limits{Room: 1}, []int64{2}, nil, nil)
	if code := d.plan().ExitCode(); code != 3 {
		t.Errorf("what does not fit: %d", code)
	}
	d.kind("ben", "mail", anything, nil, nil, func(st *checkpoint.Status) { st.Error = "no" })
	if code := d.plan().ExitCode(); code != 4 {
		t.Errorf("a task that stopped: %d", code)
	}
}

// TestExtrapolation: who was not looked at is taken to be like those that were, by turns, and by what is moved of them.
func TestExtrapolation(t *testing.T) {
	var d dry
	for i, name := range []string{"a", "b"} {
		d.kind(name, "files", anything, []int64{int64(10 * (i + 1))}, nil, nil)
		d.kind(name, "mail", anything, []int64{1, 1}, nil, nil)
	}
	d.kind("drive:x", "files", anything, []int64{7000}, nil, nil)
	for _, name := range []string{"c", "d", "e"} {
		d.others = append(d.others, plan.Person{Source: name, Kinds: []string{"files", "mail"}})
	}
	d.others = append(d.others, plan.Person{Source: "drive:y", Kinds: []string{"files"}}, plan.Person{Source: "f", Kinds: []string{"mail"}})
	p := d.plan()
	kinds, all := p.Totals()
	if len(kinds) != 2 || kinds[0].Kind != "files" || kinds[0].Accounts != 7 || kinds[0].Bytes != 10+20+7000+10+20+10+7000 || kinds[0].Items != 7 || kinds[1].Accounts != 6 {
		t.Errorf("%+v", kinds)
	}
	if all.Accounts != 8 || all.Largest.Bytes != 7000 {
		t.Errorf("all: %+v", all)
	}
	var items, bytes int64
	seen := map[string]bool{}
	for _, demand := range p.Demands() {
		items += demand.Items
		bytes += demand.Bytes
		seen[demand.Account+" "+demand.Kind] = true
	}
	if items != all.Items || bytes != all.Bytes || len(seen) != 13 || !seen["f mail"] || seen["f files"] || seen["drive:y mail"] {
		t.Errorf("demands: %d items, %d bytes, %v", items, bytes, seen)
	}
}

const evil = "\x1b[31m<script>alert(1)</script>\u202e=cmd"

// large is a plan with many bad accounts, and with texts that are attacks.
func large(accounts int) *plan.Plan {
	var d dry
	for i := range accounts {
		reasons := map[string]int64{}
		for j := range 30 {
			reasons[fmt.Sprintf("event.made_up_%d", j)] = 3
		}
		name := fmt.Sprintf("%s%05d@example.org", evil, i)
		for _, kind := range []string{"files", "mail", "calendar", "contacts", "tasks"} {
			d.kind(name, kind, preflight.Limits{Room: 1, Item: 1}, []int64{1e15, -1}, reasons, func(st *checkpoint.Status) { st.Error = evil })
			d.survey.Limit(plan.Part{Account: name, Kind: kind}, plan.Asked{Limits: preflight.NoLimits, Refused: evil})
		}
	}
	for i := range 30 {
		d.examples = append(d.examples, report.Example{Account: evil, Kind: "mail", Reason: fmt.Sprintf("event.made_up_%d", i), Title: evil, Detail: evil, Link: "javascript:alert(1)"})
	}
	p := d.plan()
	p.Estimate = []string{"one line", "and another"}
	p.Waiting = 3
	return p
}

// TestSummaryFitsOneScreen however large the organisation is, in 80 columns, and steers no terminal.
func TestSummaryFitsOneScreen(t *testing.T) {
	defer report.FitTo(0)
	report.FitTo(80)
	var b strings.Builder
	if err := large(300).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) > 49 {
		t.Errorf("%d lines:\n%s", len(lines), b.String())
	}
	for _, l := range lines {
		if n := utf8.RuneCountInString(l); n > 80 {
			t.Errorf("%d columns: %s", n, l)
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Error("an attack reached the terminal")
	}
}

// TestSummaryIsWholeInAPipe, and steers no terminal that somebody shows it on later.
func TestSummaryIsWholeInAPipe(t *testing.T) {
	long := strings.Repeat("a long line of an estimate ", 20) + "that ends here"
	p := large(3)
	p.Estimate, p.Report.Path = []string{long, "\x1b[2J"}, "school/pilot.yaml"
	var b strings.Builder
	if err := p.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{long + "\n", "\nAll of it: repatriate plan school/pilot.yaml --html plan.html\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.ContainsAny(b.String(), "\x1b\u202e") {
		t.Errorf("an attack:\n%s", b.String())
	}
}

// TestNamesForSingleKinds: who is called otherwise for a kind is so in all forms of a plan.
func TestNamesForSingleKinds(t *testing.T) {
	d := new(dry)
	d.kind("ada@example.org", "mail", preflight.NoLimits, []int64{10}, nil, nil)
	d.kind("ada@example.org", "files", preflight.NoLimits, []int64{10}, nil, nil)
	d.kind("bob@example.org", "mail", preflight.NoLimits, []int64{10}, nil, nil)
	d.looked[0].Target, d.looked[0].Targets = "ada", map[string]string{"mail": "a.lovelace"}
	p := d.plan()
	var text, lines, page, object strings.Builder
	for _, err := range []error{p.WriteText(&text), p.WriteCSV(&lines), p.WriteHTML(&page), p.WriteJSON(&object)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ form, got, want string }{
		{"the summary", text.String(), "\nOn the target, ada@example.org is ada; mail: a.lovelace\n"},
		{"CSV", lines.String(), "\nada@example.org,a.lovelace,yes,A,mail,"},
		{"CSV", lines.String(), "\nada@example.org,ada,yes,A,files,"},
		{"HTML", page.String(), "→ <bdi>ada; mail: a.lovelace</bdi>"},
		{"HTML", page.String(), "→ <bdi>bob@example.org-t</bdi>"},
		{"JSON", object.String(), `"targets": {`},
	} {
		if !strings.Contains(c.got, c.want) {
			t.Errorf("%s does not say %q:\n%s", c.form, c.want, c.got)
		}
	}
}

// TestFormsOfPlans: nothing in CSV is calculated, nothing in HTML is markup, JSON can be read.
func TestFormsOfPlans(t *testing.T) {
	p := large(3)
	p.Others = []plan.Person{{Source: "=other", Target: "o", Kinds: []string{"mail"}}}
	var lines, page, object bytes.Buffer
	for _, err := range []error{p.WriteCSV(&lines), p.WriteHTML(&page), p.WriteJSON(&object)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(lines.String(), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 1+3*5+1 {
		t.Fatalf("%d lines, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if strings.ContainsAny(cell, "\x1b\u202e") || cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("a cell is %q", cell)
			}
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "javascript:") || !strings.HasPrefix(page.String(), "<!doctype html>") {
		t.Error("the page holds what it should not")
	}
	var got struct {
		LookedAt    int `json:"looked_at"`
		NotLookedAt int `json:"not_looked_at"`
		Grades      map[string]int
		Accounts    []struct{ Grade htmlreport.Grade }
	}
	if err := json.Unmarshal(object.Bytes(), &got); err != nil || got.LookedAt != 3 || got.NotLookedAt != 1 || got.Grades["D"] != 3 || got.Accounts[0].Grade != htmlreport.D {
		t.Errorf("%+v, %v", got, err)
	}
}

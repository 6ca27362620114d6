package htmlreport_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// hostilePlan is a plan in which every text is long or an attack.
func hostilePlan() htmlreport.PlanPage {
	p := htmlreport.PlanPage{
		Job: "<b>pilot</b>", Provider: "Google Workspace", Version: "0", Made: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), State: report.Stopped, Verdict: evil,
		Notes: []string{evil}, Estimate: []string{evil, "between 2 and 5 nights"}, Grades: [4]int64{1, 20, 300, 4000},
		Cards: []htmlreport.PlanNumber{{Label: "items", Value: "12"}, {Label: "do not fit", Value: "3", Bad: true}},
	}
	numbers := func(note string) []htmlreport.PlanNumber {
		return []htmlreport.PlanNumber{{Label: "items", Value: "12"}, {Label: "largest", Value: "12.3 GB", Note: note}, {Label: "longest path", Value: "–"}}
	}
	p.Kinds = []htmlreport.PlanRow{{Label: "files", Numbers: numbers("")}, {Label: "all", Numbers: numbers("")}}
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 20)
	lines := htmlreport.PlanList{Title: "What does not fit on the target"}
	for _, text := range []string{evil, long, strings.Repeat("é ", 300), "\u202eabc\u2066", "<svg onload=alert(1)>", "{{.}}", "</script></style><h1>x"} {
		p.Accounts = append(p.Accounts, htmlreport.PlanRow{Label: text, Name: text, Target: text, Grade: htmlreport.D, Why: []string{text, text}, Numbers: numbers(text)})
		lines.Lines = append(lines.Lines, htmlreport.PlanLine{Title: text, Text: text})
		p.Reasons = append(p.Reasons, htmlreport.PlanReason{Reason: text, Grade: htmlreport.C, Items: 7, Examples: []htmlreport.PlanExample{
			{Account: text, Kind: "files", Title: text, Detail: text, Link: "javascript:" + text}, {Account: text, Kind: "mail", Title: text, Link: "https://example.org/" + text},
		}})
	}
	p.Lists = []htmlreport.PlanList{{Title: "nothing"}, lines}
	return p
}

func planPageOf(t *testing.T, p htmlreport.PlanPage) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "plan.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPlanPage: it forbids every script, what is too much is counted, and lists without lines are not there.
func TestPlanPage(t *testing.T) {
	p := hostilePlan()
	for range 20_010 {
		p.Accounts = append(p.Accounts, htmlreport.PlanRow{Label: "ada@example.org"})
	}
	for range 200 {
		p.Lists[1].Lines = append(p.Lists[1].Lines, htmlreport.PlanLine{Title: "ada@example.org, mail"})
	}
	b, err := os.ReadFile(planPageOf(t, p))
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for _, want := range []string{"script-src &#39;none&#39;", "… and 17 more accounts", "… and 107 more; the CSV", "2 examples of 7.", "between 2 and 5 nights", "4,000"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, "nothing</h2>") || strings.Contains(text, "<script") {
		t.Error("the page has what it should not")
	}
}

// TestPlanRulesAreDocumented in the words of the page.
func TestPlanRulesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range htmlreport.PlanRules {
		if row := "| " + r.Grade.String() + " | " + r.Name + " | " + r.Meaning + " |"; !strings.Contains(string(text), row) {
			t.Errorf("docs/plan.md lacks %s", row)
		}
	}
	if rows := regexp.MustCompile(`(?m)^\| [A-D] \|`).FindAllString(string(text), -1); len(rows) != len(htmlreport.PlanRules) {
		t.Errorf("docs/plan.md has %d grades", len(rows))
	}
}

package htmlreport_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/docs"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
)

// TestGradesAreDocumented: docs/reports.md gives every reason exactly one grade, the one that reports use, and has the rules
// in the words of the report.
func TestGradesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range htmlreport.Rules {
		if row := "| " + r.Grade.String() + " | " + r.Name + " | " + r.Meaning + " |"; !strings.Contains(string(text), row) {
			t.Errorf("docs/reports.md lacks %s", row)
		}
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| ([A-D]) \\| (`.*`) \\|$").FindAllStringSubmatch(string(text), -1) {
		for _, name := range regexp.MustCompile("`([a-z_.]+)`").FindAllStringSubmatch(m[2], -1) {
			documented[name[1]] += m[1]
		}
	}
	for _, r := range docs.ListReasons() {
		if !htmlreport.Known(r.Name) {
			t.Errorf("%s has no grade", r.Name)
		}
		if got := documented[r.Name]; got != htmlreport.Of(r.Name).String() {
			t.Errorf("docs/reports.md says %q of %s, reports say %s", got, r.Name, htmlreport.Of(r.Name))
		}
		delete(documented, r.Name)
	}
	if len(documented) > 0 {
		t.Errorf("there are no such reasons: %v", documented)
	}
}

func TestGradesOfAccounts(t *testing.T) {
	one := func(r checkpoint.Record) []checkpoint.Record {
		return []checkpoint.Record{{ID: "a", State: checkpoint.Copied}, r}
	}
	lossy := func(reason string) checkpoint.Record {
		return checkpoint.Record{ID: "b", State: checkpoint.CopiedWithLosses, Losses: []checkpoint.Loss{{Reason: reason}}}
	}
	for name, c := range map[string]struct {
		records []checkpoint.Record
		err     string
		grade   htmlreport.Grade
		why     string
	}{
		"nothing":        {nil, "", htmlreport.A, ""},
		"copied":         {one(checkpoint.Record{ID: "b", State: checkpoint.Copied}), "", htmlreport.A, ""},
		"gone":           {one(checkpoint.Record{ID: "b", State: checkpoint.Removed}), "", htmlreport.A, ""},
		"left out":       {one(checkpoint.Record{ID: "b", State: checkpoint.Skipped, Reason: "source.left_out"}), "", htmlreport.A, "source.left_out"},
		"small loss":     {one(lossy("file.renamed")), "", htmlreport.B, "file.renamed"},
		"loss":           {one(lossy("event.zone_unknown")), "", htmlreport.C, "event.zone_unknown"},
		"unknown loss":   {one(lossy("event.of_the_future")), "", htmlreport.C, "event.of_the_future"},
		"no export":      {one(checkpoint.Record{ID: "b", State: checkpoint.Skipped, Reason: "source.no_export"}), "", htmlreport.C, "source.no_export"},
		"encrypted":      {one(checkpoint.Record{ID: "b", State: checkpoint.Skipped, Reason: "source.encrypted"}), "", htmlreport.D, "source.encrypted"},
		"failed, a form": {one(checkpoint.Record{ID: "b", State: checkpoint.Failed, Reason: "source.no_export"}), "", htmlreport.D, "items failed"},
		"pending":        {one(checkpoint.Record{ID: "b"}), "", htmlreport.D, "items still to come"},
		"stopped":        {nil, "no mailbox", htmlreport.D, "stopped"},
	} {
		l := ledger{{Account: "ada", Kind: "mail", Collection: "m"}: {records: c.records, err: c.err}}
		a := l.job().Accounts[0]
		if a.Grade != c.grade || !strings.HasPrefix(strings.Join(a.Why, " "), c.why) {
			t.Errorf("%s: grade %s for %q", name, a.Grade, a.Why)
		}
	}
	status := checkpoint.Status{Task: checkpoint.Task{Account: "ada", Kind: "mail", Collection: "m"}, Complete: true, Listed: 2}
	if a := jobOf(status).Accounts[0]; a.Grade != htmlreport.D {
		t.Errorf("a ledger that does not balance: grade %s", a.Grade)
	}
}

// TestAccountsOfTheJobFile: one that was never begun is in the report, and the others have their names.
func TestAccountsOfTheJobFile(t *testing.T) {
	var got []string
	for _, a := range sample().job(people...).Accounts {
		got = append(got, a.Source+" "+a.Target+" "+a.Grade.String())
	}
	want := "ada@example.org ada D; ben@example.org ben@example.org A; drive:0AX  D; zoe@example.org zoe D"
	if strings.Join(got, "; ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/report"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// planOf is a plan in which ada loses something of her calendar for the given reasons, and ben nothing.
func planOf(reasons ...string) *plan.Plan {
	var d dry
	counts := map[string]int64{}
	for _, r := range reasons {
		counts[r] = 1
	}
	d.kind("ada", "calendar", anything, []int64{1, 2, 3}, counts, func(st *checkpoint.Status) {
		st.Counts[checkpoint.Copied], st.Counts[checkpoint.CopiedWithLosses] = 3-int64(len(reasons)), int64(len(reasons))
	})
	d.kind("ben", "calendar", anything, []int64{1}, nil, nil)
	return d.plan()
}

func kept(t *testing.T, plans ...*plan.Plan) *plan.Kept {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pilot.plan.json")
	for _, p := range plans {
		k, err := plan.ReadKept(path, "pilot")
		if err != nil {
			t.Fatal(err)
		}
		k.Keep(p, []string{"ada", "ben"})
		if err := k.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the plan: %v, %v", info, err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	k, err := plan.ReadKept(path, "pilot")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKeptPlans: a plan of a part takes the place of that part alone, and who is gone is forgotten.
func TestKeptPlans(t *testing.T) {
	var part dry
	part.kind("ada", "mail", anything, []int64{1}, nil, func(st *checkpoint.Status) { st.Error = "no mailbox" })
	part.kind("zoe", "mail", anything, []int64{1}, nil, nil)
	k := kept(t, planOf("event.end_repaired"), part.plan(), planOf("event.color"))
	grade, why, planned := k.Grade("ada")
	if grade != htmlreport.D || strings.Join(why, ", ") != "stopped" || !planned || len(k.Accounts["ada"]) != 2 {
		t.Errorf("ada has %s for %q", grade, why)
	}
	if c := k.Accounts["ada"]["calendar"]; c.Grade != htmlreport.B || c.Items != 3 || c.Bytes != 6 || c.Release != "1.2.3" || !c.Planned.Equal(noon) {
		t.Errorf("ada's calendar: %+v", c)
	}
	k.Keep(&plan.Plan{}, []string{"ben"})
	if _, _, planned := k.Grade("ada"); planned {
		t.Error("who is in no accounts file any more is still kept")
	}
}

func TestPlansThatCannotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.json")
	for _, text := range []string{"", "{", `{"version":9,"job":"pilot"}`, `{"version":1,"job":"other"}`, `{"version":1,"job":"pilot","accounts":{"ada":{"mail":{"grade":"E"}}}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := plan.ReadKept(path, "pilot"); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestGate follows an account through plans and approvals.
func TestGate(t *testing.T) {
	approvals := filepath.Join(t.TempDir(), "pilot.approvals.jsonl")
	held := func(limit htmlreport.Grade, k *plan.Kept, account string, kinds ...string) string {
		t.Helper()
		all, err := plan.ReadApprovals(approvals)
		if err != nil {
			t.Fatal(err)
		}
		h := plan.NewGate(limit, k, all).Holds(account, kinds)
		if h == nil {
			return ""
		}
		return strings.TrimSpace(h.Grade + " " + h.Why)
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: held for %q, want %q", what, got, want)
		}
	}
	k := kept(t, planOf("event.color", "event.end_repaired"))
	expect("better than the limit", held(htmlreport.C, k, "ada", "calendar"), "")
	expect("worse", held(htmlreport.B, k, "ada", "calendar"), "C event.end_repaired")
	expect("much worse", held(htmlreport.A, k, "ada", "calendar"), "C event.end_repaired")
	expect("complete", held(htmlreport.A, k, "ben", "calendar"), "")
	expect("another kind", held(htmlreport.C, k, "ben", "calendar", "mail"), "not planned yet: mail")
	expect("nobody", held(htmlreport.C, k, "zoe", "mail"), "not planned yet: mail")

	a, planned := k.Approve("ada", "head of IT", "known", noon)
	if !planned || a.Grade != htmlreport.C || strings.Join(a.Reasons["calendar"], " ") != "event.color event.end_repaired" {
		t.Fatalf("%+v", a)
	}
	if _, planned := k.Approve("zoe", "head of IT", "", noon); planned {
		t.Error("what has no plan was approved")
	}
	if err := plan.AppendApprovals(approvals, a); err != nil {
		t.Fatal(err)
	}
	expect("approved", held(htmlreport.A, k, "ada", "calendar"), "")
	expect("less than approved", held(htmlreport.A, kept(t, planOf("event.color")), "ada", "calendar"), "")
	expect("something new", held(htmlreport.B, kept(t, planOf("event.end_repaired", "event.rule_invalid")), "ada", "calendar"), "C event.rule_invalid")
	expect("something new that needs no approval", held(htmlreport.B, kept(t, planOf("event.end_repaired", "event.link")), "ada", "calendar"), "")
	expect("somebody else's approval", held(htmlreport.B, kept(t, planOf("event.end_repaired")), "ben", "calendar"), "")
}

// TestApprovalsAreAppended: what is in the file stays, whatever a broken write left at its end.
func TestApprovalsAreAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pilot.approvals.jsonl")
	k := kept(t, planOf("event.color"))
	one, _ := k.Approve("ada", "first", "", noon)
	two, _ := k.Approve("ada", "second", "with a\nline end", noon)
	if err := plan.AppendApprovals(path, one); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(before, `{"account":"ada","gra`...), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := plan.AppendApprovals(path, two, one); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(after), string(before)) || strings.Count(string(after), "\n") != 4 {
		t.Errorf("%s, %v", after, err)
	}
	all, err := plan.ReadApprovals(path)
	if err != nil || len(all.All) != 3 || all.Broken != 1 || all.Of("ada").By != "first" || all.All[1].Note != two.Note || all.Of("ben") != nil {
		t.Errorf("%+v, %v", all, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the approvals: %v, %v", info, err)
	}
}

// TestDrivesAreNamed plans a shared drive: who approves it sees what it is called, and the account as it is typed.
func TestDrivesAreNamed(t *testing.T) {
	var d dry
	d.kind("drive:0AX", "files", anything, []int64{1}, nil, func(st *checkpoint.Status) { st.Name, st.Error = "Projects", "no access" })
	k := &plan.Kept{Job: "pilot", Accounts: map[string]map[string]plan.KeptKind{}}
	k.Keep(d.plan(), []string{"drive:0AX"})
	held := plan.NewGate(htmlreport.A, k, plan.Approvals{}).Holds("drive:0AX", []string{"files"})
	if held == nil || held.Name != "Projects" {
		t.Fatalf("%+v", held)
	}
	a, _ := k.Approve("drive:0AX", "head of IT", "", noon)
	var b strings.Builder
	if err := (plan.List{Job: "pilot", Approve: "A", Approvals: plan.Approvals{All: []plan.Approval{a}}, Waiting: []report.Held{*held}}).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "D Projects (drive:0AX)"); n != 2 {
		t.Errorf("named %d times in:\n%s", n, b.String())
	}
}

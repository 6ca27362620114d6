package report_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// several are the tasks of two accounts and two kinds; one of them does not balance.
func several(listed int64) []checkpoint.Status {
	var tasks []checkpoint.Status
	for _, key := range [][2]string{{"ada@example.org", "files"}, {"ada@example.org", "mail"}, {"bob@example.org", "mail"}} {
		s := status(5, map[checkpoint.State]int64{checkpoint.Copied: 3, checkpoint.Skipped: 1, checkpoint.Writing: 1}, "")
		s.Account, s.Kind, s.Collection, s.Name = key[0], key[1], key[1], ""
		tasks = append(tasks, s)
	}
	tasks[1].Listed, tasks[1].Name = listed, "Mail"
	return tasks
}

func TestTotals(t *testing.T) {
	r := report.New("pilot", several(5))
	var all []string
	for _, total := range append(r.Accounts, r.Kinds...) {
		all = append(all, fmt.Sprintf("%s%s %d %d %d %v", total.Account, total.Kind, total.Tasks, total.Listed, total.Copied, total.Balanced))
	}
	want := "ada@example.org 2 10 6 true, bob@example.org 1 5 3 true, files 1 5 3 true, mail 2 10 6 true"
	if got := strings.Join(all, ", "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "totals.golden", b.String())
}

func TestUnbalancedIsExplained(t *testing.T) {
	for listed, says := range map[int64]string{
		6: "6 were listed, and the states add up to 5: 1 item is not accounted for.",
		9: "4 items are not accounted for.",
		4: "1 item was never counted as listed.",
		1: "1 was listed, and the states add up to 5: 4 items were never counted as listed.",
	} {
		r := report.New("pilot", several(listed))
		r.Path = "pilot.yaml"
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		text := strings.Join(strings.Fields(b.String()), " ")
		for _, want := range []string{
			says, "ada@example.org, mail (Mail): the ledger does NOT balance", "does NOT balance: 1 collection", "repatriate state check pilot.yaml",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%d listed: %q does not stand in %s", listed, want, text)
			}
		}
		if strings.Contains(text, "Go on with") || strings.Contains(text, "bob@example.org, mail") {
			t.Errorf("%d listed: it says too much: %s", listed, text)
		}
		wrong := r.Balanced || r.Accounts[0].Balanced || !r.Accounts[1].Balanced || r.Kinds[1].Balanced
		if wrong || r.Tasks[1].Unaccounted != listed-5 || r.ExitCode() != 3 {
			t.Errorf("%d listed: %+v", listed, r)
		}
		if listed == 9 {
			golden(t, "unbalanced.golden", b.String())
		}
	}
}

func TestManyUnbalancedTasks(t *testing.T) {
	var tasks []checkpoint.Status
	for i := range 100 {
		s := status(2, map[checkpoint.State]int64{checkpoint.Copied: 1}, "")
		s.Account = fmt.Sprintf("user%03d", i)
		tasks = append(tasks, s)
	}
	var b strings.Builder
	if err := report.New("pilot", tasks).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "add up to 1"); n != 20 || !strings.Contains(b.String(), "… and 80 other collections") {
		t.Errorf("%d tasks are named in %s", n, b.String())
	}
}

func TestColumns(t *testing.T) {
	var b strings.Builder
	err := report.WriteColumns(&b, 1, [][]string{{"account", "released", "n"}, {"zoë@example.org", "7", "1000"}})
	want := "account          released     n\nzoë@example.org         7  1000\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestCheckTexts(t *testing.T) {
	c := report.Damaged("pilot", "/a/pilot.db", fmt.Errorf("state file /a/pilot.db: cut off\x1b[2J"))
	var text, js strings.Builder
	if err := c.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteJSON(&js); err != nil {
		t.Fatal(err)
	}
	said := text.String()
	if strings.Contains(said, "\x1b") || !strings.HasPrefix(said, "State file /a/pilot.db: cut off") || !strings.Contains(said, "Put a copy") {
		t.Errorf("%q", said)
	}
	var got report.Check
	if err := json.Unmarshal([]byte(js.String()), &got); err != nil || got.Sound || len(got.Findings) != 1 || c.ExitCode() != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	if said := strings.Join(strings.Fields(said), " "); strings.Contains(said, "writes anew only") || !strings.Contains(said, "writes all mail a second time") {
		t.Errorf("what beginning anew costs is not said: %q", said)
	}
	if f := got.Findings[0]; f.Rule != checkpoint.RuleIntact || f.Do == "" {
		t.Errorf("%+v", f)
	}
}

package report_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func status(listed int64, counts map[checkpoint.State]int64, err string) checkpoint.Status {
	s := checkpoint.Status{Task: checkpoint.Task{Account: "ada", Kind: "mail", Collection: "mailbox"}, Listed: listed, Error: err, Complete: true}
	for st, n := range counts {
		s.Counts[st] = n
	}
	return s
}

func TestStatesAndExitCodes(t *testing.T) {
	for name, c := range map[string]struct {
		status checkpoint.Status
		state  string
		code   int
	}{
		"complete":   {status(3, map[checkpoint.State]int64{checkpoint.Copied: 2, checkpoint.Skipped: 1}, ""), report.Complete, 0},
		"failed":     {status(2, map[checkpoint.State]int64{checkpoint.Copied: 1, checkpoint.Failed: 1}, ""), report.Incomplete, 3},
		"pending":    {status(1, map[checkpoint.State]int64{checkpoint.Writing: 1}, ""), report.Incomplete, 3},
		"unbalanced": {status(2, map[checkpoint.State]int64{checkpoint.Copied: 1}, ""), report.Incomplete, 3},
		"stopped":    {status(1, map[checkpoint.State]int64{checkpoint.Pending: 1}, "full"), report.Stopped, 4},
		"not listed": {checkpoint.Status{Task: checkpoint.Task{Collection: "mailbox"}}, report.Incomplete, 3},
		"recovered":  {checkpoint.Status{Task: checkpoint.Task{Kind: "calendar"}}, report.Complete, 0},
	} {
		r := report.New("job", []checkpoint.Status{c.status})
		if r.State != c.state || r.ExitCode() != c.code {
			t.Errorf("%s: %s, exit code %d", name, r.State, r.ExitCode())
		}
	}
}

func TestJSONShape(t *testing.T) {
	r := report.New("pilot", []checkpoint.Status{status(1, map[checkpoint.State]int64{checkpoint.Copied: 1}, "")})
	r.Pass = &report.Pass{Written: 1}
	var text strings.Builder
	if err := r.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(text.String()), &got); err != nil {
		t.Fatal(err)
	}
	for key, fields := range map[string]string{
		"totals": "listed copied copied_with_losses skipped failed removed pending bytes",
		"pass":   "written removed bytes source_requests target_requests throttled_seconds seconds",
	} {
		for _, f := range strings.Fields(fields) {
			if _, ok := got[key].(map[string]any)[f]; !ok {
				t.Errorf("%s.%s is missing", key, f)
			}
		}
	}
	task := got["tasks"].([]any)[0].(map[string]any)
	for _, f := range strings.Fields("account kind collection listed copied pending balanced reasons error") {
		if _, ok := task[f]; !ok {
			t.Errorf("tasks[].%s is missing", f)
		}
	}
}

func TestTextNeutralisesNames(t *testing.T) {
	s := status(1, map[checkpoint.State]int64{checkpoint.Failed: 1}, "")
	s.Account, s.Reasons = "\x1b]0;owned\x07ada", map[string]int64{"x": 1}
	r := report.New("job", []checkpoint.Status{s})
	r.Examples = []report.Example{{Account: "ada", Reason: "x", Title: "\x1b[2Jred\u202eevil", Detail: "a\nb"}}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x07\u202e") || !strings.Contains(text.String(), "a b") {
		t.Errorf("%q", text.String())
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1_500_000: "1.5 MB", 2e15: "2.0 PB"} {
		if got := report.Size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestTextForPeople(t *testing.T) {
	mail := status(9, map[checkpoint.State]int64{checkpoint.Copied: 5, checkpoint.CopiedWithLosses: 2, checkpoint.Skipped: 1, checkpoint.Failed: 1}, "")
	mail.Account, mail.Name, mail.Bytes = "ada@example.org", "Mail", 12_345_678
	mail.Reasons = map[string]int64{"mail.line_endings": 2, "source.left_out": 1, "target.too_big": 1}
	files := status(0, nil, "login: the target answered 401 Unauthorized (target.auth): check the account's user and password on the target")
	files.Account, files.Kind, files.Name = "bob@example.org", "files", "Drive"
	r := report.New("pilot", []checkpoint.Status{mail, files})
	r.Path = "pilot.yaml"
	r.Pass = &report.Pass{Written: 1, Bytes: 1, SourceRequests: 1, TargetRequests: 2, Seconds: 1.23, ThrottledSeconds: 0.5,
		Throttled: map[string]float64{"Gmail, per user": 0.2, "WebDAV": 0.4, "CalDAV": 0.01}}
	r.Examples = []report.Example{
		{Account: "ada@example.org", Reason: "target.too_big", Title: "Holiday", Detail: "APPEND: NO [TOOBIG] no (target.too_big)", Link: "https://mail.google.com/mail/#all/1", Failed: true},
		{Account: "ada@example.org", Reason: "mail.line_endings", Title: "One", Detail: "3 bare line feeds became CRLF"},
		{Account: "ada@example.org", Reason: "mail.line_endings", Title: "Two", Detail: "1 bare line feeds became CRLF"},
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "text.golden", b.String())
}

func TestManyTasksAreSummedUp(t *testing.T) {
	var tasks []checkpoint.Status
	for i := range 500 {
		s := status(10, map[checkpoint.State]int64{checkpoint.Copied: 10}, "")
		s.Account = fmt.Sprintf("user%03d@example.org", i)
		tasks = append(tasks, s)
	}
	tasks[123] = status(10, map[checkpoint.State]int64{checkpoint.Copied: 9, checkpoint.Failed: 1}, "")
	tasks[123].Account = "unlucky@example.org"
	for _, c := range []struct {
		simulated bool
		where     string
	}{{false, "'repatriate report JOB.yaml'"}, {true, "--json"}} {
		var b strings.Builder
		r := report.New("pilot", tasks)
		r.Simulated = c.simulated
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if !strings.Contains(text, "unlucky@example.org") || strings.Contains(text, "user000") || !strings.Contains(text, " 5000 ") {
			t.Error(text)
		}
		if !strings.Contains(text, "\n499 collections without failures are not shown; "+c.where+" has them.\nThe others are these:\n") {
			t.Error(text)
		}
	}
}

// TestStoppedIsNotEmpty: a collection of which nothing could be listed does not look like one in which there is nothing.
func TestStoppedIsNotEmpty(t *testing.T) {
	for _, c := range []struct {
		name, err string
		listed    int64
		simulated bool
		want      string
	}{
		{"empty", "", 0, false, "0 0 0 0 0 –"},
		{"stopped", "401", 0, false, "0 0 0 0 0 stopped"},
		{"stopped dry run", "401", 0, true, "stopped 0 0 0 0"},
		{"stopped after a page", "401", 2, false, "2 2 0 0 0 –"},
	} {
		s := status(c.listed, map[checkpoint.State]int64{checkpoint.Copied: c.listed}, c.err)
		s.Name = "Mail"
		r := report.New("pilot", []checkpoint.Status{s})
		r.Simulated = c.simulated
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, "mail Mail "+c.want+" ") {
			t.Errorf("%s: no %q in\n%s", c.name, c.want, b.String())
		}
	}
}

// TestStopsSayWhatToDo: the remedy of the reason stands there, not only what it means.
func TestStopsSayWhatToDo(t *testing.T) {
	full := status(0, nil, "the target answered 507 (target.quota)")
	var b strings.Builder
	if err := report.New("pilot", []checkpoint.Status{full}).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\n  What to do: "+report.Advice("target.quota")+"\n") {
		t.Error(b.String())
	}
}

func TestTasksThatStoppedAlikeStandTogether(t *testing.T) {
	var tasks []checkpoint.Status
	for i := range 100 {
		s := status(0, nil, fmt.Sprintf("Drive token for user%d@example.org: refused (source.account_gone)", i))
		s.Account = fmt.Sprintf("user%d@example.org", i)
		tasks = append(tasks, s)
	}
	other := status(0, nil, "mail is full (target.quota)")
	other.Until = time.Now().Add(time.Hour)
	var b strings.Builder
	if err := report.New("pilot", append(tasks, other)).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"and 97 more", "user2@example.org,", "mail is full", "Parked until", "101 collections"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(text, "Stopped: "); n != 2 {
		t.Errorf("%d times \"Stopped\" in\n%s", n, text)
	}
}

func TestDryRunSaysSo(t *testing.T) {
	r := report.New("pilot", []checkpoint.Status{status(1, map[checkpoint.State]int64{checkpoint.Copied: 1}, "")})
	r.Pass, r.Simulated = &report.Pass{Written: 1}, true
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "Dry run: nothing was written") || strings.Contains(b.String(), "This pass wrote") {
		t.Error(b.String())
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	for _, line := range strings.Split(got, "\n") {
		if n := utf8.RuneCountInString(line); n > 100 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("a line of %d columns: %q", n, line)
		}
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestKindThatCanBeOpenedAgainLeavesNoLine(t *testing.T) {
	once := checkpoint.Status{Task: checkpoint.Task{Account: "ada", Kind: "calendar"}}
	if r := report.New("job", []checkpoint.Status{once}); len(r.Tasks) != 0 {
		t.Errorf("%+v", r.Tasks)
	}
	once.Error = "no"
	if r := report.New("job", []checkpoint.Status{once}); len(r.Tasks) != 1 || r.State != report.Stopped {
		t.Errorf("%+v", r)
	}
}

// TestNextStepOfACompleteRun is to look; what is only looked at has none.
func TestNextStepOfACompleteRun(t *testing.T) {
	for name, c := range map[string]struct {
		pass *report.Pass
		says bool
	}{"run": {&report.Pass{}, true}, "status": {nil, false}} {
		r := report.New("pilot", []checkpoint.Status{status(2, map[checkpoint.State]int64{checkpoint.Copied: 2}, "")})
		r.Path, r.Pass = "pilot.yaml", c.pass
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "repatriate verify pilot.yaml") != c.says {
			t.Errorf("%s: %s", name, b.String())
		}
	}
}

package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func statusOf(account string, copied, pending int64, stopped string, until time.Time) checkpoint.Status {
	s := checkpoint.Status{Task: checkpoint.Task{Account: account, Kind: "mail", Collection: "mailbox"}, Name: "Mail", Listed: copied + pending,
		Bytes: 1000 * copied, Complete: pending == 0, Error: stopped, Until: until}
	s.Counts[checkpoint.Copied], s.Counts[checkpoint.Pending] = copied, pending
	return s
}

func TestBrief(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.Local)
	look := func(copied int64) *report.Report {
		return report.New("pilot", []checkpoint.Status{
			statusOf("ada@example.org", copied, 100-copied, "", time.Time{}), statusOf("bob@example.org", 5, 0, "", time.Time{}),
			statusOf("eve@example.org", 0, 1, "the quota is used up \x1b[2J", now.Add(time.Hour)),
		})
	}
	first := report.Brief{Report: look(10), At: now, Accounts: 400}
	second := report.Brief{Report: look(60), At: now.Add(10 * time.Second), Accounts: 400, Before: &first}
	want := []string{
		"pilot at 12:00:10: 5.0 items and 5.0 kB per second",
		"      listed  copied  losses  skipped  failed  removed  pending     size",
		"mail     106      65       0        0       0        0       41  65.0 kB",
		"1 of 400 accounts moved to the end, 2 begun",
		"Stopped: eve@example.org, mail (Mail), parked until 2026-11-27 13:00",
		"  the quota is used up �[2J",
	}
	if got := second.Lines(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if got := first.Lines()[0]; got != "pilot at 12:00:00" {
		t.Errorf("the first look says %q", got)
	}
}

// TestBriefIsBrief has more causes of stops than there is room for, and numbers of a large job.
func TestBriefIsBrief(t *testing.T) {
	var statuses []checkpoint.Status
	for i := range 10 {
		statuses = append(statuses, statusOf(fmt.Sprintf("user%d@example.org", i), 1_234_567, 0, fmt.Sprint("cause ", i), time.Time{}))
	}
	lines := report.Brief{Report: report.New("pilot", statuses), At: time.Now(), Accounts: 10}.Lines()
	if len(lines) != 4+2*3+1 || lines[len(lines)-1] != "… and others that stopped for 7 other reasons" {
		t.Errorf("%q", lines)
	}
	for _, l := range lines {
		if len(l) > 80 {
			t.Errorf("%d columns: %s", len(l), l)
		}
	}
}

// TestVerdictOfAPlannedEnd, and of tasks that only wait for their time.
func TestVerdictOfAPlannedEnd(t *testing.T) {
	end, soon := time.Date(2026, 11, 28, 6, 0, 0, 0, time.Local), time.Now().Add(time.Hour)
	for _, c := range []struct {
		statuses []checkpoint.Status
		code     int
		want     []string
	}{
		{[]checkpoint.Status{statusOf("ada@example.org", 5, 0, "", time.Time{})}, 3, []string{"Ended at 06:00, as asked; nothing is lost. Go on with: repatriate run JOB.yaml"}},
		{[]checkpoint.Status{statusOf("ada@example.org", 5, 2, "", time.Time{})}, 3, []string{"2 of them still to come", "Ended at 06:00, as asked"}},
		{[]checkpoint.Status{statusOf("ada@example.org", 5, 2, "no space (target.quota)", time.Time{})}, 4,
			[]string{"Ended at 06:00, as asked", "That means: The account on the target, or the server, is full.", "Mend the cause above"}},
		{[]checkpoint.Status{statusOf("ada@example.org", 5, 2, "used up (source.daily_limit)", soon)}, 4,
			[]string{"Parked until", "Parked before the end: 1 collection. Go on after " + soon.Format("2006-01-02")}},
	} {
		r := report.New("pilot", c.statuses)
		r.EndAt(end)
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(text.String(), want) {
				t.Errorf("no %q in\n%s", want, text.String())
			}
		}
		if got := r.ExitCode(); got != c.code {
			t.Errorf("exit code %d, want %d", got, c.code)
		}
		if n := strings.Count(text.String(), "Go on with"); n > 1 {
			t.Errorf("it says %d times how to go on:\n%s", n, text.String())
		}
	}
}

// TestFailedAndParked: what failed in a collection that is parked is not taken up by a retry, which says until when.
func TestFailedAndParked(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	at := soon.Local().Format("2006-01-02 15:04")
	failed := func(account, cause string, until time.Time, n int64) checkpoint.Status {
		s := statusOf(account, 5, 0, cause, until)
		s.Listed += n
		s.Counts[checkpoint.Failed] = n
		return s
	}
	now, later := "Failed: 2 items. Mend the cause above, then: repatriate retry p.yaml", "Failed, and not taken up before "+at
	for _, c := range []struct {
		name     string
		statuses []checkpoint.Status
		want     []string
		not      string
	}{
		{"nothing is parked", []checkpoint.Status{failed("ada@example.org", "", time.Time{}, 2)}, []string{now}, "not taken up"},
		{"all is parked", []checkpoint.Status{failed("ada@example.org", "used up (source.daily_limit)", soon, 3)},
			[]string{later + ", since the collection is parked until then (see above): 3 items. Run again after that: repatriate retry p.yaml"}, "Mend"},
		{"some is parked", []checkpoint.Status{
			failed("ada@example.org", "", time.Time{}, 2), failed("bob@example.org", "used up (source.daily_limit)", soon, 1),
			failed("eve@example.org", "used up (source.daily_limit)", soon.Add(-time.Minute), 3),
		}, []string{now, later + ", since 2 collections are parked until then (see above): 4 items."}, ""},
		{"its time has come", []checkpoint.Status{failed("ada@example.org", "used up (source.daily_limit)", soon.Add(-2*time.Hour), 2)}, []string{now}, "not taken up"},
	} {
		r := report.New("pilot", c.statuses)
		r.Path, r.Pass = "p.yaml", &report.Pass{}
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		said := strings.ReplaceAll(text.String(), "\n", " ")
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, text.String())
			}
		}
		if c.not != "" && strings.Contains(said, c.not) {
			t.Errorf("%s: %q in\n%s", c.name, c.not, text.String())
		}
	}
}

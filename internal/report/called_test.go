package report

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

func TestCalled(t *testing.T) {
	long := "drive:b!" + strings.Repeat("x", 66)
	for _, c := range []struct{ account, task, want, short string }{
		{"ada@example.org", "Drive", "ada@example.org", "ada@example.org"},
		{"drive:0AX", "Projects", "Projects (drive:0AX)", "Projects (drive)"},
		{"drive:0AX", "", "drive:0AX", "drive:0AX"},
		{"drive:0AX", "Shared drive", "drive:0AX", "drive:0AX"},
		{"drive:0AX", "a\x1b[31m\nb", "a\ufffd[31m b (drive:0AX)", "a\ufffd[31m b (drive)"},
		{long, "school / Shared Documents", "school / Shared Documents (" + long + ")", "school / Shared Documents (drive)"},
	} {
		if got, short := Called(c.account, c.task), CalledShortly(c.account, c.task); got != c.want || short != c.short {
			t.Errorf("%s, %s: called %q and %q", c.account, c.task, got, short)
		}
	}
}

// TestDrivesHaveNames shows a drive in a summary: by name everywhere, and with its id once, as it is typed.
func TestDrivesHaveNames(t *testing.T) {
	s := checkpoint.Status{Task: checkpoint.Task{Account: "drive:0AX", Kind: "files", Collection: "drive"}, Name: "Projects", Listed: 1, Error: "no room (target.quota)"}
	s.Counts[checkpoint.Failed] = 1
	s.Reasons = map[string]int64{"target.quota": 1}
	r := New("pilot", []checkpoint.Status{s})
	r.Examples = []Example{{Account: "drive:0AX", Kind: "files", Reason: "target.quota", Title: "plan.txt", Failed: true}}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Projects (drive:0AX)\n", "failed: Projects (drive): plan.txt", "Stopped: Projects (drive), files\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "drive:0AX"); n != 1 {
		t.Errorf("the id stands %d times in:\n%s", n, b.String())
	}
}

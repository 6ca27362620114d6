package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// TestAPassThatBroughtNothing tells what failed, and nothing of what was lost and skipped in passes before it.
func TestAPassThatBroughtNothing(t *testing.T) {
	mail := status(9, map[checkpoint.State]int64{checkpoint.Copied: 5, checkpoint.CopiedWithLosses: 2, checkpoint.Skipped: 1, checkpoint.Failed: 1}, "")
	mail.Reasons = map[string]int64{"mail.line_endings": 2, "source.left_out": 1, "target.too_big": 1}
	r := report.New("pilot", []checkpoint.Status{mail})
	r.Path = "pilot.yaml"
	r.Examples = []report.Example{{Account: "ada@example.org", Reason: "target.too_big", Title: "Holiday", Failed: true}}
	for _, c := range []struct {
		name    string
		pass    *report.Pass
		dry     bool
		history bool
	}{
		{"status", nil, false, true},
		{"a pass that brought nothing", &report.Pass{}, false, false},
		{"a pass that brought something", &report.Pass{Written: 1}, false, true},
		{"a dry run", &report.Pass{}, true, true},
	} {
		r.Pass, r.Simulated = c.pass, c.dry
		var b strings.Builder
		if err := r.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, reason := range []string{"mail.line_endings", "source.left_out"} {
			if strings.Contains(b.String(), reason) != c.history {
				t.Errorf("%s: %s is told: %v, want %v\n%s", c.name, reason, !c.history, c.history, b.String())
			}
		}
		if !strings.Contains(b.String(), "failed: ada@example.org: Holiday") || strings.Contains(b.String(), "repatriate status pilot.yaml") == c.history {
			t.Errorf("%s:\n%s", c.name, b.String())
		}
	}
}

// TestOneCauseOfMany: the same trouble of many accounts is told once, although names stand in its words.
func TestOneCauseOfMany(t *testing.T) {
	r := report.NewVerification("pilot", 0)
	var stopped []checkpoint.Status
	for _, user := range []string{"anna", "ben", "carla", "david", "eva"} {
		s := status(1, map[checkpoint.State]int64{checkpoint.Copied: 1}, fmt.Sprintf("PROPFIND /calendars/%s/repatriate-0123456789abcdef/: 401 (target.auth)", user))
		s.Account, s.Kind, s.Name = user+"@example.org", "calendar", "Work"
		stopped = append(stopped, s)
		r.Add(s, readback.Result{}, errors.New(s.Error))
	}
	var run, verify strings.Builder
	if err := errors.Join(report.New("pilot", stopped).WriteText(&run), r.WriteText(&verify)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, heading string }{{run.String(), "Stopped: anna@example.org"}, {verify.String(), "Not looked at: anna@example.org"}} {
		if strings.Count(c.text, "401") != 1 || !strings.Contains(c.text, c.heading) || !strings.Contains(c.text, "and 2 more") {
			t.Errorf("%q:\n%s", c.heading, c.text)
		}
	}
}

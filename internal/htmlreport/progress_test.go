package htmlreport_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/passes"
)

// TestCharts draws two passes: what was written when, and what held them back; a scope's name is as foreign as any.
func TestCharts(t *testing.T) {
	l := sample()
	j := l.job(people...)
	began := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	j.Passes = []passes.Pass{
		{Began: began, Ended: began.Add(time.Hour), OnTarget: 30, Written: 30, Throttled: map[string]float64{"Gmail, per user": 1800, "short": 0.5}},
		{Began: began.Add(3 * time.Hour), Ended: began.Add(4 * time.Hour), OnTarget: 40, Written: 8, Throttled: map[string]float64{"Gmail, per user": 1800, "<script>": 60}},
		{Began: began, Ended: began.Add(-time.Hour), Written: 5}, // a clock that was put back
	}
	var b bytes.Buffer
	writeHTML(t, l, j, &b)
	page := b.String()
	for _, want := range []string{
		`points="0.00,100.00 25.00,25.00 75.00,25.00 100.00,0.00"`, "40 items on the target after 2 runs, from 1 Mar 2026 20:00 to 2 Mar 2026 00:00",
		"Gmail, per user", `width="50.00"`, "1h0m0s", "&lt;script&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(page, ">short<") || strings.Contains(page, "<script>\u003c") {
		t.Error("half a second is shown, or a name is not escaped")
	}
	j.Passes = nil
	b.Reset()
	writeHTML(t, l, j, &b)
	if strings.Contains(b.String(), "Progress over time") {
		t.Error("a chart of nothing")
	}
}

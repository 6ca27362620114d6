package report_test

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/sources"
)

// TestWeighed: a drive that is much larger at the provider than what came over is named, with what may explain it.
func TestWeighed(t *testing.T) {
	for name, c := range map[string]struct {
		bytes  int64
		states map[checkpoint.State]int64
		says   string
	}{
		"as large":       {100_000_000, map[checkpoint.State]int64{checkpoint.Copied: 9}, ""},
		"a few versions": {109_000_000, map[checkpoint.State]int64{checkpoint.Copied: 9}, ""},
		"smaller there":  {50_000_000, map[checkpoint.State]int64{checkpoint.Copied: 9}, ""},
		"still to come":  {900_000_000, map[checkpoint.State]int64{checkpoint.Copied: 8, checkpoint.Pending: 1}, ""},
		"some were left": {300_000_000, map[checkpoint.State]int64{checkpoint.Copied: 6, checkpoint.Skipped: 2, checkpoint.Failed: 1},
			"Drive counts 300.0 MB, and 100.0 MB came over; of the items, 2 skipped and 1 failed."},
		"nobody knows why": {300_000_000, map[checkpoint.State]int64{checkpoint.Copied: 9},
			"Drive counts 300.0 MB, and 100.0 MB came over, although no item was skipped and none failed."},
	} {
		t.Run(name, func(t *testing.T) {
			s := status(9, c.states, "")
			s.Kind = "files"
			s.Bytes = 100_000_000
			r := report.New("pilot", []checkpoint.Status{s})
			r.Weigh(map[checkpoint.Task]sources.Weight{s.Task: {By: "Drive", Bytes: c.bytes}})
			var b strings.Builder
			if err := r.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(b.String()), " ")
			if strings.Contains(text, "Drive counts") != (c.says != "") || !strings.Contains(text, c.says) {
				t.Errorf("it says %s", text)
			}
			if w := r.Tasks[0].Weighed; w == nil || w.Bytes != c.bytes || w.Copied != 100_000_000 {
				t.Errorf("%+v", w)
			}
		})
	}
}

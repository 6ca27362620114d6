package report_test

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/sources"
)

func TestProvidersCounts(t *testing.T) {
	for name, c := range map[string]struct {
		total, chats, spam int64
		missing            int64
		says, left         string
	}{
		"all explained":         {total: 105, chats: 2, spam: 3, left: "2 messages of chats, 3 in spam"},
		"in spam and chat, too": {total: 103, chats: 2, spam: 3, left: "2 messages of chats, 3 in spam"},
		"nothing apart":         {total: 100},
		"some missing": {109, 2, 3, 4,
			"Gmail counts 109 messages; 100 were listed, 2 of chats are left out, 3 in spam are left out: 4 missing from the listing.", "2 messages of chats, 3 in spam"},
		"all missing":            {total: 101, missing: 1, says: "Gmail counts 101 messages; 100 were listed: 1 missing from the listing."},
		"listed more than there": {95, 0, 3, -5, "100 were listed, 3 in spam are left out: 5 of these the provider does not count.", "3 messages in spam"},
	} {
		t.Run(name, func(t *testing.T) {
			s := status(103, map[checkpoint.State]int64{checkpoint.Copied: 100, checkpoint.Removed: 3}, "")
			r := report.New("pilot", []checkpoint.Status{s})
			apart := []sources.Apart{{What: "of chats", Total: c.chats}, {What: "in spam", Total: c.spam}}
			r.Compare(map[checkpoint.Task]sources.Count{s.Task: {By: "Gmail", Total: c.total, Apart: apart}})
			if got := r.Tasks[0].Counted; got == nil || got.Missing != c.missing || got.Listed != 100 || got.Apart["in spam"] != c.spam || r.ExitCode() != 0 {
				t.Errorf("%+v", got)
			}
			var b strings.Builder
			if err := r.WriteText(&b); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(strings.Fields(b.String()), " ")
			if left := report.ApartText(r.Tasks); left != c.left || strings.Contains(text, "not listed (source.left_out): "+left+".") != (left != "") {
				t.Errorf("left out: %q, want %q, in %s", left, c.left, text)
			}
			if r.Tasks[0].Counted.LeftOut() != c.chats+c.spam {
				t.Errorf("%d left out", r.Tasks[0].Counted.LeftOut())
			}
			if strings.Contains(text, "Gmail") != (c.missing != 0) || !strings.Contains(text, c.says) {
				t.Errorf("it says %s", text)
			}
		})
	}
}

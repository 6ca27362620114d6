package plan_test

import (
	"bytes"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/sources"
)

// counting makes the plan with what the provider counts of each mailbox.
func (d *dry) counting(count sources.Count, weight *sources.Weight) *plan.Plan {
	r := report.New("pilot", d.statuses)
	counts, weights := map[checkpoint.Task]sources.Count{}, map[checkpoint.Task]sources.Weight{}
	for _, s := range d.statuses {
		if s.Kind == "mail" {
			counts[s.Task] = count
			if weight != nil {
				weights[s.Task] = *weight
			}
		}
	}
	r.Compare(counts)
	r.Weigh(weights)
	return plan.New(r, &d.survey, d.looked, d.others)
}

// TestLeftOut: what sources do not list is said with its number and its reason, and changes no grade.
func TestLeftOut(t *testing.T) {
	var d dry
	for _, name := range []string{"ada", "ben", "eve", "zoe"} {
		d.kind(name, "mail", anything, []int64{1}, nil, nil)
	}
	p := d.counting(sources.Count{By: "Gmail", Total: 100, Apart: []sources.Apart{{What: "of chats"}, {What: "in spam", Total: 7}, {What: "in trash", Total: 2}}}, nil)
	const want = "28 messages in spam, 8 in trash"
	if got := p.LeftOut(); got != want {
		t.Errorf("left out: %q, want %q", got, want)
	}
	reasons := p.Reasons()
	if len(reasons) != 1 || reasons[0].Reason != "source.left_out" || reasons[0].Items != 36 || reasons[0].Accounts != 4 || reasons[0].Grade != htmlreport.A {
		t.Fatalf("%+v", reasons)
	}
	if e := reasons[0].Examples; len(e) != 3 || e[0].Account != "ada" || e[0].Title != "7 messages in spam, 2 in trash" {
		t.Errorf("examples: %+v", e)
	}
	if a := p.Accounts[0]; a.Grade != htmlreport.A || a.Kinds[0].LeftOut != 9 {
		t.Errorf("%+v", a)
	}
	var text, page, lines bytes.Buffer
	for _, err := range []error{p.WriteText(&text), p.WriteHTML(&page), p.WriteCSV(&lines)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text.String(), "\nLeft out on purpose: "+want+"\n") || !strings.Contains(page.String(), want) || !strings.Contains(lines.String(), ",9\n") {
		t.Errorf("not said in:\n%s\n%s", text.String(), lines.String())
	}
}

// TestWeighedMail: where only reading tells the size of mails, the provider's own number of the mailbox counts, as far as it is to be moved.
func TestWeighedMail(t *testing.T) {
	partly := func(st *checkpoint.Status) { st.Listed, st.Counts[checkpoint.Copied] = 8, 8 }
	for _, c := range []struct {
		name   string
		sizes  []int64
		room   int64
		change func(*checkpoint.Status)
		weight *sources.Weight
		size   string
		bytes  int64
		grade  htmlreport.Grade
	}{
		{"not told", []int64{-1, -1}, -1, nil, nil, "unknown", 0, htmlreport.A},
		{"told", []int64{-1, -1}, -1, nil, &sources.Weight{By: "Exchange", Bytes: 4_000_000}, "~4.0 MB", 4_000_000, htmlreport.A},
		{"a part is left", []int64{-1, -1}, -1, partly, &sources.Weight{By: "Exchange", Bytes: 4_000_000}, "~1.0 MB", 1_000_000, htmlreport.A},
		{"does not fit", []int64{-1}, 3_000_000, nil, &sources.Weight{By: "Exchange", Bytes: 4_000_000}, "~4.0 MB", 4_000_000, htmlreport.D},
		{"each is known", []int64{50, 50}, -1, nil, &sources.Weight{By: "Exchange", Bytes: 4_000_000}, "100 B", 100, htmlreport.A},
	} {
		var d dry
		d.kind("ada", "mail", preflight.Limits{Room: c.room}, c.sizes, nil, c.change)
		p := d.counting(sources.Count{}, c.weight)
		_, all := p.Totals()
		if got := all.Size(); got != c.size || p.Demands()[0].Bytes != c.bytes || p.Accounts[0].Grade != c.grade {
			t.Errorf("%s: %s, demand %d, grade %s; want %s, %d, %s", c.name, got, p.Demands()[0].Bytes, p.Accounts[0].Grade, c.size, c.bytes, c.grade)
		}
	}
}

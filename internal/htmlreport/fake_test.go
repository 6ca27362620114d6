package htmlreport_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// ledger is a store that holds what tests put into it.
type ledger map[checkpoint.Task]*content

type content struct {
	name    string
	records []checkpoint.Record
	nodes   []checkpoint.Placement
	err     string
}

func (l ledger) Records(_ context.Context, t checkpoint.Task, states ...checkpoint.State) iter.Seq2[checkpoint.Record, error] {
	return func(yield func(checkpoint.Record, error) bool) {
		for _, r := range l[t].records {
			if (len(states) == 0 || slices.Contains(states, r.State)) && !yield(r, nil) {
				return
			}
		}
	}
}

func (l ledger) Nodes(_ context.Context, t checkpoint.Task) iter.Seq2[checkpoint.Placement, error] {
	return func(yield func(checkpoint.Placement, error) bool) {
		for _, n := range l[t].nodes {
			if !yield(n, nil) {
				return
			}
		}
	}
}

func (ledger) Check(context.Context) iter.Seq2[checkpoint.Finding, error] {
	return func(yield func(checkpoint.Finding, error) bool) { yield(checkpoint.Finding{}, errors.ErrUnsupported) }
}

// statuses counts the records as a store does.
func (l ledger) statuses() (out []checkpoint.Status) {
	for t, c := range l {
		s := checkpoint.Status{Task: t, Name: c.name, Complete: c.err == "", Error: c.err, Listed: int64(len(c.records)), Reasons: map[string]int64{}}
		for _, r := range c.records {
			s.Counts[r.State]++
			s.Bytes += r.Bytes
			reasons := map[string]bool{}
			if r.Reason != "" {
				reasons[r.Reason] = true
			}
			for _, loss := range r.Losses {
				reasons[loss.Reason] = true
			}
			for reason := range maps.Keys(reasons) {
				s.Reasons[reason]++
			}
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b checkpoint.Status) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Collection, b.Collection))
	})
	return out
}

func (l ledger) job(people ...htmlreport.Named) *htmlreport.Job {
	j := htmlreport.New(report.New("pilot", l.statuses()), people)
	j.Made, j.Version, j.Provider = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), "1.2.3", "Google Workspace"
	return j
}

// write walks over the ledger once, for one writer.
func write(t testing.TB, l ledger, j *htmlreport.Job, w htmlreport.Writer) {
	t.Helper()
	if err := htmlreport.Walk(t.Context(), j, l, w); err != nil {
		t.Fatal(err)
	}
}

func writeHTML(t testing.TB, l ledger, j *htmlreport.Job, w io.Writer) {
	t.Helper()
	h := htmlreport.NewHTML(w, j)
	defer h.Release()
	write(t, l, j, h)
}

// evil is a name that is an attack in HTML, in a terminal, in CSV, and on the direction of text.
const evil = "=cmd|'/c calc'!A1\"><img src=x onerror=alert(1)><script>document.title='owned'</script>\x1b[2J\u202egnp.exe"

// sample is a small job with everything in it.
func sample() ledger {
	ada := func(kind, collection string) checkpoint.Task {
		return checkpoint.Task{Account: "ada@example.org", Kind: kind, Collection: collection}
	}
	return ledger{
		ada("mail", "mailbox"): {name: "Mail", records: []checkpoint.Record{
			{ID: "m1", State: checkpoint.Copied, Title: "Hello", Location: "INBOX;UIDVALIDITY=1/;UID=1", Bytes: 100},
			{ID: "m0", State: checkpoint.Copied, Title: "Answer", Location: "Sent;UIDVALIDITY=2/;UID=1", Bytes: 10},
			{ID: "m2", State: checkpoint.CopiedWithLosses, Title: "Plan", Link: "https://mail.example.com/m2", Location: "Projects%2F2024;UIDVALIDITY=4/;UID=1", Losses: []checkpoint.Loss{
				{Reason: "mail.label_as_keyword", Detail: `the label "a.b" is now the keyword $a.b`},
				{Reason: "mail.line_endings", Detail: "3 bare line feeds became CRLF"},
				{Reason: "mail.label_as_keyword", Detail: `the label "c" is now the keyword $c`},
			}},
			{ID: "m3", State: checkpoint.Skipped, Title: "Spam", Reason: "source.left_out", Message: "it lies in spam (source.left_out)"},
		}},
		ada("files", "drive"): {name: "Drive", nodes: []checkpoint.Placement{
			{ID: "f0", Folder: true, Lies: &checkpoint.Place{Name: "Moved"}},
			{ID: "f1", Folder: true, Lies: &checkpoint.Place{ParentID: "f0", Name: "Inner"}},
			{ID: "f2", Lies: &checkpoint.Place{ParentID: "f1", Name: "a_b.txt"}},
		}, records: []checkpoint.Record{
			{ID: "f0", State: checkpoint.Copied, Title: "Moved"},
			{ID: "f1", State: checkpoint.Copied, Title: "Inner"},
			{ID: "f2", State: checkpoint.CopiedWithLosses, Title: "a:b.txt", Location: "Before/Inner/a_b.txt", Losses: []checkpoint.Loss{{Reason: "file.renamed", Detail: `"a:b.txt" is now "a_b.txt"`}}},
			{ID: "f3", State: checkpoint.Failed, Title: evil, Reason: "target.quota", Message: evil, Link: "javascript:alert(1)"},
			{ID: "f4", State: checkpoint.Skipped, Title: "Form", Reason: "source.no_export", Link: "https://docs.example.com/f4?a=1&b=2"},
		}},
		ada("calendar", "c1"): {name: "Team", records: []checkpoint.Record{
			{ID: "e1", State: checkpoint.CopiedWithLosses, Losses: []checkpoint.Loss{{Reason: "event.zone_unknown", Detail: "time zone Mars/Base"}}},
		}},
		{Account: "ben@example.org", Kind: "mail", Collection: "mailbox"}: {name: "Mail", records: []checkpoint.Record{
			{ID: "b1", State: checkpoint.Copied, Title: "Hi", Location: "INBOX;UIDVALIDITY=1/;UID=1"},
		}},
		{Account: "drive:0AX", Kind: "files", Collection: "drive"}: {name: "Projects", err: "HTTP 403 " + evil, records: []checkpoint.Record{
			{ID: "d1", State: checkpoint.Pending, Title: "x"},
		}},
	}
}

// people are the accounts of the sample's job file; of one the ledger has nothing.
var people = []htmlreport.Named{
	{Source: "ada@example.org", Target: "ada", Targets: map[string]string{"mail": "ada.l"}}, {Source: "ben@example.org", Target: "ben@example.org"}, {Source: "zoe@example.org", Target: "zoe"},
}

// jobOf is a job with what one task counts, whatever its records are.
func jobOf(s ...checkpoint.Status) *htmlreport.Job {
	return htmlreport.New(report.New("pilot", s), nil)
}

// Package htmlreport says what happened to each account and item of a job, in forms that can be forwarded: one HTML file
// that needs nothing else, CSV, JSON, and a page for each person in words for them.
//
// All of them are written in one walk over the store. Names of files, subjects and what servers say are an attacker's
// input: they are shown through html/template and report.Clean, links only if they are http or https, and no cell of a CSV
// file is a formula.
package htmlreport

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Job is what is reported on.
type Job struct {
	// Report holds the numbers of the ledger.
	Report *report.Report
	// Accounts are all of the job, in order of Source; also those of which the ledger has nothing yet.
	Accounts []Account
	// Provider is the source's name, such as "Google Workspace".
	Provider string
	// Labels is what became of labels of mail, as in the job file: "primary", also if it is empty, or "copies".
	Labels string
	// Passes are those that were made over the job, as far as they are remembered.
	Passes []passes.Pass
	// Made is when the report was made.
	Made time.Time
	// Version is the program's.
	Version string
}

// Account is one account of the job with its grade.
type Account struct {
	Source string `json:"account"`
	Target string `json:"target,omitempty"`
	// Targets are the names on the target for single kinds, where they are other ones.
	Targets map[string]string `json:"targets,omitempty"`
	Grade   Grade             `json:"grade"`
	// Why names what the grade comes from: reasons, or words such as "items failed".
	Why []string `json:"why,omitempty"`
	report.Counts
	// Approved says who last accepted what a plan said of the account; nil if nobody did.
	Approved *Approved `json:"approved,omitempty"`
	// Tasks are the account's, in the ledger's order.
	Tasks []report.Task `json:"-"`
}

// Approved says who accepted what a plan said of an account, and when.
type Approved struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Grade Grade     `json:"grade"`
	Note  string    `json:"note,omitempty"`
}

// Approve notes who accepted what of the accounts; of gives nil for those that nobody did.
func (j *Job) Approve(of func(account string) *Approved) {
	for i := range j.Accounts {
		j.Accounts[i].Approved = of(j.Accounts[i].Source)
	}
}

// Named is an account of the job file: its name at the provider and on the target, and its names there for single kinds, where they are
// other ones.
type Named struct {
	Source, Target string
	Targets        map[string]string
}

// New grades the accounts of a report. people are those of the job file.
func New(r *report.Report, people []Named) *Job {
	j := &Job{Report: r}
	for _, t := range r.Tasks {
		if n := len(j.Accounts); n == 0 || j.Accounts[n-1].Source != t.Account {
			j.Accounts = append(j.Accounts, Account{Source: t.Account})
		}
		j.Accounts[len(j.Accounts)-1].add(t)
	}
	j.meet(people)
	slices.SortFunc(j.Accounts, func(a, b Account) int { return cmp.Compare(a.Source, b.Source) })
	return j
}

func (a *Account) add(t report.Task) {
	a.Tasks = append(a.Tasks, t)
	v := verdict{a.Grade, a.Why}.worse(taskVerdict(t))
	a.Grade, a.Why = v.grade, v.why
	a.Counts.Add(t.Counts)
}

// meet gives the accounts their names on the target, and adds those of which nothing was listed yet.
func (j *Job) meet(people []Named) {
	at := make(map[string]int, len(j.Accounts))
	for i, a := range j.Accounts {
		at[a.Source] = i
	}
	for _, p := range people {
		i, known := at[p.Source]
		if !known {
			i = len(j.Accounts)
			at[p.Source] = i
			j.Accounts = append(j.Accounts, Account{Source: p.Source, Grade: D, Why: []string{"not begun"}})
		}
		j.Accounts[i].Target, j.Accounts[i].Targets = p.Target, p.Targets
	}
}

// name returns what a shared drive or document library is called; empty for people's accounts, and if it is not known.
func (a Account) name() string {
	if len(a.Tasks) == 0 {
		return ""
	}
	return report.DriveName(a.Source, a.Tasks[0].Name)
}

// Item is one thing that is to be said of one item: one loss of it, or why it is not on the target.
type Item struct {
	Account    string `json:"account"`
	Kind       string `json:"kind"`
	Collection string `json:"collection,omitempty"`
	ID         string `json:"id"`
	Title      string `json:"title,omitempty"`
	// State is the item's, as in checkpoint.State.
	State  string `json:"state"`
	Reason string `json:"reason"`
	Grade  Grade  `json:"grade"`
	// Detail is what the source, the mapping or the sink said of it.
	Detail string `json:"detail,omitempty"`
	// Link leads to the item at the provider; it is http or https, or empty.
	Link string `json:"link,omitempty"`
	// Place is where the item lies on the target: a path, or a mailbox; empty where only the collection is known.
	Place string `json:"place,omitempty"`
}

// Failed reports whether the item could not be moved although it should have been.
func (i Item) Failed() bool { return i.State == checkpoint.Failed.String() }

// Lost reports whether the item is on the target, without something of it.
func (i Item) Lost() bool { return i.State == checkpoint.CopiedWithLosses.String() }

// Shown returns the item's name for people.
func (i Item) Shown() string { return cmp.Or(i.Title, i.ID) }

// itemsOf returns what is to be said of a record: one Item for each reason, with the details of the same reason in one.
func itemsOf(t report.Task, rec checkpoint.Record, place string) []Item {
	it := Item{
		Account: t.Account, Kind: t.Kind, Collection: cmp.Or(t.Name, t.Collection), ID: rec.ID, Title: rec.Title,
		State: rec.State.String(), Link: WebLink(rec.Link), Place: place,
	}
	switch rec.State {
	case checkpoint.Failed:
		it.Reason, it.Detail, it.Grade = cmp.Or(rec.Reason, "unknown"), rec.Message, D
		return []Item{it}
	case checkpoint.Skipped:
		it.Reason, it.Detail = cmp.Or(rec.Reason, "unknown"), rec.Message
		it.Grade = Of(it.Reason)
		return []Item{it}
	}
	var out []Item
	for _, l := range rec.Losses {
		i := slices.IndexFunc(out, func(o Item) bool { return o.Reason == l.Reason })
		switch {
		case i < 0:
			it.Reason, it.Detail, it.Grade = l.Reason, l.Detail, Of(l.Reason)
			out = append(out, it)
		case l.Detail != "" && len(out[i].Detail) < maxDetail:
			out[i].Detail += "; " + l.Detail
		}
	}
	return out
}

// maxDetail is beyond how many bytes no further detail is added to an item.
const maxDetail = 1000

// WebLink returns the link if it may be followed: http or https, with a host.
func WebLink(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return link
}

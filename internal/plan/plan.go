// Package plan says what a migration would bring and what it would lose, before anything is written: what a dry run saw of each account,
// graded as a report grades what was moved, with what does not fit on the target. It also remembers the grades, and who accepted them.
package plan

import (
	"cmp"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// Person is an account of the job that a plan is about.
type Person struct {
	// Source and Target are its names.
	Source, Target string
	// Targets are its names on the target for single kinds, where they are other ones.
	Targets map[string]string
	// Kinds are what is to be moved of it.
	Kinds []string
}

// Plan is what a run would do.
type Plan struct {
	// Page is the file of the HTML page, if one is written.
	Page string `json:"-"`
	// Report holds the numbers of the dry run's ledger, of the accounts that were looked at.
	Report *report.Report
	// Accounts are those that were looked at, in order of their names.
	Accounts []Account
	// Others are those that were not.
	Others []Person
	// Provider is the source's name, Version the program's, and Made when the plan was made.
	Provider, Version string
	Made              time.Time
	// Waiting is how many accounts somebody has to approve before they run.
	Waiting int64
	// Estimate says how long a run would take, in lines for people; see Takes.
	Estimate []string
	// Waves say who is moved when; nil: nobody asked.
	Waves []estimate.Wave
	// WavesFile is where the waves are written, if a run would not look for them there.
	WavesFile string
	duration  *duration
}

// Account is one account that was looked at.
type Account struct {
	Source string `json:"account"`
	Target string `json:"target,omitempty"`
	// Targets are the names on the target for single kinds, where they are other ones.
	Targets map[string]string `json:"targets,omitempty"`
	// Name is what a shared drive or document library is called, as far as it is known; empty for people.
	Name string `json:"name,omitempty"`
	// Grade is the worst of the kinds', and Why names what it comes from.
	Grade htmlreport.Grade `json:"grade"`
	Why   []string         `json:"why,omitempty"`
	Kinds []Kind           `json:"kinds"`
}

// Kind is one kind of an account.
type Kind struct {
	Kind  string           `json:"kind"`
	Grade htmlreport.Grade `json:"grade"`
	// Causes are all that counts for the grade.
	Causes []htmlreport.Cause `json:"causes"`
	// Found is what a run would write.
	Found
	// Ledger is what would have become of everything, with what was moved before. Bytes of files are not counted: they are not read.
	Ledger report.Counts `json:"ledger"`
	// Room is what the account may still store on the target, in bytes; nil if there is no limit or none is told. ItemLimit is how large one
	// item may be; 0 likewise.
	Room      *int64 `json:"room,omitempty"`
	ItemLimit int64  `json:"item_limit,omitempty"`
	// LeftOut counts the items that are not listed on purpose, such as spam, as far as the provider counts them.
	LeftOut int64 `json:"left_out,omitempty"`
	// NotAsked says why the target could not be asked.
	NotAsked string `json:"not_asked,omitempty"`
}

// The causes that a dry run's ledger does not know.
const (
	NoRoom = "does not fit"       // what would be written needs more room than the target has
	TooBig = "larger than it may" // some items are larger than the target takes
)

// Fits reports whether what is known of the sizes fits into what is known of the target.
func (k Kind) Fits() bool { return k.TooBig == 0 && !k.crowded() }

func (k Kind) crowded() bool { return k.Room != nil && k.Needs+k.Weighs > *k.Room }

// New puts a plan together: the tasks of a dry run's report, what was seen of the accounts that were looked at, and those that were not.
func New(r *report.Report, s *Survey, looked, others []Person) *Plan {
	p := &Plan{Report: r, Others: others}
	tasks := make(map[Part][]report.Task)
	for _, t := range r.Tasks {
		part := Part{t.Account, t.Kind}
		tasks[part] = append(tasks[part], t)
	}
	limits := s.Limits()
	for _, person := range looked {
		a := Account{Source: person.Source, Target: person.Target, Targets: person.Targets, Kinds: []Kind{}}
		for _, kind := range person.Kinds {
			part := Part{person.Source, kind}
			asked, was := limits[part]
			if !was {
				asked.Limits = preflight.NoLimits
			}
			if name := nameOf(person.Source, tasks[part]); name != "" {
				a.Name = name
			}
			a.add(newKind(kind, tasks[part], s.Found(part), asked))
		}
		p.Accounts = append(p.Accounts, a)
	}
	slices.SortFunc(p.Accounts, func(a, b Account) int { return cmp.Compare(a.Source, b.Source) })
	return p
}

// nameOf returns what a shared drive is called: an id stands where people have an address.
func nameOf(source string, tasks []report.Task) string {
	if len(tasks) == 0 {
		return ""
	}
	return report.DriveName(source, tasks[0].Name)
}

// targetOf returns the account's name on the target for a kind.
func (a Account) targetOf(kind string) string { return cmp.Or(a.Targets[kind], a.Target) }

// shown is the account's name for people.
func (a Account) shown() string {
	if a.Name == "" {
		return a.Source
	}
	return report.Clean(a.Name, 30) + " (" + report.Clean(a.Source, 24) + ")"
}

func newKind(kind string, tasks []report.Task, f Found, asked Asked) Kind {
	k := Kind{Kind: kind, Found: f, ItemLimit: asked.Item, NotAsked: report.Clean(asked.Refused, maxText), Causes: []htmlreport.Cause{}}
	if asked.Room >= 0 && asked.Refused == "" {
		k.Room = &asked.Room
	}
	k.Weighs = weighed(kind, tasks, f)
	for _, t := range tasks {
		k.Ledger.Add(t.Counts)
		k.LeftOut += t.Counted.LeftOut()
		for _, c := range htmlreport.PlannedCauses(t) {
			k.because(c)
		}
	}
	if k.crowded() {
		k.because(htmlreport.Cause{Name: NoRoom, Grade: htmlreport.D})
	}
	if k.TooBig > 0 {
		k.because(htmlreport.Cause{Name: TooBig, Grade: htmlreport.D, Items: k.TooBig})
	}
	k.Grade, _ = htmlreport.Worst(k.Causes)
	return k
}

// weighed returns what mails take of which only reading tells the size, by what the provider says of the mailbox: their share of all that it
// lists. Of files it counts older versions, too.
func weighed(kind string, tasks []report.Task, f Found) int64 {
	if kind != "mail" || f.Unsized == 0 || f.Bytes > 0 {
		return 0
	}
	var bytes, listed int64
	for _, t := range tasks {
		if t.Weighed == nil {
			return 0
		}
		bytes += t.Weighed.Bytes
		listed += t.Listed - t.Removed
	}
	if listed <= f.Unsized {
		return bytes
	}
	return int64(float64(bytes) * float64(f.Unsized) / float64(listed))
}

// maxText bounds what is kept of a text of somebody else's, in runes.
const maxText = 500

// because adds a cause to those of other tasks.
func (k *Kind) because(c htmlreport.Cause) {
	if i := slices.IndexFunc(k.Causes, func(o htmlreport.Cause) bool { return o.Name == c.Name }); i >= 0 {
		k.Causes[i].Items += c.Items
		return
	}
	k.Causes = append(k.Causes, c)
}

func (a *Account) add(k Kind) {
	a.Kinds = append(a.Kinds, k)
	var all []htmlreport.Cause
	for _, k := range a.Kinds {
		all = append(all, k.Causes...)
	}
	a.Grade, a.Why = htmlreport.Worst(all)
}

// Sum is what was found of all kinds of the account together.
func (a Account) Sum() (f Found) {
	for _, k := range a.Kinds {
		f.add(k.Found)
	}
	return f
}

// Stopped reports whether a task could not go on, so that something was not looked at.
func (p *Plan) Stopped() bool { return p.Report.State == report.Stopped }

// ExitCode is 0, 3 if an account has the grade D, or 4 if a task stopped.
func (p *Plan) ExitCode() int {
	switch {
	case p.Report.State == report.Interrupted:
		return 130
	case p.Stopped():
		return 4
	case slices.ContainsFunc(p.Accounts, func(a Account) bool { return a.Grade == htmlreport.D }):
		return 3
	}
	return 0
}

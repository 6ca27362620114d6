// Package report says what a job's ledger holds, for people and for programs.
package report

import (
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Counts are the numbers of one task or of all. Listed is the sum of the others but Bytes; if it is not, the ledger does
// not balance.
type Counts struct {
	Listed           int64 `json:"listed"`
	Copied           int64 `json:"copied"`
	CopiedWithLosses int64 `json:"copied_with_losses"`
	Skipped          int64 `json:"skipped"`
	Failed           int64 `json:"failed"`
	Removed          int64 `json:"removed"`
	Pending          int64 `json:"pending"`
	Bytes            int64 `json:"bytes"`
}

// Add adds other counts to these.
func (c *Counts) Add(d Counts) {
	c.Listed += d.Listed
	c.Copied += d.Copied
	c.CopiedWithLosses += d.CopiedWithLosses
	c.Skipped += d.Skipped
	c.Failed += d.Failed
	c.Removed += d.Removed
	c.Pending += d.Pending
	c.Bytes += d.Bytes
}

// Task is one line of a report.
type Task struct {
	Account    string `json:"account"`
	Kind       string `json:"kind"`
	Collection string `json:"collection"`
	// Name is what the user calls the collection.
	Name string `json:"name,omitempty"`
	Counts
	Balanced bool `json:"balanced"`
	// Unaccounted is the difference between what was listed and the sum of the states; 0 if it balances.
	Unaccounted int64            `json:"unaccounted,omitempty"`
	Reasons     map[string]int64 `json:"reasons"`
	// Error is why the task stopped last; empty if it came to its end.
	Error string `json:"error"`
	// Counted is the provider's own count, where it was asked.
	Counted *Counted `json:"counted,omitempty"`
	// Weighed is what the provider says that the collection takes, where it was asked.
	Weighed *Weighed `json:"weighed,omitempty"`
	// Until is when a parked task goes on.
	Until *time.Time `json:"until,omitempty"`
	// Complete says that the collection was listed to its end at least once.
	Complete bool `json:"complete"`
}

// Pass is what one run did.
type Pass struct {
	Written          int64   `json:"written"`
	Removed          int64   `json:"removed"`
	Bytes            int64   `json:"bytes"`
	SourceRequests   int64   `json:"source_requests"`
	TargetRequests   int64   `json:"target_requests"`
	ThrottledSeconds float64 `json:"throttled_seconds"`
	// Throttled are the seconds in which each of the quotas and servers held the pass back, by their names.
	Throttled map[string]float64 `json:"throttled,omitempty"`
	Seconds   float64            `json:"seconds"`
	// TakenUp counts the items that failed in earlier runs for a passing reason, and were tried again.
	TakenUp int64 `json:"taken_up,omitempty"`
}

// The states of a job.
const (
	Complete    = "complete"    // everything is listed and decided, nothing failed, and the ledger balances
	Incomplete  = "incomplete"  // some items failed, some are open or not listed yet, or the ledger does not balance
	Stopped     = "stopped"     // a task could not go on
	Interrupted = "interrupted" // the run was ended from outside
)

// Report is a job's ledger and, after a run, what the run did.
type Report struct {
	Job string `json:"job"`
	// Path is the job file, for what the report proposes to do; may be empty.
	Path     string `json:"-"`
	State    string `json:"state"`
	Balanced bool   `json:"balanced"`
	Totals   Counts `json:"totals"`
	Tasks    []Task `json:"tasks"`
	Pass     *Pass  `json:"pass,omitempty"`
	// Broken says why the run ended before its end, if its state could not be used any more; empty otherwise.
	Broken string `json:"broken,omitempty"`
	// EndedAt is when the run was to end, if it did so before everything was done; nil otherwise.
	EndedAt *time.Time `json:"ended_at,omitempty"`
	// WindowOpens is when a run may work again, if it may not at the moment; nil otherwise.
	WindowOpens *time.Time `json:"window_opens,omitempty"`
	// Closed is when the ledger was closed by a final run; nil while it is open.
	Closed *time.Time `json:"closed,omitempty"`
	// Final is there if the run was the last before a cut-over.
	Final *Final `json:"final,omitempty"`
	// Held are the accounts that the run left out since nobody approved what their plans say.
	Held []Held `json:"not_approved,omitempty"`
	// Outages are the servers that no account could use, so that the run left the rest of them alone.
	Outages []Outage `json:"outages,omitempty"`
	// Examples are some of the items that were lost, skipped or failed; for people only.
	Examples []Example `json:"-"`
	// Simulated says that nothing was written.
	Simulated bool `json:"dry_run,omitempty"`
	// Kinds and Accounts are the totals of each kind and of each account.
	Kinds    []Total `json:"kinds"`
	Accounts []Total `json:"accounts"`
	// drives are the names of drives by account.
	drives map[string]string
}

// New makes a report of the tasks' statuses.
func New(job string, tasks []checkpoint.Status) *Report {
	r := &Report{Job: job, State: Complete, Balanced: true, Kinds: []Total{}, Accounts: []Total{}, Tasks: []Task{}, drives: map[string]string{}}
	for _, s := range tasks {
		if s.Collection == "" && s.Listed == 0 && s.Error == "" {
			continue // a kind that could not be opened once, and now can
		}
		t := taskOf(s)
		if t.empty() {
			continue
		}
		r.Totals.Add(t.Counts)
		if name := DriveName(t.Account, t.Name); name != "" {
			r.drives[t.Account] = name
		}
		r.total(t)
		r.Balanced = r.Balanced && t.Balanced
		r.Tasks = append(r.Tasks, t)
		if t.Error != "" {
			r.State = Stopped
		}
	}
	if r.State == Complete && (!r.Balanced || r.Totals.Failed > 0 || r.Totals.Pending > 0 || r.Unlisted() > 0) {
		r.State = Incomplete
	}
	return r
}

// empty reports whether the task only stood for a kind whose collections could not be listed once.
func (t Task) empty() bool {
	return t.Collection == "" && t.Listed == 0 && t.Error == ""
}

// Unlisted returns the number of tasks that were never listed to their end.
func (r *Report) Unlisted() (n int64) {
	for _, t := range r.Tasks {
		if !t.Complete {
			n++
		}
	}
	return n
}

func taskOf(s checkpoint.Status) Task {
	n := func(st checkpoint.State) int64 { return s.Counts[st] }
	t := Task{
		Account: s.Account, Kind: s.Kind, Collection: s.Collection, Name: s.Name,
		Counts: Counts{
			Listed: s.Listed, Copied: n(checkpoint.Copied), CopiedWithLosses: n(checkpoint.CopiedWithLosses),
			Skipped: n(checkpoint.Skipped), Failed: n(checkpoint.Failed), Removed: n(checkpoint.Removed),
			Pending: n(checkpoint.Pending) + n(checkpoint.Writing), Bytes: s.Bytes,
		},
		Balanced: s.Balanced(), Reasons: s.Reasons, Error: s.Error, Complete: s.Complete,
	}
	t.Unaccounted = t.Listed - t.accounted()
	if t.Reasons == nil {
		t.Reasons = map[string]int64{}
	}
	if !s.Until.IsZero() {
		until := s.Until
		t.Until = &until
	}
	return t
}

// EndAt notes that the run ended before everything was done, at the time that it was given.
func (r *Report) EndAt(t time.Time) {
	r.EndedAt = &t
	if r.State == Complete { // by what was listed, and the run did not get to the end of that
		r.State = Incomplete
	}
}

// ExitCode is the process's exit code by the report: 0, 3, 4 or 130.
func (r *Report) ExitCode() int {
	switch r.State {
	case Complete:
		return 0
	case Stopped:
		return 4
	case Interrupted:
		return 130
	default:
		return 3
	}
}

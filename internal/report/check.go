package report

import (
	"context"
	"fmt"
	"io"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Check is what a check of a job's state came to.
type Check struct {
	Job string `json:"job"`
	// Path is where the state lies; may be empty.
	Path  string `json:"-"`
	Sound bool   `json:"sound"`
	// Tasks and Listed are zero where the state could not be counted.
	Tasks    int       `json:"tasks"`
	Listed   int64     `json:"listed"`
	Findings []Finding `json:"findings"`
}

// Finding is one thing that does not add up, with what is to be done.
type Finding struct {
	Account    string          `json:"account,omitempty"`
	Kind       string          `json:"kind,omitempty"`
	Collection string          `json:"collection,omitempty"`
	Rule       checkpoint.Rule `json:"rule"`
	Found      string          `json:"found"`
	Do         string          `json:"do"`
}

// remedies say what to do about what breaks each rule.
var remedies = map[checkpoint.Rule]string{
	checkpoint.RuleIntact: "Put a copy of the state file back: 'run' refuses to go on without one. To begin anew compares files, events, " +
		"contacts and tasks with the target, but writes all mail a second time; with the file moved away, 'run' says how.",
	checkpoint.RuleReadable: "Put a copy of the state file back, or keep this one and report it.",
	checkpoint.RuleBalanced: "Run nothing until it is explained: keep the state file and report it, with what 'repatriate state export' writes.",
	checkpoint.RuleListing:  "Keep the state file and report it; until then, changes may be missed.",
	checkpoint.RuleReason:   "Look at the item at the source, and report it: nothing may be left out in silence.",
	checkpoint.RuleLocation: "Look whether the item is on the target, and report it.",
	checkpoint.RulePlace:    "Look whether the file is where the report says, and report it: a later pass could give its place to another one.",
	checkpoint.RuleParent:   "Look at the folder on the target, and report it: what lies in it cannot be moved or removed by later passes.",
}

// NewCheck has the store check itself. Damage that keeps the tasks from being counted is a finding, too.
func NewCheck(ctx context.Context, job string, store checkpoint.Store) (*Check, error) {
	c := &Check{Job: job, Findings: []Finding{}}
	for f, err := range store.Check(ctx) {
		if err != nil {
			return nil, fmt.Errorf("check the state: %w", err)
		}
		c.add(f)
	}
	statuses, err := store.Tasks(ctx)
	switch {
	case err == nil:
		c.count(statuses)
	case ctx.Err() != nil:
		return nil, err
	case len(c.Findings) == 0:
		c.add(checkpoint.Finding{Rule: checkpoint.RuleReadable, Detail: err.Error()})
	}
	c.Sound = len(c.Findings) == 0
	return c, nil
}

// Damaged is the check of a state that cannot be opened.
func Damaged(job, path string, err error) *Check {
	c := &Check{Job: job, Path: path}
	c.add(checkpoint.Finding{Rule: checkpoint.RuleIntact, Detail: strings.TrimPrefix(err.Error(), "state file "+path+": ")})
	return c
}

func (c *Check) add(f checkpoint.Finding) {
	c.Findings = append(c.Findings, Finding{
		Account: f.Task.Account, Kind: f.Task.Kind, Collection: f.Task.Collection, Rule: f.Rule, Found: f.Detail, Do: remedies[f.Rule],
	})
}

func (c *Check) count(statuses []checkpoint.Status) {
	c.Tasks = len(statuses)
	for _, s := range statuses {
		c.Listed += s.Listed
	}
}

// ExitCode is 0, or 3 if something does not add up.
func (c *Check) ExitCode() int {
	if c.Sound {
		return 0
	}
	return 3
}

// WriteJSON writes the check as one JSON object.
func (c *Check) WriteJSON(w io.Writer) error {
	return WriteJSON(w, c)
}

// WriteText writes the check for a person at a terminal.
func (c *Check) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, f := range c.Findings {
		where := strings.TrimSpace("State file " + Clean(c.Path, 200))
		if f.Account != "" {
			where = Task{Account: f.Account, Kind: f.Kind, Collection: f.Collection}.title()
		}
		fmt.Fprintf(&b, "%s\n  %s\n", wrap(where+": "+Clean(f.Found, 1000)+".", 0), wrap(f.Do, 2))
	}
	if c.Sound {
		fmt.Fprintf(&b, "The state adds up: %s, %s listed, each accounted for.\n", Plural(int64(c.Tasks), "collection"), Plural(c.Listed, "item"))
	} else {
		fmt.Fprintf(&b, "\nThe state does NOT add up: %s.\n", Plural(int64(len(c.Findings)), "finding"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

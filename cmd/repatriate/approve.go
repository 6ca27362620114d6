package main

import (
	"errors"
	"fmt"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// approving is what the approve command is asked for.
type approving struct {
	accounts           []string
	allGrade, by, note string
	list, json         bool
}

func newApprove() *cobra.Command {
	var o approving
	c := &cobra.Command{
		Use:   "approve JOB.yaml",
		Short: "Record who accepts what a plan says of an account",
		Long: `approve records that somebody accepts what the last plan says of accounts: the grade, and the
reasons that it comes from. With 'approve: C' in the job file, 'run' and 'retry' leave out accounts
that are graded worse, and those that were never planned, until they are approved.

An approval holds for what the plan said then: if a later plan finds something else that is worse
than the job file allows, the account is left out again. Approvals are kept beside the state, in
JOB.approvals.jsonl, one on a line; nothing is ever taken out of that file.

Exit codes: 0 recorded, or listed; 1 it could not be read or written; 2 usage or configuration, or
an account has no plan.`,
		Example: `  repatriate approve pilot.yaml --account ada@example.org --by "head of IT" --note "known"
  repatriate approve pilot.yaml --all-grade D
  repatriate approve pilot.yaml --list`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return o.approve(c, args[0]) },
	}
	c.Flags().StringSliceVar(&o.accounts, "account", nil, "approve this account, by its name at the source (may be repeated)")
	c.Flags().StringVar(&o.allGrade, "all-grade", "", "approve all accounts that wait for it and have this grade: B, C or D")
	c.Flags().StringVar(&o.by, "by", "", "who accepts it; without it, the name of this login")
	c.Flags().StringVar(&o.note, "note", "", "why it is accepted")
	c.Flags().BoolVar(&o.list, "list", false, "show who approved what, and what waits for it")
	c.Flags().BoolVar(&o.json, "json", false, "with --list: as JSON")
	return c
}

func (o approving) approve(c *cobra.Command, path string) error {
	if err := o.check(); err != nil {
		return usage(err)
	}
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	files := planFiles(job)
	kept, err := plan.ReadKept(files.Plan, job.Job)
	if err != nil {
		return usage(err)
	}
	if o.list {
		return o.show(c, job, path, kept)
	}
	names, err := o.names(job, path, kept)
	if err != nil {
		return usage(err)
	}
	all := make([]plan.Approval, len(names))
	for i, name := range names {
		all[i], _ = kept.Approve(name, o.by, o.note, time.Now()) // names leaves out what has no plan
	}
	if err := plan.AppendApprovals(files.Approvals, all...); err != nil {
		return fmt.Errorf("record the approval: %w", err)
	}
	return show(c.OutOrStdout(), plan.Recorded{Approvals: all, Path: path, Needed: job.Approve != ""}, false)
}

// longestNote bounds what is recorded of a text, in runes.
const longestNote = 1000

// check refuses what cannot be, and fills in the login's name.
func (o *approving) check() error {
	switch {
	case o.list && (len(o.accounts) > 0 || o.allGrade != "" || o.by != "" || o.note != ""):
		return errors.New("--list goes alone, or with --json")
	case o.list:
		return nil
	case o.json:
		return errors.New("--json goes with --list")
	case len(o.accounts) == 0 && o.allGrade == "":
		return errors.New("say which accounts: --account NAME, or --all-grade D; --list shows what waits")
	case len(o.accounts) > 0 && o.allGrade != "":
		return errors.New("--account and --all-grade exclude one another")
	}
	if o.by = report.Clean(strings.TrimSpace(o.by), longestNote); o.by == "" {
		u, err := user.Current()
		if err != nil {
			return fmt.Errorf("the name of this login is not known (%w): give --by NAME", err)
		}
		o.by = u.Username
	}
	o.note = report.Clean(o.note, longestNote)
	return nil
}

// names are the accounts that are to be approved; each has a plan.
func (o approving) names(job *config.Job, path string, kept *plan.Kept) (names []string, err error) {
	if o.allGrade != "" {
		return o.ofGrade(job, path, kept)
	}
	people, err := pass{accounts: o.accounts}.people(job)
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		if _, _, planned := kept.Grade(p.Source); !planned {
			return nil, fmt.Errorf("%s has no plan to approve; make one: repatriate plan %s --account %s", p.Source, path, p.Source)
		}
		names = append(names, p.Source)
	}
	return names, nil
}

// ofGrade are those that have a grade and wait for an approval. Where the job file asks for none, all do that are no A.
func (o approving) ofGrade(job *config.Job, path string, kept *plan.Kept) (names []string, err error) {
	grade, err := htmlreport.ParseGrade(strings.ToUpper(o.allGrade))
	if err != nil || grade == htmlreport.A {
		return nil, fmt.Errorf("--all-grade %q is none of B, C, D", o.allGrade)
	}
	gate, err := gateOf(job, kept)
	if err != nil {
		return nil, err
	}
	if gate == nil {
		gate = plan.NewGate(htmlreport.A, kept, plan.Approvals{})
	}
	for _, h := range gate.Waiting() {
		if g, _, _ := kept.Grade(h.Account); g == grade {
			names = append(names, h.Account)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no account of the grade %s waits for an approval; see: repatriate approve %s --list", grade, path)
	}
	return names, nil
}

// show lists what was approved and what waits.
func (o approving) show(c *cobra.Command, job *config.Job, path string, kept *plan.Kept) error {
	approvals, err := plan.ReadApprovals(planFiles(job).Approvals)
	if err != nil {
		return err
	}
	list := plan.List{Job: job.Job, Path: path, Approve: job.Approve, Approvals: approvals}
	gate, err := gateOf(job, kept)
	if err != nil {
		return err
	}
	if gate != nil {
		for _, p := range job.People {
			if h := gate.Holds(p.Source, kindsOf(p)); h != nil {
				list.Waiting = append(list.Waiting, *h)
			}
		}
	}
	return show(c.OutOrStdout(), list, o.json)
}

// gateOf returns who may run by the job file; nil if it asks for no approval.
func gateOf(job *config.Job, kept *plan.Kept) (*plan.Gate, error) {
	if job.Approve == "" {
		return nil, nil
	}
	limit, err := htmlreport.ParseGrade(job.Approve)
	if err != nil {
		return nil, err // the job file was checked
	}
	approvals, err := plan.ReadApprovals(planFiles(job).Approvals)
	if err != nil {
		return nil, err
	}
	return plan.NewGate(limit, kept, approvals), nil
}

// approved divides the accounts of a pass into those that may run and those that nobody approved.
func (p pass) approved(job *config.Job, people []config.Account) (run []config.Account, held []report.Held, err error) {
	if p.dryRun || job.Approve == "" {
		return people, nil, nil
	}
	kept, err := plan.ReadKept(planFiles(job).Plan, job.Job)
	if err != nil {
		return nil, nil, usage(err)
	}
	gate, err := gateOf(job, kept)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range people {
		if h := gate.Holds(a.Source, kindsOf(a)); h != nil {
			held = append(held, *h)
		} else {
			run = append(run, a)
		}
	}
	return run, held, nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/undo"
)

// undoFlags say what undo is to do.
type undoFlags struct {
	pass
	yes bool
}

func newUndo(f *flags) *cobra.Command {
	var u undoFlags
	c := &cobra.Command{
		Use:   "undo JOB.yaml",
		Short: "Remove from the target what the job wrote and nobody changed since",
		Long: `undo removes from the target exactly what this job wrote there. What lay on the target before, what
its users made, and what they changed of the job's items stays, and is listed; so does what an
interrupted run may have found there instead of writing it. Mailboxes, calendars and address books
that the job made go along if nothing lies in them.

Afterwards the ledger is as if the job had never moved these items: a run moves them anew.
undo may be interrupted and repeated. No run may be under way.

It asks for the job's name first, unless --yes is given.

Exit codes: 0 done, even if something stays; 2 usage or configuration; 4 a collection stopped; 130
interrupted.`,
		Example: `  repatriate undo pilot.yaml --dry-run
  repatriate undo pilot.yaml --account ada@example.org --kind calendar`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return u.run(f, c, args[0]) },
	}
	u.selection(c)
	c.Flags().BoolVar(&u.dryRun, "dry-run", false, "look at the target and count what would be removed; remove nothing")
	c.Flags().BoolVar(&u.yes, "yes", false, "do not ask")
	return c
}

func (u *undoFlags) run(f *flags, c *cobra.Command, path string) error {
	out, job, err := f.begin(path)
	if err != nil {
		return err
	}
	if !u.yes && !u.dryRun {
		if err := confirm(c.InOrStdin(), c.ErrOrStderr(), job.Job, u.part()); err != nil {
			return usage(err)
		}
	}
	r, err := runUndo(c.Context(), job, u.pass, out)
	if err != nil {
		return err
	}
	r.Path, r.Part = path, u.part() != ""
	return show(c.OutOrStdout(), r, u.json)
}

// part says in words what of the job is undone; empty for all of it.
func (u *undoFlags) part() string {
	var parts []string
	if len(u.accounts) > 0 {
		parts = append(parts, "of "+report.Clean(strings.Join(u.accounts, ", "), 200))
	}
	if len(u.kinds) > 0 {
		parts = append(parts, "of the kind "+strings.Join(u.kinds, ", "))
	}
	return strings.Join(parts, ", ")
}

// confirm asks for the job's name. part says what is undone if it is not all.
func confirm(in io.Reader, out io.Writer, job, part string) error {
	if part == "" {
		part = "for all accounts"
	}
	fmt.Fprintf(out, "This removes from the target what the job wrote, %s.\nType the job's name (%s) to go on: ", part, report.Clean(job, 100))
	line, err := bufio.NewReader(io.LimitReader(in, 1000)).ReadString('\n')
	if strings.TrimSpace(line) == job {
		return nil
	}
	if err != nil {
		fmt.Fprintln(out)
	}
	return fmt.Errorf("nothing was removed: the job is %q; type its name, or give --yes", job)
}

// runUndo takes away what the job wrote.
func runUndo(ctx context.Context, job *config.Job, p pass, out *output) (*report.Undoing, error) {
	r := &report.Undoing{Job: job.Job, DryRun: p.dryRun, Tasks: []report.Undone{}}
	var mu sync.Mutex
	done := map[checkpoint.Task]undo.Result{}
	add := func(p part, err error) {
		mu.Lock()
		defer mu.Unlock()
		r.Add(p.status, done[p.status.Task], err)
	}
	gone, err := overParts{
		job: job, pass: p, out: out,
		visit: func(ctx context.Context, w *wiring, store checkpoint.Store, one part) error {
			res, err := w.undo(ctx, store, one, p.dryRun)
			closed, sealErr := store.Sealed(ctx)
			mu.Lock()
			done[one.status.Task] = res
			r.Closed = !closed.IsZero()
			mu.Unlock()
			if err = errors.Join(err, sealErr); err == nil {
				add(one, nil)
			}
			return err
		},
		failed: add,
		missed: func(o []report.Outage) { r.Outages = o },
	}.run(ctx)
	if ctx.Err() != nil {
		return nil, exitError{exitInterrupted, errors.New("undo was interrupted: repeat it to go on, or run the job to move everything again")}
	}
	r.Note = goneAccounts(gone, job)
	return r, err
}

// undo takes away one task.
func (w *wiring) undo(ctx context.Context, store checkpoint.Store, p part, dryRun bool) (res undo.Result, err error) {
	err = w.onTarget(ctx, w.openMade, store, p, func(target written, l checkpoint.Ledger) (err error) {
		res, err = undo.Undo(ctx, store, p.status.Task, l, target, undo.Options{
			Tree: p.tree(), DryRun: dryRun, Counters: &w.counters, Patience: w.patience(),
		})
		return err
	})
	return res, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func newCalendars() *cobra.Command {
	c := &cobra.Command{
		Use:   "calendars",
		Short: "What is to be done with calendars after the move",
		Args:  noCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newRelease())
	return c
}

// releaseFlags say what release is to do.
type releaseFlags struct {
	accounts     []string
	dryRun, json bool
}

func newRelease() *cobra.Command {
	var r releaseFlags
	c := &cobra.Command{
		Use:   "release JOB.yaml",
		Short: "Let the target's calendars invite guests again",
		Long: `release lets the target's server invite and answer guests again. Events are moved with parameters
that keep it silent (SCHEDULE-AGENT=CLIENT); after the cut-over, an organizer who moves a meeting
wants the guests to hear of it. release takes these parameters from each event that nobody changed
since it was moved. The rest of the event stays, and so do events that somebody changed.

Nobody hears of the release itself: that is proven first, with a test event between two of the
accounts. Where a server tells guests nevertheless, nothing is released.

An account that fails keeps no other one back. It is named with its cause, and repeating the command
for it is enough.

Run it after the last pass: a pass that writes an event anew silences it again. It may be repeated.
No run may be under way.

Exit codes: 0 done; 2 usage or configuration; 4 nothing was released, or some accounts failed; 130
interrupted.`,
		Example: "  repatriate calendars release pilot.yaml --dry-run",
		Args:    jobArg,
		RunE:    func(c *cobra.Command, args []string) error { return r.run(c.Context(), c.OutOrStdout(), args[0]) },
	}
	c.Flags().StringSliceVar(&r.accounts, "account", nil, "only this account, by its name at the source (may be repeated)")
	c.Flags().BoolVar(&r.dryRun, "dry-run", false, "count what would be released; write nothing")
	c.Flags().BoolVar(&r.json, "json", false, "print the result as JSON")
	return c
}

// released is what release did for one account.
type released struct {
	Account  string `json:"account"`
	Released int    `json:"released"`
	Changed  int    `json:"changed"`
	// Error is why the account is not done; empty if it is.
	Error string `json:"error,omitempty"`
}

func (r *releaseFlags) run(ctx context.Context, out io.Writer, path string) error {
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	all, people, err := r.people(job)
	if err != nil {
		return err
	}
	w, err := newTargetWiring(job)
	if err != nil {
		return err
	}
	defer w.close()
	if !r.dryRun {
		unlock, err := lockState(ctx, job)
		if err != nil {
			return err
		}
		defer unlock()
		if err := w.releaseProof(ctx, all); err != nil {
			return stopped(ctx, "calendars release: nothing was released", err)
		}
	}
	done, failed := w.releaseAll(ctx, people, r.dryRun)
	return errors.Join(r.show(out, done), failed)
}

// stopped is the error of a command that could not go on, with what to do about it.
func stopped(ctx context.Context, what string, err error) error {
	if fault.Cancelled(ctx) {
		return ctx.Err()
	}
	return exitError{code: exitStopped, err: fmt.Errorf("%s: %w", what, err)}
}

// people returns the accounts whose calendars are moved, and those of them that were asked for.
func (r *releaseFlags) people(job *config.Job) (all, asked []config.Account, err error) {
	all = slices.DeleteFunc(slices.Clone(job.People), func(p config.Account) bool {
		return !slices.Contains(kindsOf(p), "calendar")
	})
	if len(all) == 0 {
		return nil, nil, usage(fmt.Errorf("the job moves no calendars"))
	}
	if len(r.accounts) == 0 {
		return all, all, nil
	}
	for _, name := range r.accounts {
		if !slices.ContainsFunc(all, func(p config.Account) bool { return p.Source == name }) {
			return nil, nil, usage(fmt.Errorf("--account %s: the job moves no calendars of this account", name))
		}
	}
	return all, slices.DeleteFunc(slices.Clone(all), func(p config.Account) bool { return !slices.Contains(r.accounts, p.Source) }), nil
}

func (r *releaseFlags) show(out io.Writer, done []released) error {
	if r.json {
		return report.WriteJSON(out, map[string]any{"dry_run": r.dryRun, "accounts": done})
	}
	word := "released"
	if r.dryRun {
		word = "to release"
	}
	lines := [][]string{{"account", word, "changed since, left alone"}}
	total := released{Account: "total"}
	for _, d := range done {
		total.Released, total.Changed = total.Released+d.Released, total.Changed+d.Changed
	}
	if len(done) > 1 {
		done = append(done, total)
	}
	for _, d := range done {
		lines = append(lines, []string{report.Clean(d.Account, 60), strconv.Itoa(d.Released), strconv.Itoa(d.Changed)})
	}
	if err := report.WriteColumns(out, 1, lines); err != nil {
		return err
	}
	if err := showFailed(out, done); err != nil {
		return err
	}
	text := "The target's server invites guests again when organizers change these events. A later run that writes an event anew silences it again: repeat this command then."
	if r.dryRun {
		text = "Dry run: nothing was written."
	}
	_, err := fmt.Fprintf(out, "\n%s\n", report.Wrap(text, 0))
	return err
}

// showFailed names the accounts that are not done, each with its cause.
func showFailed(out io.Writer, done []released) error {
	var b strings.Builder
	for _, d := range done {
		if d.Error != "" {
			fmt.Fprintf(&b, "\n%s\n", report.Wrap("Failed: "+report.Clean(d.Account, 60)+": "+d.Error, 2))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func newCheck(f *flags) *cobra.Command {
	var p pass
	var sample int
	c := &cobra.Command{
		Use:   "check JOB.yaml",
		Short: "Look whether the migration can begin",
		Long: `check asks the provider and the targets whether the migration can begin, and says of everything that
keeps it from beginning whom it concerns, why it matters and what to do about it.

At the source: whether a token can be had, which scope or permission is missing, whether the
services are on, and of each account whether it exists, is suspended, and has what is to be moved.
On the target: whether the server is reached, its certificate, and of each account the login, the
right to write, the room for what is to be moved, and what the server cannot do.

To see whether it may write, check makes a file, a mailbox, calendars and an address book by the
name of repatriate-check in each account, and removes them again; what an interrupted check left is
removed by the next one. Nothing else is changed, and nothing is moved.

Exit codes: 0 nothing keeps the migration from beginning; 2 usage or configuration; 3 some accounts
cannot be moved; 4 none can, or the provider or a target refuses; 130 interrupted.`,
		Example: `  repatriate check pilot.yaml
  repatriate check pilot.yaml --sample 20
  repatriate check pilot.yaml --account ada@example.org --kind mail`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return f.check(c, args[0], p, sample) },
	}
	p.selection(c)
	c.Flags().IntVar(&sample, "sample", 0, "look at this number of accounts, spread over all; 0: at all")
	return c
}

func (f *flags) check(cmd *cobra.Command, path string, p pass, sample int) error {
	if sample < 0 {
		return usage(fmt.Errorf("--sample %d is no number of accounts", sample))
	}
	o, job, err := f.begin(path)
	if err != nil {
		return err
	}
	people, err := p.people(job)
	if err != nil {
		return usage(err)
	}
	c, err := newChecking(cmd.Context(), job, spread(people, sample), o)
	if err != nil {
		return err
	}
	defer c.close()
	found, err := c.look(cmd.Context())
	if err != nil {
		return err
	}
	return show(cmd.OutOrStdout(), report.Preflight{Report: found, Job: job.Job, Path: path}, p.json)
}

// spread returns n of the accounts, evenly from the first to the last; all for n of 0.
func spread(people []config.Account, n int) []config.Account {
	if n == 0 || n >= len(people) {
		return people
	}
	some := make([]config.Account, n)
	for i := range some {
		some[i] = people[i*len(people)/n]
	}
	return some
}

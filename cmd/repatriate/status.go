package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func newStatus() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "status JOB.yaml",
		Short: "Show what the ledger holds, also while a run is under way",
		Long: `status shows what the ledger holds of each task: what was listed, and what became of it. It writes
nothing, and may be asked while a run is under way.

Exit codes: 0 everything moved and balanced; 2 usage or configuration; 3 some items failed or are
still to come, or the ledger does not balance; 4 a task stopped.`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) (err error) {
			job, err := config.Load(args[0])
			if err != nil {
				return usage(err)
			}
			store, err := viewStore(c.Context(), job)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			statuses, err := store.Tasks(c.Context())
			if err != nil {
				return fmt.Errorf("read the ledger: %w", err)
			}
			r := report.New(job.Job, statuses)
			if err := r.Collect(c.Context(), store); err != nil {
				return err
			}
			if err := closedSince(c.Context(), store, r); err != nil {
				return err
			}
			r.Path = args[0]
			return show(c.OutOrStdout(), r, json)
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print the report as JSON")
	return c
}

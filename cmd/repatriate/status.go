package main

import (
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
		Args:  jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			job, err := config.Load(args[0])
			if err != nil {
				return usage(err)
			}
			store, err := viewStore(c.Context(), job)
			if err != nil {
				return err
			}
			defer store.Close()
			statuses, err := store.Tasks(c.Context())
			if err != nil {
				return fmt.Errorf("read the ledger: %w", err)
			}
			r := report.New(job.Job, statuses)
			if err := r.Collect(c.Context(), store); err != nil {
				return err
			}
			return show(c.OutOrStdout(), r, json)
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print the report as JSON")
	return c
}

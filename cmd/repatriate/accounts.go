package main

import (
	"encoding/csv"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/config"
)

func newAccounts(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "accounts JOB.yaml",
		Short: "List what the provider's directory holds, as an accounts file to edit",
		Long: `accounts prints the organisation's users and shared drives as CSV, in the form of an accounts file: set the
target accounts and the passwords' references, and take lines out. Suspended accounts, which cannot be read, are commented out
with "#". The job file need not name an accounts file that exists yet.`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := f.output()
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return usage(err)
			}
			job, err := config.Parse(args[0], text)
			if err != nil {
				return usage(err)
			}
			w, err := newWiring(c.Context(), job, pass{}, o.log)
			if err != nil {
				return err
			}
			defer w.close()
			out := csv.NewWriter(c.OutOrStdout())
			_ = out.Write([]string{"source", "target", "password", "kinds", "state", "name"})
			for a, err := range w.directory(c.Context()) {
				if err != nil {
					return fmt.Errorf("read the directory: %w", err)
				}
				if err := out.Write(accountLine(a)); err != nil {
					return err
				}
			}
			out.Flush()
			return out.Error()
		},
	}
}

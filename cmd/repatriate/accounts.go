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
		Long: `accounts prints the organisation's users and shared drives as CSV, in the form of an accounts file:
give each line its account on the target and a reference to the password there (env:NAME, file:PATH
or cmd:COMMAND), and take out whom you do not want to move. Suspended accounts, which cannot be
read, are commented out with "#". The accounts file that the job file names need not exist yet.

Exit codes: 0 printed; 2 usage or configuration; 4 the directory cannot be read.`,
		Example: `  repatriate accounts pilot.yaml > accounts.csv`,
		Args:    jobArg,
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

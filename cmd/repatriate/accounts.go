package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sources"
)

func newAccounts(f *flags) *cobra.Command {
	return &cobra.Command{
		Use:   "accounts JOB.yaml",
		Short: "List what the provider's directory holds, as an accounts file to edit",
		Long: `accounts prints the organisation's users and shared drives as CSV, in the form of an accounts file:
give each line its account on the target and a reference to the password there (env:NAME, file:PATH
or cmd:COMMAND), and take out whom you do not want to move. Accounts that cannot be read, such as
those suspended at Google or without a licence at Microsoft, are commented out with "#". The
accounts file that the job file names need not exist yet.

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
			err = w.printAccounts(c.Context(), c.OutOrStdout())
			switch {
			case c.Context().Err() != nil:
				return c.Context().Err()
			case err != nil:
				return exitError{exitStopped, fmt.Errorf("read the directory: %w", err)}
			}
			return nil
		},
	}
}

// printAccounts writes an accounts file of all that the directory holds. A listing that breaks off is begun anew, and
// goes on after what is printed.
func (w *wiring) printAccounts(ctx context.Context, out io.Writer) error {
	lines := csv.NewWriter(out)
	begin := sync.OnceFunc(func() { _ = lines.Write([]string{"source", "target", "password", "kinds", "state", "name"}) })
	printed := make(map[string]bool)
	err := engine.Persist(ctx, w.options(), "list accounts", func() error {
		for a, err := range w.provider.accounts(ctx) {
			if err != nil {
				return err
			}
			begin() // not before there is something: a file of a header alone would look made
			if !printed[a.ID] {
				printed[a.ID] = true
				_ = lines.Write(w.provider.line(a).fields()) // its error is sticky, see below
			}
		}
		return nil
	})
	if err == nil {
		begin()
	}
	lines.Flush()
	return errors.Join(err, lines.Error())
}

// accountLine is an account as a line of an accounts file.
type accountLine struct {
	account               sources.Account
	source, target, kinds string
	out                   bool // commented out
}

// lineOf suggests the part of an address before the @ as the name on the target; a shared drive has none.
func lineOf(a sources.Account) accountLine {
	if a.Shared {
		return accountLine{account: a, source: drivePrefix + a.ID, kinds: "files"}
	}
	target, _, _ := strings.Cut(a.ID, "@")
	return accountLine{account: a, source: a.ID, target: target}
}

func (l accountLine) fields() []string {
	if l.out {
		l.source = "# " + l.source
	}
	return []string{l.source, l.target, "", l.kinds, l.account.State, l.account.Name}
}

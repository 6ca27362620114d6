package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

func newAccountsCheck() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "check JOB.yaml",
		Short: "Look at the accounts file without asking a server",
		Long: `check reads the accounts file as a run would, and says all that is wrong with it at once, with
lines: missing columns, addresses that are none, empty targets, accounts that stand there twice or
would become one, kinds that do not exist or have no target, passwords that are missing. What
spreadsheets write is read where it can only mean one thing, and said: semicolons or tabs, a byte
order mark, UTF-16, and Windows-1252 as long as no account's name depends on it. Passwords that are
not on this machine are named, and are no mistake. Nothing is sent anywhere.

Exit codes: 0 it can be used; 2 it cannot, or the job file cannot.`,
		Example: `  repatriate accounts check pilot.yaml`,
		Args:    jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			job, err := config.Open(args[0])
			if err != nil {
				return usage(err)
			}
			file, err := job.CheckAccounts()
			if err != nil {
				return usage(err)
			}
			return show(c.OutOrStdout(), checkedAccounts{file}, json)
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print what was found as JSON")
	return c
}

// checkedAccounts is what was found in an accounts file.
type checkedAccounts struct{ file *config.AccountsFile }

// maxShown is how much of one line of a file is shown.
const maxShown = 400

// WriteText writes it for people.
func (c checkedAccounts) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", c.file.Path, report.Plural(int64(len(c.file.People)), "account"))
	if c.file.LeftOut > 0 {
		fmt.Fprintf(&b, ", %s commented out", report.Plural(int64(c.file.LeftOut), "line"))
	}
	if c.file.Separator != "" {
		fmt.Fprintf(&b, "; %s, separated by %ss", c.file.Encoding, c.file.Separator)
	}
	b.WriteByte('\n')
	for _, group := range []struct {
		title string
		found []config.Finding
	}{{"To correct:", c.file.Findings}, {"Worth knowing:", c.file.Notes}} {
		if len(group.found) > 0 {
			fmt.Fprintln(&b, group.title)
		}
		for _, f := range group.found {
			fmt.Fprintf(&b, "  %s\n", report.Wrap(report.Clean(f.String(), maxShown), 4))
		}
	}
	if len(c.file.Findings) == 0 {
		fmt.Fprintln(&b, "Nothing is wrong with it.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes it for programs.
func (c checkedAccounts) WriteJSON(w io.Writer) error {
	some := func(found []config.Finding) []config.Finding { return append([]config.Finding{}, found...) } // [] and not null
	return report.WriteReadableJSON(w, struct {
		File      string           `json:"file"`
		Accounts  int              `json:"accounts"`
		LeftOut   int              `json:"left_out"`
		Encoding  string           `json:"encoding"`
		Separator string           `json:"separator"`
		Findings  []config.Finding `json:"findings"`
		Notes     []config.Finding `json:"notes"`
	}{c.file.Path, len(c.file.People), c.file.LeftOut, c.file.Encoding, c.file.Separator, some(c.file.Findings), some(c.file.Notes)})
}

// ExitCode is the process's exit code.
func (c checkedAccounts) ExitCode() int {
	if len(c.file.Findings) > 0 {
		return exitUsage
	}
	return exitOK
}

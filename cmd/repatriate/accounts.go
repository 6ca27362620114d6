package main

import (
	"bufio"
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
	var names, passwords []string
	var l listing
	c := &cobra.Command{
		Use:   "accounts JOB.yaml",
		Short: "List the provider's directory, as an accounts file to edit",
		Long: `accounts prints the organisation's users and shared drives as CSV, in the form of an accounts file:
give each line its account on the target and a reference to the password there (env:NAME, file:PATH
or cmd:COMMAND), and take out whom you do not want to move. Accounts that cannot be read, such as
those suspended at Google or without a licence at Microsoft, are commented out with "#". The column
comment says what is special about an account; it is passed over, as are state and name. The
accounts file that the job file names need not exist yet.

--names says how accounts are called on the target:
  local            the address up to the @: ada
  keep             the whole address: ada@example.org
  first.last       the display name without accents: ada.lovelace
  column:FILE.csv  as a CSV file with the columns source and target says
A target stays empty where the rule gives no name, or one that another account has.

With a file, passwords that it names are taken over, too, so that an accounts file can be renewed.

--password fills the column of that name: {user} in it is the account's name on the target.

Where a server has names or passwords of its own, both may be repeated with the kind before them:
--names mail=keep --password 'mail=file:mail/{user}' fill the columns mail_target and mail_password.

--output writes a file when the whole directory was read, and not before. One that is there already
stays as it is unless it names no account, as that of 'init', or --force is given.

Exit codes: 0 printed; 2 usage or configuration; 4 the directory cannot be read.`,
		Example: `  repatriate accounts pilot.yaml --output accounts.csv
  repatriate accounts pilot.yaml --names first.last --password 'file:secrets/{user}'
  repatriate accounts pilot.yaml --names column:names.csv
  repatriate accounts pilot.yaml --names local --names mail=keep --password 'file:secrets/{user}'
  repatriate accounts check pilot.yaml`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			naming, err := newNaming(names)
			if err != nil {
				return usage(fmt.Errorf("--names: %w", err))
			}
			if err := naming.refer(passwords); err != nil {
				return usage(fmt.Errorf("--password: %w", err))
			}
			return f.accounts(c, args[0], naming, l)
		},
	}
	c.Flags().StringArrayVar(&names, "names", nil, "names on the target: local (if nothing is said), keep, first.last, column:FILE.csv")
	c.Flags().StringArrayVar(&passwords, "password", nil, "reference to the password of each account, such as file:secrets/{user}")
	c.Flags().StringVar(&l.output, "output", "", "write to this file instead of standard output")
	c.Flags().BoolVar(&l.force, "force", false, "with --output: replace a file that is there already")
	c.AddCommand(newAccountsCheck())
	return c
}

// accounts prints the accounts file of a job.
func (f *flags) accounts(c *cobra.Command, path string, n *naming, l listing) error {
	o, err := f.output()
	if err != nil {
		return err
	}
	job, err := config.Open(path)
	if err != nil {
		return usage(err)
	}
	w, err := newWiring(c.Context(), job, pass{}, o.log)
	if err != nil {
		return err
	}
	defer w.close()
	if err := l.to(c, func(out io.Writer) error { return w.printAccounts(c.Context(), out, n) }); err != nil {
		return err
	}
	n.report(c.ErrOrStderr())
	return nil
}

// listing is where accounts are listed to.
type listing struct {
	output string // a file; empty: standard output
	force  bool
}

// to lists accounts. A file is made when all of them are known, and not before: whoever lists a second time, or while the provider does
// not answer, keeps what was edited.
func (l listing) to(c *cobra.Command, list func(io.Writer) error) (err error) {
	w, out := reportFiles{force: l.force || namesNobody(l.output)}, c.OutOrStdout()
	defer func() { err = errors.Join(err, w.close()) }()
	if l.output != "" {
		if out, err = w.create(l.output); err != nil {
			return err
		}
	}
	err = list(out)
	switch {
	case c.Context().Err() != nil:
		return c.Context().Err()
	case err != nil:
		return exitError{exitStopped, fmt.Errorf("read the directory: %w", err)}
	}
	return w.announced(c.ErrOrStderr())
}

// namesNobody reports whether a file is an accounts file with a header alone.
func namesNobody(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // only read
	lines := 0
	s := bufio.NewScanner(f)
	for s.Scan() && lines < 2 {
		if line := strings.TrimSpace(s.Text()); line != "" && line[0] != '#' {
			lines++
		}
	}
	return s.Err() == nil && lines < 2
}

// printAccounts writes an accounts file of all that the directory holds. A listing that breaks off is begun anew, and
// goes on after what is printed.
func (w *wiring) printAccounts(ctx context.Context, out io.Writer, n *naming) error {
	lines := csv.NewWriter(out)
	kinds := n.ownKinds()
	begin := sync.OnceFunc(func() { _ = lines.Write(columnsOf(kinds)) })
	printed := make(map[string]bool)
	err := engine.Persist(ctx, w.options(), "list accounts", func() error {
		for a, err := range w.provider.accounts(ctx) {
			if err != nil {
				return err
			}
			begin() // not before there is something: a file of a header alone would look made
			if !printed[a.ID] {
				printed[a.ID] = true
				_ = lines.Write(n.name(w.provider.line(a)).fields(kinds)) // its error is sticky, see below
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
	password, comment     string
	own                   map[string]config.Login // for single kinds
	out                   bool                    // commented out
}

// lineOf leaves the name on the target to the rule that was chosen.
func lineOf(a sources.Account) accountLine {
	if a.Shared {
		return accountLine{account: a, source: drivePrefix + a.ID, kinds: "files"}
	}
	return accountLine{account: a, source: a.ID}
}

// columnsOf are those of an accounts file in which so many kinds have columns of their own.
func columnsOf(kinds []string) []string {
	columns := []string{"source", "target", "password", "kinds"}
	for _, k := range kinds {
		columns = append(columns, config.TargetColumn(k), config.PasswordColumn(k))
	}
	return append(columns, "state", "name", "comment")
}

// fields are those of the line, in the order of columnsOf.
func (l accountLine) fields(kinds []string) []string {
	if l.out {
		l.source = "# " + l.source
	}
	out := []string{l.source, l.target, l.password, l.kinds}
	for _, k := range kinds {
		out = append(out, l.own[k].Target, l.own[k].Password)
	}
	return append(out, l.account.State, cell(l.account.Name), cell(l.comment))
}

// cell keeps a spreadsheet from taking a text for a formula, since users choose their names themselves.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

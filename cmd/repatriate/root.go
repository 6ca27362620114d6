package main

import (
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// flags are those of every command.
type flags struct {
	logLevel, logFormat string
}

func newRoot() *cobra.Command {
	f := new(flags)
	root := &cobra.Command{
		Use:   "repatriate",
		Short: "Move an organisation from Google Workspace to WebDAV, IMAP and CalDAV servers",
		Long: `repatriate moves an organisation's files, mail and calendars from Google Workspace to servers that it
controls: files to WebDAV, mail to IMAP, calendars to CalDAV. Each run goes on where the last one stopped and brings over
what changed since, until the day of the cut-over.

Exit codes: 0 everything moved and balanced; 1 internal error; 2 usage or configuration; 3 finished, but some items
failed or the ledger does not balance; 4 a task stopped (consent revoked, target full); 130 interrupted, can be resumed.`,
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		Args: noCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w; see '%s --help'", err, c.CommandPath()))
	})
	root.PersistentFlags().StringVar(&f.logLevel, "log-level", "warn", "least level that is logged to standard error: debug, info, warn, error")
	root.PersistentFlags().StringVar(&f.logFormat, "log-format", "text", "format of the log: text or json")
	root.AddCommand(newRun(f), newRetry(f), newStatus(), newAccounts(f), newSimulate(f), newDemo(f), newVersion())
	return root
}

// logger returns the log that the flags ask for.
func (f *flags) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return nil, usage(fmt.Errorf("--log-level %q is none of debug, info, warn, error", f.logLevel))
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	default:
		return nil, usage(fmt.Errorf("--log-format %q is none of text, json", f.logFormat))
	}
}

// noCommand refuses what is no command, and names those that are like it.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" Did you mean %s?", strings.Join(near, ", "))
	}
	return usage(fmt.Errorf("there is no command %q.%s See '%s --help'", args[0], hint, c.CommandPath()))
}

// jobArg takes exactly one argument, the job file.
func jobArg(c *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(fmt.Errorf("%s takes one job file; see '%s --help'", c.CommandPath(), c.CommandPath()))
	}
	return nil
}

// noArgs takes no argument.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%s takes no argument %q", c.CommandPath(), args[0]))
	}
	return nil
}

func newVersion() *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Args: noArgs, RunE: func(c *cobra.Command, _ []string) error {
		fmt.Fprintln(c.OutOrStdout(), "repatriate", version())
		return nil
	}}
}

// release is the version of this tree; builds from a tagged module know their own.
const release = "0.1.0-dev"

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return release
}

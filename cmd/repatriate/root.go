package main

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/progress"
)

// flags are those of every command.
type flags struct {
	logLevel, logFormat string
}

func newRoot() *cobra.Command {
	f := new(flags)
	root := &cobra.Command{
		Use:   "repatriate",
		Short: "Move an organisation from Google Workspace or Microsoft 365 to open servers",
		Long: `repatriate moves an organisation from Google Workspace or Microsoft 365 to servers that it
controls: files to WebDAV, mail to IMAP, calendars and tasks to CalDAV, contacts to CardDAV. Each
run goes on where the last one stopped and brings over what changed since, until the day of the
cut-over.

To see it work: repatriate demo

Exit codes: 0 everything moved and balanced; 1 internal error; 2 usage or configuration;
3 finished, but some items failed or the ledger does not balance; 4 a collection stopped (consent
revoked, target full); 130 interrupted, can be resumed.`,
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		Args: noCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w%s; see '%s --help'", err, nearFlag(c, err), c.CommandPath()))
	})
	root.PersistentFlags().StringVar(&f.logLevel, "log-level", "error",
		"log on standard error from this level on: debug, info, warn, error")
	root.PersistentFlags().StringVar(&f.logFormat, "log-format", "text", "form of the log: text, json")
	root.AddCommand(newInit(), newExplain())
	root.AddCommand(newCheck(f), newPlan(f), newApprove(), newRun(f), newRetry(f), newStatus(), newReport(), newVerify(f), newUndo(f), newAccounts(f))
	root.AddCommand(newState(), newCalendars(), newSimulate(f), newDemo(f), newVersion(), newDocs())
	grouped(root)
	completeAll(root)
	narrow(root, helpColumns)
	return root
}

// stderr is the process's standard error: its progress, its log and its messages share it.
var stderr = progress.NewScreen(os.Stderr)

// output is where a command speaks to people while it works.
type output struct {
	screen *progress.Screen
	log    *slog.Logger
	// progress takes the lines about progress where the log is for programs; nil otherwise.
	progress *slog.Logger
}

// output returns what the flags ask for, on standard error.
func (f *flags) output() (*output, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.logLevel)); err != nil || strings.ContainsAny(f.logLevel, "+-") {
		return nil, usage(fmt.Errorf("--log-level %q is none of debug, info, warn, error", f.logLevel))
	}
	o := &output{screen: stderr}
	switch f.logFormat {
	case "text":
		o.log = slog.New(slog.NewTextHandler(o.screen, &slog.HandlerOptions{Level: level}))
	case "json":
		o.log = slog.New(slog.NewJSONHandler(o.screen, &slog.HandlerOptions{Level: level}))
		o.progress = slog.New(slog.NewJSONHandler(o.screen, nil))
	default:
		return nil, usage(fmt.Errorf("--log-format %q is none of text, json", f.logFormat))
	}
	// What libraries say without being asked, such as net/http of bytes that a server sends after its answer, obeys the flags as well.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(o.log.Handler(), slog.LevelWarn).Writer())
	return o, nil
}

// begin returns where a command speaks while it works, and the job of a job file.
func (f *flags) begin(path string) (*output, *config.Job, error) {
	o, err := f.output()
	if err != nil {
		return nil, nil, err
	}
	job, err := config.Load(path)
	return o, job, usage(err)
}

// nearFlag names the flag that is called most like the one that there is not.
func nearFlag(c *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return ""
	}
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	if near := config.Nearest(unknown.GetSpecifiedName(), names); near != "" {
		return "; did you mean --" + near + "?"
	}
	return ""
}

// noCommand refuses what is no command, and names those that are like it.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := nearCommands(c, args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" Did you mean %s?", strings.Join(near, ", "))
	}
	return usage(fmt.Errorf("there is no command %q.%s See '%s --help'", args[0], hint, c.CommandPath()))
}

// nearCommands names the commands of c that are called like name.
func nearCommands(c *cobra.Command, name string) []string {
	c.SuggestionsMinimumDistance = 2 // it is not taken over from the root
	return c.SuggestionsFor(name)
}

// jobArg takes exactly one argument, the job file.
func jobArg(c *cobra.Command, args []string) error {
	if len(args) > 0 && c.HasSubCommands() && filepath.Ext(args[0]) == "" {
		if near := nearCommands(c, args[0]); len(near) > 0 {
			return usage(fmt.Errorf("%q is no job file. Did you mean %s %s?", args[0], c.CommandPath(), near[0]))
		}
	}
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

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/statefile"
)

func newState() *cobra.Command {
	c := &cobra.Command{
		Use:   "state",
		Short: "Check, export and import what a job remembers",
		Args:  noCommand,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newStateCheck(), newStateExport(), newStateImport())
	return c
}

func newStateCheck() *cobra.Command {
	var json bool
	c := &cobra.Command{
		Use:   "check JOB.yaml",
		Short: "Check that the state adds up, also while a run is under way",
		Long: `check reads the whole state and looks for what cannot be: a damaged file, a collection whose
records do not add up to what was listed, a record that cannot be read, something left out without a
reason, a file that lies where another one does, folders that lie in one another. It says what to do
about each. It writes nothing, and may be asked while a run is under way.

Exit codes: 0 all of it adds up; 2 usage or configuration, or there is no state yet; 3 something
does not add up.`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			return checkState(c.Context(), c.OutOrStdout(), args[0], json)
		},
	}
	c.Flags().BoolVar(&json, "json", false, "print the result as JSON")
	return c
}

func checkState(ctx context.Context, out io.Writer, path string, json bool) (err error) {
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	store, damaged, err := snapshotStore(ctx, job)
	if damaged {
		return show(out, report.Damaged(job.Job, job.StatePath(), err), json)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	c, err := report.NewCheck(ctx, job.Job, store)
	if err != nil {
		return err
	}
	c.Path = job.StatePath()
	return show(out, c, json)
}

func newStateExport() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "export JOB.yaml",
		Short: "Write the state as lines of JSON, for support or for another store",
		Long: `export writes all that the job remembers, as it is at this moment, as lines of JSON: its tasks and
where they go on, a record for each item, and the place of each file. It writes nothing else, and
may be asked while a run is under way. No passwords or tokens are in it; titles, names of files and
addresses of people are, so that only its owner may read the file.

Exit codes: 0 done; 1 it could not be read or written; 2 usage or configuration, or there is no
state yet, or the output is there already; 130 interrupted.`,
		Example: "  repatriate state export pilot.yaml --output pilot.jsonl",
		Args:    jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			return exportState(c.Context(), c.OutOrStdout(), args[0], output)
		},
	}
	c.Flags().StringVar(&output, "output", "", "write to this file, which must not be there yet, instead of standard output")
	return c
}

func exportState(ctx context.Context, stdout io.Writer, path, output string) (err error) {
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	store, _, err := snapshotStore(ctx, job)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if output == "" {
		return statefile.Export(ctx, stdout, job.Job, store)
	}
	err = writeNew(output, func(w io.Writer) error { return statefile.Export(ctx, w, job.Job, store) })
	if errors.Is(err, os.ErrExist) {
		return usage(fmt.Errorf("--output: %w; it is left as it is", err))
	}
	return err
}

// writeNew makes a file that only its owner may read; after an error there is none. os.ErrExist if there is one already,
// which is left as it is.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func newStateImport() *cobra.Command {
	var input string
	c := &cobra.Command{
		Use:   "import JOB.yaml --input FILE",
		Short: "Make the state of a job from an export of it",
		Long: `import makes the job's state from what 'repatriate state export' wrote. The job must have no state
yet: one that is there is never written over. An export that is damaged, not whole, another job's or
of a newer release is refused, and leaves nothing behind.

The next run goes on where the exported state stood. Take care that the state it was made from is
not used any more: two states of one job would write everything twice.

Exit codes: 0 done; 1 it could not be read or written; 2 usage or configuration, or the job has a
state already, or the input cannot be used; 130 interrupted.`,
		Example: "  repatriate state import pilot.yaml --input pilot.jsonl",
		Args:    jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			return importState(c.Context(), c.OutOrStdout(), c.InOrStdin(), args[0], input)
		},
	}
	c.Flags().StringVar(&input, "input", "", "the export; - is standard input")
	return c
}

func importState(ctx context.Context, out io.Writer, stdin io.Reader, path, input string) error {
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	if input == "" {
		return usage(errors.New("--input is required"))
	}
	in, name := stdin, "standard input"
	if input != "-" {
		f, err := os.Open(input)
		if err != nil {
			return usage(fmt.Errorf("--input: %w", err))
		}
		defer f.Close() //nolint:errcheck // nothing was written
		in, name = f, input
	}
	var n statefile.Counts
	err = createStore(ctx, job, func(s checkpoint.Store) (err error) {
		n, err = statefile.Import(ctx, in, job.Job, s)
		return err
	})
	switch {
	case errors.Is(err, statefile.ErrFormat):
		return usage(fmt.Errorf("import %s: %w; no state was made", name, err))
	case err != nil:
		return err
	}
	fmt.Fprintf(out, "The state is made: %s, %s and the places of %s.\n",
		report.Plural(n.Tasks, "collection"), report.Plural(n.Records, "record"), report.Plural(n.Nodes, "file"))
	return nil
}

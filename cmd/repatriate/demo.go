package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

func demoOrganisation() (*sim.Data, error) { return sim.LoadFS(examples.Organisation()) }

// liftDownloadQuota takes Google's daily download limit off the one file of the organisation that has reached it: the demo
// shows a pass that ends well. The simulate command leaves it, so that a failure and its retry can be seen.
func liftDownloadQuota(d *sim.Data) error {
	for _, u := range d.Users() {
		id, err := d.FileID(u.Email, "popular.zip")
		if err != nil {
			continue
		}
		return d.SetFile(id, func(f *sim.File) { f.OverQuota = false })
	}
	return errors.New("the demo organisation has no popular.zip")
}

func newDemo(f *flags) *cobra.Command {
	var asJSON, keep bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Move a small simulated organisation into embedded servers, twice",
		Long: `demo starts a simulated Google Workspace with a small organisation that has one of everything that
is hard, moves it into WebDAV, IMAP and CalDAV servers within this process, and shows what came
over, what did not, and why. A second pass shows that nothing is moved again. Everything lies in a
temporary folder, and nothing leaves this machine.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := f.output()
			if err != nil {
				return err
			}
			return demo(c.Context(), c.OutOrStdout(), o, asJSON, keep)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print an array with one report for each pass")
	c.Flags().BoolVar(&keep, "keep", false, "leave the temporary folder, to look at what is in it")
	return c
}

func demo(ctx context.Context, out io.Writer, o *output, asJSON, keep bool) (err error) {
	dir, err := os.MkdirTemp("", "repatriate-demo-")
	if err != nil {
		return err
	}
	if !keep {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	data, err := demoOrganisation()
	if err != nil {
		return err
	}
	if err := liftDownloadQuota(data); err != nil {
		return err
	}
	s, err := simulation.Start(dir, simulation.Options{Data: data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	job, err := config.Load(s.Job)
	if err != nil {
		return err
	}
	say := out
	if asJSON {
		say = io.Discard
	}
	fmt.Fprintf(say, "A simulated Google Workspace, %s, moves into WebDAV, IMAP and CalDAV servers on this machine.\n", data.Domain())
	var reports []*report.Report
	for i, title := range []string{"First pass: everything", "Second pass: nothing changed, so nothing is moved again"} {
		r, err := runPass(ctx, job, pass{}, o)
		if err != nil {
			return err
		}
		if r.State == report.Interrupted {
			return exitError{code: exitInterrupted}
		}
		reports = append(reports, r)
		if i == 1 {
			r.Examples = nil
		}
		fmt.Fprintf(say, "\n== %s ==\n\n", title)
		if err := demoPass(say, r, i == 0); err != nil {
			return err
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		if err := e.Encode(reports); err != nil {
			return err
		}
	} else if err := demoTargets(out, s, keep, dir); err != nil {
		return err
	}
	return demoVerdict(reports)
}

// demoPass shows a pass: the first in full, the second in short.
func demoPass(w io.Writer, r *report.Report, full bool) error {
	if full {
		return r.WriteText(w)
	}
	balance := "The ledger balances."
	if !r.Balanced {
		balance = "The ledger does NOT balance."
	}
	_, err := fmt.Fprintf(w, "Written %d, removed %d, with %d requests to the provider and %d to the target. %s\n",
		r.Pass.Written, r.Pass.Removed, r.Pass.SourceRequests, r.Pass.TargetRequests, balance)
	return err
}

// demoVerdict returns the exit code: that of the worse report.
func demoVerdict(reports []*report.Report) error {
	code := exitOK
	for _, r := range reports {
		code = max(code, r.ExitCode())
	}
	if code == exitOK {
		return nil
	}
	return exitError{code: code}
}

// demoTargets shows what one of the accounts now holds on the target, and how to look closer.
func demoTargets(w io.Writer, s *simulation.Simulation, keep bool, dir string) error {
	user := s.Users()[0]
	files, err := s.Targets.Files.List(user)
	if err != nil {
		return err
	}
	boxes, err := s.Targets.Mail.Mailboxes(user)
	if err != nil {
		return err
	}
	calendars, err := s.Targets.Calendar.Calendars(user)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n== What %s finds on the new servers ==\n\n", report.Clean(user, 40))
	for i, f := range files {
		if i == 12 {
			fmt.Fprintf(w, "  … and %d more files and folders\n", len(files)-i)
			break
		}
		fmt.Fprintf(w, "  file      %s\n", report.Clean(f.Path, 90))
	}
	for _, b := range boxes {
		if len(b.Messages) > 0 {
			fmt.Fprintf(w, "  mailbox   %s (%s)\n", report.Clean(b.Name, 60), report.Plural(int64(len(b.Messages)), "message"))
		}
	}
	for _, c := range calendars {
		fmt.Fprintf(w, "  calendar  %s (%s)\n", report.Clean(c.DisplayName, 60), report.Plural(int64(len(c.Objects)), "event"))
	}
	fmt.Fprintf(w, "\nWrites that would have mailed a guest: %d\n", len(s.Targets.Calendar.Sent()))
	if keep {
		fmt.Fprintf(w, "Files, calendars, job file and state lie in %s\nRead the ledger again with: repatriate status %s\n", dir, s.Job)
	} else {
		fmt.Fprintln(w, "The temporary folder is gone. 'repatriate demo --keep' leaves it;\n"+
			"'repatriate simulate --dir trial' keeps the servers running, to look at them with programs of your own.")
	}
	return nil
}

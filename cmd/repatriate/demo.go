package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/examples"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/simulation"
)

func demoOrganisation() (*organisation.Organisation, error) {
	return organisation.Read(examples.Organisation())
}

// demoSource is a provider of the demo.
type demoSource struct {
	title string
	start func(*organisation.Organisation) (*simulation.Source, error)
}

var demoSources = map[string]demoSource{
	"google": {"Google Workspace", func(o *organisation.Organisation) (*simulation.Source, error) {
		data, err := google.Of(o)
		if err != nil {
			return nil, err
		}
		return simulation.Google(data, google.Options{}, ""), liftDownloadQuota(data)
	}},
	"microsoft": {"Microsoft 365", func(o *organisation.Organisation) (*simulation.Source, error) {
		data, err := microsoft.Of(o)
		if err != nil {
			return nil, err
		}
		return simulation.Microsoft(data, microsoft.Options{}, 0), nil
	}},
}

// liftDownloadQuota takes Google's daily download limit off the one file of the organisation that has reached it: the demo
// shows a pass that ends well. The simulate command leaves it, so that a failure and its retry can be seen.
func liftDownloadQuota(d *google.Data) error {
	for _, u := range d.Users() {
		id, err := d.FileID(u.Email, "popular.zip")
		if err != nil {
			continue
		}
		return d.SetFile(id, func(f *google.File) { f.OverQuota = false })
	}
	return errors.New("the demo organisation has no popular.zip")
}

func newDemo(f *flags) *cobra.Command {
	var d demo
	c := &cobra.Command{
		Use:   "demo",
		Short: "Move a small simulated organisation into embedded servers, twice",
		Long: `demo starts a simulated Google Workspace with a small organisation that has one of everything that
is hard, moves it into WebDAV, IMAP, CalDAV and CardDAV servers within this process, and shows what
came over, what did not, and why. A second pass shows that nothing is moved again. Then it does the
same with a simulated Microsoft 365. Everything lies in a temporary folder, and nothing leaves this
machine.

With --keep the folder stays, and holds a report of each move and pages for its people, too, as
'repatriate report' writes them.`,
		Example: `  repatriate demo
  repatriate demo --source microsoft --keep`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o, err := f.output()
			if err != nil {
				return err
			}
			d.out, d.output = c.OutOrStdout(), o
			return d.run(c.Context())
		},
	}
	c.Flags().StringSliceVar(&d.sources, "source", providers, "the providers to move from: google, microsoft")
	c.Flags().BoolVar(&d.asJSON, "json", false, "print an array with one report for each pass")
	c.Flags().BoolVar(&d.keep, "keep", false, "leave the temporary folder, with reports, to look at what is in it")
	return c
}

// demo is one run of the command.
type demo struct {
	out          io.Writer
	output       *output
	sources      []string
	asJSON, keep bool
	reports      []*report.Report
	moved        []moved
}

// moved are the passes over a provider, and the folder that they left.
type moved struct {
	title         string
	first, second *report.Report
	dir           string
}

func (d *demo) run(ctx context.Context) (err error) {
	if len(d.sources) == 0 {
		return usage(fmt.Errorf("--source is empty; it takes %s", strings.Join(providers, ", ")))
	}
	for _, name := range d.sources {
		if _, ok := demoSources[name]; !ok {
			return usage(fmt.Errorf("--source %q is none of %s", name, strings.Join(providers, ", ")))
		}
	}
	dir, err := os.MkdirTemp("", "repatriate-demo-")
	if err != nil {
		return err
	}
	if !d.keep {
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	for _, name := range d.sources {
		if err := d.move(ctx, demoSources[name], filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if d.asJSON {
		if err := report.WriteJSON(d.out, d.reports); err != nil {
			return err
		}
	} else {
		d.farewell()
	}
	return demoVerdict(d.reports)
}

// move shows two passes over one provider, with what they leave in a folder.
func (d *demo) move(ctx context.Context, from demoSource, dir string) (err error) {
	held, err := demoOrganisation()
	if err != nil {
		return err
	}
	source, err := from.start(held)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	s, err := simulation.Start(dir, simulation.Options{Source: source})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	job, err := config.Load(s.Job)
	if err != nil {
		return err
	}
	say := d.out
	if d.asJSON {
		say = io.Discard
	}
	fmt.Fprintln(say, report.Wrap(fmt.Sprintf("A simulated %s, %s, moves into WebDAV, IMAP, CalDAV and CardDAV servers on this machine.",
		from.title, held.Domain), 0))
	for i, title := range []string{"First pass: everything", "Second pass: nothing changed, so nothing is moved again"} {
		r, err := runPass(ctx, job, pass{}, d.output)
		if err != nil {
			return err
		}
		if r.State == report.Interrupted {
			return exitError{code: exitInterrupted}
		}
		d.reports = append(d.reports, r)
		if i == 0 {
			d.moved = append(d.moved, moved{title: from.title, first: r, dir: dir})
		} else {
			d.moved[len(d.moved)-1].second = r
		}
		if i == 1 {
			r.Examples = nil
		}
		fmt.Fprintf(say, "\n== %s ==\n\n", title)
		if err := demoPass(say, r, i == 0); err != nil {
			return err
		}
	}
	if err := demoTargets(say, s); err != nil || !d.keep {
		return err
	}
	pages := reporting{output: filepath.Join(dir, "report.html"), perAccount: filepath.Join(dir, "letters"), lang: "en"}
	return pages.write(ctx, io.Discard, io.Discard, s.Job)
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
	_, err := fmt.Fprintln(w, report.Wrap(fmt.Sprintf("Written %d, removed %d, with %d requests to the provider and %d to the target. %s",
		r.Pass.Written, r.Pass.Removed, r.Pass.SourceRequests, r.Pass.TargetRequests, balance), 0))
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

// demoTargets shows what one of the accounts now holds on the target.
func demoTargets(w io.Writer, s *simulation.Simulation) error {
	user := s.Users()[0]
	files, err := s.Targets.Files.List(user)
	if err != nil {
		return err
	}
	boxes, err := s.Targets.Mail.Mailboxes(user)
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
	if err := demoCollections(w, s.Targets.Calendar, user); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nWrites that would have mailed a guest: %d\n\n", len(s.Targets.Calendar.Sent()))
	return nil
}

// demoCollections shows the calendars of an account, its address books and its lists of tasks, which are calendars for to-dos.
func demoCollections(w io.Writer, from *embedded.Calendar, user string) error {
	calendars, err := from.Calendars(user)
	if err != nil {
		return err
	}
	books, err := from.AddressBooks(user)
	if err != nil {
		return err
	}
	show := func(kind string, of embedded.StoredCollection, one string) {
		fmt.Fprintf(w, "  %-9s %s (%s)\n", kind, report.Clean(cmp.Or(of.DisplayName, of.Name), 60), report.Plural(int64(len(of.Objects)), one))
	}
	var lists []embedded.StoredCollection
	for _, c := range calendars {
		if slices.Contains(c.Components, "VTODO") && !slices.Contains(c.Components, "VEVENT") {
			lists = append(lists, c)
		} else {
			show("calendar", c, "event")
		}
	}
	for _, b := range books {
		show("contacts", b, "contact")
	}
	for _, l := range lists {
		show("tasks", l, "task")
	}
	return nil
}

// farewell says in short what there was to see, and how to look closer. It stands last, where a screen ends.
func (d *demo) farewell() {
	fmt.Fprintf(d.out, "== In short ==\n\n")
	for _, m := range d.moved {
		t := m.first.Totals
		balance := "each accounted for"
		if !m.first.Balanced || !m.second.Balanced {
			balance = "NOT each accounted for"
		}
		fmt.Fprintf(d.out, "  %s\n", report.Wrap(fmt.Sprintf("%s: %s listed, %s: %d copied, %d with losses, %d skipped, %d failed. The second pass wrote %d.",
			m.title, report.Plural(t.Listed, "item"), balance, t.Copied, t.CopiedWithLosses, t.Skipped, t.Failed, m.second.Pass.Written), 4))
	}
	program := programName()
	fmt.Fprintln(d.out)
	if d.keep {
		fmt.Fprintf(d.out, "To look at: the administrator's report, a page for each person, and the files:\n")
		for _, m := range d.moved {
			for _, name := range []string{"report.html", "letters", "files"} {
				fmt.Fprintf(d.out, "  %s\n", filepath.Join(m.dir, name))
			}
		}
		fmt.Fprintf(d.out, "The ledger again:\n  %s status %s\n", program, filepath.Join(d.moved[0].dir, "job.yaml"))
	} else {
		fmt.Fprintf(d.out, "The temporary folder is gone. To keep it, with reports to look at in a browser:\n  %s demo --keep\n", program)
	}
	fmt.Fprintf(d.out, "Servers that keep running, to try every command on them:\n  %s simulate %s --dir trial\n"+
		"Your own organisation:\n  %s init pilot\n", program, d.sources[0], program)
}

// programName is how the program was started, in a form that can be typed again.
func programName() string {
	path, err := os.Executable()
	if err == nil && strings.Contains(path, "go-build") { // by go run, in a folder that is gone afterwards
		return "go run ./cmd/repatriate"
	}
	return "repatriate"
}

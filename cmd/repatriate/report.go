package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/htmlreport"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// reporting is what the report command is asked for.
type reporting struct {
	output, csv, perAccount, lang string
	json, force                   bool
}

func newReport() *cobra.Command {
	var o reporting
	c := &cobra.Command{
		Use:   "report JOB.yaml",
		Short: "Write what happened: HTML, CSV, JSON, a page for each person",
		Long: `report writes what happened, in a form that can be forwarded: the numbers, each account with a
grade, and every item that was lost in part, skipped or failed, with its reason and what to do. It
asks neither the provider nor the target, and may be asked while a run is under way; all of it is
then of one moment.

Without --output, --csv, --json or --per-account it writes JOB-report.html. Files are for their
owner alone, since titles, names of files and addresses are in them. What is there already stays,
unless --force is given.

The grades: A complete; B small losses; C losses that somebody should look at; D something would
be left behind. docs/reports.md has the rules.

Exit codes: 0 written, whatever it says; 1 it could not be read or written; 2 usage or
configuration, or there is no state yet, or a file is there already; 130 interrupted.`,
		Example: `  repatriate report pilot.yaml --output pilot.html --csv pilot.csv
  repatriate report pilot.yaml --json > pilot.json
  repatriate report pilot.yaml --per-account letters --lang fr`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error {
			return o.write(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), args[0])
		},
	}
	c.Flags().StringVar(&o.output, "output", "", "write an HTML page to this file")
	c.Flags().StringVar(&o.csv, "csv", "", "write a line for each such item to this file")
	c.Flags().BoolVar(&o.json, "json", false, "print the report as JSON on standard output")
	c.Flags().StringVar(&o.perAccount, "per-account", "", "write a page for each person to this folder, in words for them")
	c.Flags().StringVar(&o.lang, "lang", "en", "language of the pages for people: "+strings.Join(htmlreport.Languages(), ", "))
	c.Flags().BoolVar(&o.force, "force", false, "replace files that are there already")
	return c
}

func (o reporting) write(ctx context.Context, stdout, stderr io.Writer, path string) (err error) {
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	if o.output == "" && o.csv == "" && o.perAccount == "" && !o.json {
		o.output = filepath.Base(job.Job) + "-report.html"
	}
	if err := o.check(); err != nil {
		return usage(err)
	}
	store, _, err := snapshotStore(ctx, job)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	j, err := reportedJob(ctx, job, store)
	if err != nil {
		return err
	}
	j.Report.Path = path
	if j.Passes, err = passes.Read(passes.Path(job.Job, job.StatePath())); err != nil {
		return err
	}
	w := reportFiles{force: o.force}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := o.open(&w, j, stdout); err != nil {
		return err
	}
	if err := htmlreport.Walk(ctx, j, store, w.writers...); err != nil {
		return err
	}
	return w.announced(stderr)
}

// check refuses what cannot be, before anything is read.
func (o reporting) check() error {
	if o.output != "" && o.csv != "" && filepath.Clean(o.output) == filepath.Clean(o.csv) {
		return errors.New("--output and --csv name the same file")
	}
	for _, file := range []string{o.output, o.csv} {
		if file == "" || o.force {
			continue
		}
		if _, err := os.Lstat(file); err == nil {
			return thereAlready(file)
		}
	}
	return htmlreport.CheckLanguage(o.lang)
}

func thereAlready(file string) error {
	return fmt.Errorf("%s is there already, and is left as it is: give another name, or --force to replace it", file)
}

// usageIfThere makes an error of the command line of one that says that a file is there.
func usageIfThere(err error) error {
	if errors.Is(err, fs.ErrExist) {
		return usage(err)
	}
	return err
}

// reportedJob reads the numbers of the ledger.
func reportedJob(ctx context.Context, job *config.Job, store checkpoint.Store) (*htmlreport.Job, error) {
	statuses, err := store.Tasks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	r := report.New(job.Job, statuses)
	if err := closedSince(ctx, store, r); err != nil {
		return nil, err
	}
	var people []htmlreport.Named
	for _, a := range job.People {
		people = append(people, htmlreport.Named{Source: a.Source, Target: a.Target, Targets: a.Elsewhere()})
	}
	j := htmlreport.New(r, people)
	approvals, err := plan.ReadApprovals(planFiles(job).Approvals)
	if err != nil {
		return nil, err
	}
	j.Approve(func(account string) *htmlreport.Approved {
		a := approvals.Of(account)
		if a == nil {
			return nil
		}
		return &htmlreport.Approved{By: a.By, At: a.At, Grade: a.Grade, Note: a.Note}
	})
	j.Made, j.Version, j.Provider, j.Labels = time.Now(), version(), providerName(job), job.Labels
	return j, nil
}

// providerName is the source's name for people.
func providerName(job *config.Job) string {
	if job.Source.Microsoft != nil {
		return "Microsoft 365"
	}
	return "Google Workspace"
}

// open makes the writers that are asked for.
func (o reporting) open(w *reportFiles, j *htmlreport.Job, stdout io.Writer) error {
	if o.output != "" {
		f, err := w.create(o.output)
		if err != nil {
			return err
		}
		page := htmlreport.NewHTML(f, j)
		w.release = append(w.release, page.Release)
		w.writers = append(w.writers, page)
	}
	if o.csv != "" {
		f, err := w.create(o.csv)
		if err != nil {
			return err
		}
		lines, err := htmlreport.NewCSV(f)
		if err != nil {
			return err
		}
		w.writers = append(w.writers, lines)
	}
	if o.perAccount != "" {
		pages, err := htmlreport.NewPeople(o.perAccount, j, o.lang, o.force, w.replace)
		if err != nil {
			return usageIfThere(err)
		}
		w.release = append(w.release, pages.Release)
		w.writers = append(w.writers, pages)
		w.folder = o.perAccount
	}
	if o.json {
		out := bufio.NewWriter(stdout)
		w.flush = append(w.flush, out.Flush)
		object, err := htmlreport.NewJSON(out, j)
		if err != nil {
			return err
		}
		w.writers = append(w.writers, object)
	}
	return nil
}

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

// pass says what a run is to do.
type pass struct {
	accounts, kinds []string
	dryRun, retry   bool
	json            bool
}

func newRun(f *flags) *cobra.Command {
	var p pass
	c := &cobra.Command{
		Use:   "run JOB.yaml",
		Short: "Move what is new or changed since the last run",
		Long: `run moves everything that the job's accounts hold and that the target does not have yet. It may be
interrupted at any time, and run again as often as one likes: it goes on where it stopped, and brings over what changed.`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return f.pass(c, args[0], p) },
	}
	c.Flags().BoolVar(&p.dryRun, "dry-run", false, "read and map everything, write nothing, and keep no state")
	p.selection(c)
	return c
}

func newRetry(f *flags) *cobra.Command {
	p := pass{retry: true}
	c := &cobra.Command{
		Use:   "retry JOB.yaml",
		Short: "Take up the items that failed",
		Args:  jobArg,
		RunE:  func(c *cobra.Command, args []string) error { return f.pass(c, args[0], p) },
	}
	p.selection(c)
	return c
}

func (p *pass) selection(c *cobra.Command) {
	c.Flags().StringSliceVar(&p.accounts, "account", nil, "only this account, by its name at the source (may be repeated)")
	c.Flags().StringSliceVar(&p.kinds, "kind", nil, "only this kind: "+strings.Join(config.Kinds, ", ")+" (may be repeated)")
	c.Flags().BoolVar(&p.json, "json", false, "print the report as JSON")
}

func (f *flags) pass(c *cobra.Command, path string, p pass) error {
	log, err := f.logger()
	if err != nil {
		return err
	}
	job, err := config.Load(path)
	if err != nil {
		return usage(err)
	}
	r, err := runPass(c.Context(), job, p, log, os.Stderr)
	if err != nil {
		return err
	}
	return show(c.OutOrStdout(), r, p.json)
}

// show prints a report and returns the exit code that it stands for.
func show(w io.Writer, r *report.Report, json bool) error {
	write := r.WriteText
	if json {
		write = r.WriteJSON
	}
	if err := write(w); err != nil {
		return err
	}
	if code := r.ExitCode(); code != exitOK {
		return exitError{code: code}
	}
	return nil
}

// runPass makes one pass over the job and reports what came of it. Only what keeps a pass from beginning, or its ledger
// from being written, is an error. Progress goes to screen.
func runPass(ctx context.Context, job *config.Job, p pass, log *slog.Logger, screen *os.File) (*report.Report, error) {
	people, err := p.people(job)
	if err != nil {
		return nil, usage(err)
	}
	store, err := openStore(ctx, job, p.dryRun)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	w, err := newWiring(ctx, job, p, log)
	if err != nil {
		return nil, err
	}
	defer w.close()
	begin := time.Now()
	stop := progress.Progress{Counters: &w.counters, Source: &w.source, Target: &w.target}.Show(ctx, screen, log)
	err = (&runner.Runner{Store: store, Parallel: job.Concurrency.Accounts, Log: log}).Run(ctx, w.accounts(people))
	stop()
	if err != nil && ctx.Err() == nil {
		return nil, err
	}
	return w.report(ctx, store, p, time.Since(begin))
}

func (w *wiring) report(ctx context.Context, store checkpoint.Store, p pass, took time.Duration) (*report.Report, error) {
	read := context.WithoutCancel(ctx)
	statuses, err := store.Tasks(read)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	r := report.New(w.job.Job, statuses)
	if err := r.Collect(read, store); err != nil {
		return nil, err
	}
	r.Simulated = p.dryRun
	r.Pass = &report.Pass{
		Written: w.counters.Written.Load(), Removed: w.counters.Removed.Load(), Bytes: w.counters.Bytes.Load(),
		SourceRequests: w.source.Requests(), TargetRequests: w.target.Requests(),
		ThrottledSeconds: (w.source.Throttled() + w.target.Throttled()).Seconds(), Seconds: took.Seconds(),
	}
	if ctx.Err() != nil {
		r.State = report.Interrupted
	}
	return r, nil
}

// people returns the accounts that the pass is for, with their kinds.
func (p pass) people(job *config.Job) ([]config.Account, error) {
	for _, k := range p.kinds {
		if !slices.Contains(config.Kinds, k) {
			return nil, fmt.Errorf("--kind %q is none of %s", k, strings.Join(config.Kinds, ", "))
		}
	}
	var people []config.Account
	for _, a := range job.People {
		if len(p.accounts) > 0 && !slices.ContainsFunc(p.accounts, func(s string) bool { return strings.EqualFold(s, a.Source) }) {
			continue
		}
		if len(p.kinds) > 0 {
			a.Kinds = slices.DeleteFunc(slices.Clone(a.Kinds), func(k string) bool { return !slices.Contains(p.kinds, k) })
		}
		people = append(people, a)
	}
	for _, s := range p.accounts {
		if !slices.ContainsFunc(job.People, func(a config.Account) bool { return strings.EqualFold(s, a.Source) }) {
			return nil, fmt.Errorf("--account %q does not stand in %s", s, job.Accounts)
		}
	}
	return people, nil
}

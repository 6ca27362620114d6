package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

// planning is what the plan command is asked for.
type planning struct {
	pass
	sample, html, csv string
	waves, from       string
	force             bool
}

func newPlan(f *flags) *cobra.Command {
	o := planning{pass: pass{dryRun: true}}
	c := &cobra.Command{
		Use:   "plan JOB.yaml",
		Short: "Say what a run would bring, lose and leave, before it begins",
		Long: `plan is the dry run for the whole organisation: it reads and maps everything that a run would move,
writes nothing to any server and nothing into the state, and says of each account and kind what
there is, what would be left out or lose something and why, and what does not fit on the target.
Each account gets a grade: A complete; B small losses; C losses that somebody should look at;
D something would be left behind. Of a job that has run already it plans what is left.

It asks the provider for about what a run asks for, but for the bodies of files, and so costs as
much of its quotas; mail of Google is read whole. --sample looks at some of the accounts, the same
in each call, and extrapolates. The targets are asked for room and for limits of size; one that
cannot be asked is named, and keeps nobody from planning.

How long a run takes is estimated from the provider's quotas and the round trips that the plan saw:
likely, at best, at worst, and what binds. --waves packs the accounts into the job's time windows,
or into nights and weekends, in the order of the accounts file, shared drives first; 'run --wave 1'
moves the first of them. docs/sizing.md explains both.

The grades are kept beside the state, as JOB.plan.json: with 'approve' in the job file, accounts
that are worse do not run before 'repatriate approve' has recorded who accepted it.

Exit codes: 0 planned; 2 usage or configuration; 3 an account has the grade D; 4 a collection
stopped; 130 interrupted, nothing is kept.`,
		Example: `  repatriate plan pilot.yaml --html plan.html --csv plan.csv
  repatriate plan pilot.yaml --sample 10%
  repatriate plan pilot.yaml --waves pilot-waves.csv --from 2026-12-01
  repatriate plan pilot.yaml --account ada@example.org --kind mail`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return f.plan(c, args[0], o) },
	}
	o.selection(c)
	c.Flags().Lookup("json").Usage = "print the plan as JSON"
	c.Flags().StringVar(&o.sample, "sample", "", "look at this number of accounts, or at this share of all, such as 10%")
	c.Flags().StringVar(&o.html, "html", "", "write an HTML page to this file")
	c.Flags().StringVar(&o.csv, "csv", "", "write a line for each kind of each account to this file")
	c.Flags().StringVar(&o.waves, "waves", "", "write a wave plan to this file: who is moved in which night, for run --wave")
	c.Flags().StringVar(&o.from, "from", "", "with --waves: the first day, such as 2026-12-01; today otherwise")
	c.Flags().BoolVar(&o.force, "force", false, "replace files that are there already")
	return c
}

func (f *flags) plan(c *cobra.Command, path string, o planning) error {
	sample, err := plan.ParseSample(o.sample)
	if err == nil {
		err = o.check()
	}
	if err != nil {
		return usage(err)
	}
	out, job, err := f.begin(path)
	if err != nil {
		return err
	}
	if err := checkKeeping(job); err != nil {
		return err
	}
	p, err := makePlan(c.Context(), job, o, sample, out)
	if err != nil {
		return err
	}
	p.Report.Path = path
	if err := o.keep(job, p); err != nil {
		return err
	}
	if o.waves != "" && !sameFile(o.waves, job.WavesPath()) {
		p.WavesFile = o.waves
	}
	if err := o.write(p, c.ErrOrStderr()); err != nil {
		return err
	}
	return show(c.OutOrStdout(), p, o.json)
}

// sameFile reports whether two paths lead to one place, of which nothing need be there yet.
func sameFile(a, b string) bool {
	one, err1 := filepath.Abs(a)
	two, err2 := filepath.Abs(b)
	return err1 == nil && err2 == nil && one == two
}

// check refuses files that cannot be written, before anything is read: a plan of many accounts takes its time.
func (o planning) check() error {
	if o.from != "" && o.waves == "" {
		return errors.New("--from goes with --waves")
	}
	named := map[string]bool{}
	for _, file := range []string{o.html, o.csv, o.waves} {
		if file == "" {
			continue
		}
		if named[filepath.Clean(file)] {
			return fmt.Errorf("%s is named twice: --html, --csv and --waves are three files", file)
		}
		named[filepath.Clean(file)] = true
		if _, err := os.Stat(filepath.Dir(file)); err != nil {
			return fmt.Errorf("%s cannot be written: %w", file, err)
		}
		if _, err := os.Lstat(file); err == nil && !o.force {
			return thereAlready(file)
		}
	}
	return nil
}

// makePlan makes the dry run. It writes nothing.
func makePlan(ctx context.Context, job *config.Job, o planning, sample plan.Sample, out *output) (_ *plan.Plan, err error) {
	people, err := o.people(job)
	if err != nil {
		return nil, usage(err)
	}
	first, err := o.firstWave(job, time.Now())
	if err != nil {
		return nil, usage(err)
	}
	looked, others := split(people, sample)
	w, err := newWiring(ctx, job, o.pass, out.log)
	if err != nil {
		return nil, err
	}
	defer w.close()
	w.survey = new(plan.Survey)
	store, err := openStore(ctx, job, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	begin := time.Now()
	r := &runner.Runner{Store: store, Parallel: job.Concurrency.Accounts, Log: out.log, Watch: w.board, Guard: w.guard()}
	stop := progress.Progress{
		Counters: &w.counters, Source: &w.source, Target: &w.target, Board: w.board, Stopped: r.Stopped.Load, Log: out.progress,
	}.Show(ctx, out.screen)
	w.board.Expect(len(looked))
	err = r.Run(ctx, w.surveyed(looked))
	stop()
	if err != nil {
		return nil, err
	}
	outages := report.Outages(r.Guard.Gone())
	looked, missed := reached(looked, outages)
	p, err := w.planned(ctx, store, looked, append(others, missed...), first, time.Since(begin))
	if err == nil {
		p.Report.Missed(outages)
	}
	return p, err
}

// reached returns the accounts that could be looked at, and those of which something was left alone.
func reached(people []config.Account, outages []report.Outage) (looked, missed []config.Account) {
	for _, p := range people {
		if slices.ContainsFunc(outages, func(o report.Outage) bool { return slices.Contains(o.Left, p.Source) }) {
			missed = append(missed, p)
		} else {
			looked = append(looked, p)
		}
	}
	return looked, missed
}

// planned puts the plan together from the ledger of the dry run. first is when the first wave may begin; zero: no waves are asked for.
func (w *wiring) planned(ctx context.Context, store checkpoint.Store, looked, others []config.Account, first time.Time, took time.Duration) (*plan.Plan, error) {
	w.pass.parts = map[plan.Part]bool{} // the ledger may have what the accounts file has no more
	for _, a := range looked {
		for _, kind := range kindsOf(a) {
			w.pass.parts[plan.Part{Account: a.Source, Kind: kind}] = true
		}
	}
	r, err := w.report(ctx, store, nil, took)
	if err != nil {
		return nil, err
	}
	out := plan.New(r, w.survey, persons(looked), persons(others))
	out.Made, out.Version, out.Provider = time.Now(), version(), providerName(w.job)
	var demands []estimate.Demand
	for _, d := range out.Demands() {
		demands = append(demands, estimate.Demand(d))
	}
	e := w.estimated(demands, estimate.Options{SourceRTT: w.source.RoundTrip(), TargetRTT: w.target.RoundTrip()})
	out.Takes(e)
	if !first.IsZero() {
		out.Waves = wavesOf(w.job, e, first)
	}
	return out, nil
}

// split picks the accounts that are looked at.
func split(people []config.Account, sample plan.Sample) (looked, others []config.Account) {
	names := make([]string, len(people))
	for i, p := range people {
		names[i] = p.Source
	}
	picked := make(map[string]bool)
	for _, name := range sample.Pick(names) {
		picked[name] = true
	}
	for _, p := range people {
		if picked[p.Source] {
			looked = append(looked, p)
		} else {
			others = append(others, p)
		}
	}
	return looked, others
}

func persons(accounts []config.Account) (out []plan.Person) {
	for _, a := range accounts {
		out = append(out, plan.Person{Source: a.Source, Target: a.Target, Targets: a.Elsewhere(), Kinds: kindsOf(a)})
	}
	return out
}

// planFiles are the files that plans and approvals of a job are kept in.
func planFiles(job *config.Job) plan.Files { return plan.FilesOf(job.Job, job.StatePath()) }

// keep keeps the grades and, of the whole job, how long it takes, and counts who has to be approved.
func (o planning) keep(job *config.Job, p *plan.Plan) error {
	files := planFiles(job)
	kept, err := plan.ReadKept(files.Plan, job.Job)
	if err != nil {
		return usage(err)
	}
	var known []string
	for _, a := range job.People {
		known = append(known, a.Source)
	}
	kept.Keep(p, known)
	if len(o.accounts)+len(o.kinds)+len(p.Report.Outages) == 0 {
		kept.KeepWhole(p)
	}
	if err := kept.Write(files.Plan); err != nil {
		return fmt.Errorf("keep the plan: %w", err)
	}
	gate, err := gateOf(job, kept)
	if err == nil && gate != nil {
		p.Waiting = int64(len(gate.Waiting()))
	}
	return err
}

// write writes the files that are asked for.
func (o planning) write(p *plan.Plan, stderr io.Writer) (err error) {
	w := reportFiles{force: o.force}
	defer func() { err = errors.Join(err, w.close()) }()
	p.Page = o.html
	for _, file := range []struct {
		path  string
		write func(io.Writer) error
	}{{o.html, p.WriteHTML}, {o.csv, p.WriteCSV}, {o.waves, p.WriteWaves}} {
		if file.path == "" {
			continue
		}
		f, err := w.create(file.path)
		if err != nil {
			return err
		}
		if err := file.write(f); err != nil {
			return err
		}
	}
	return w.announced(stderr)
}

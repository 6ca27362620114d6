package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

// pass says what a run is to do.
type pass struct {
	accounts, kinds []string
	dryRun, retry   bool
	json            bool
	// final makes it the last pass before the cut-over, despite closes the ledger although something failed, and reopen goes on with a
	// job that was closed.
	final, despite, reopen bool
	// retarget goes on although the job leads to another place on the target than before.
	retarget bool
	// parts are what a report is about; nil: all that accounts and kinds choose.
	parts map[plan.Part]bool
	steering
	// timetable is what the steering means; nil where there is no pass.
	timetable *schedule
}

func newRun(f *flags) *cobra.Command {
	var p pass
	c := &cobra.Command{
		Use:   "run JOB.yaml",
		Short: "Move what is new or changed since the last run",
		Long: `run moves everything that the job's accounts hold and that the target does not have yet. It may be
interrupted at any time, and run again as often as one likes: it goes on where it stopped, and
brings over what changed. What failed since a side was away or busy, a quota was used up or a disk
was full is tried again; what failed for another reason only if it changed. 'repatriate retry' takes
up the rest.

A job whose target changed, or the name of an account there, is refused: what was moved already
would not be moved to the new place. --retarget goes on, after 'repatriate verify --requeue' if it
is another account and not the same one under a new address.

On the day of the cut-over, --final makes the last pass: it also tries again what failed, names what
changed since the pass before, and closes the ledger if everything is decided. A closed job is run
again only with --reopen.

While it runs, standard error shows how far it is: on a terminal a bar and a line for each account
at work, elsewhere a line every ten seconds. What fails is told as it fails. The summary at the end
goes to standard output.

Nothing that one account does stops another. Where the provider or a target cannot be used by any
account, since it cannot be reached or gives out no token, three accounts find it out, and the rest
is left as it is; a server that answered before is waited for, up to half an hour.

With windows in the job file a run works in these times alone and waits in between, unless --now is
given; at the end of one it finishes what is under way. --until ends it at a time as an interrupt
does, but as planned: the exit code is then 3, or 4 if a collection stopped. --bandwidth and --now
go before what the job file says.

Exit codes: 0 everything moved and balanced; 2 usage or configuration; 3 finished, but some items
failed or the ledger does not balance, or --until ended it before everything was moved; 4 a
collection stopped; 130 interrupted, can be resumed.`,
		Example: `  repatriate run pilot.yaml --dry-run
  repatriate run pilot.yaml --account ada@example.org --kind mail
  repatriate run pilot.yaml --wave 2 --until 06:00 --bandwidth 400Mbit
  repatriate run pilot.yaml --metrics 127.0.0.1:9090
  repatriate run pilot.yaml --final`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return f.pass(c, args[0], p) },
	}
	c.Flags().BoolVar(&p.dryRun, "dry-run", false, "read and map everything; write nothing, to no server and no state")
	c.Flags().BoolVar(&p.final, "final", false, "the last run before the cut-over: retry, tell what changed, close the ledger")
	c.Flags().BoolVar(&p.despite, "despite-failures", false, "with --final: close the ledger although items failed")
	p.reopening(c)
	p.selection(c)
	p.steering.flags(c)
	return c
}

func newRetry(f *flags) *cobra.Command {
	p := pass{retry: true}
	c := &cobra.Command{
		Use:   "retry JOB.yaml",
		Short: "Take up the items that failed",
		Long: `retry tries the items again that failed in earlier runs, each as it is now at the source, and what
was interrupted. It looks for nothing new: that is what run does. Skipped items stay skipped until
they change.

Exit codes: those of run.`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return f.pass(c, args[0], p) },
	}
	p.reopening(c)
	p.selection(c)
	p.steering.flags(c)
	return c
}

func (p *pass) reopening(c *cobra.Command) {
	c.Flags().BoolVar(&p.reopen, "reopen", false, "go on with a job whose ledger was closed")
	c.Flags().BoolVar(&p.retarget, "retarget", false, "go on although accounts go to another place on the target than before")
}

func (p *pass) selection(c *cobra.Command) {
	c.Flags().StringSliceVar(&p.accounts, "account", nil, "only this account, by its name at the source (may be repeated)")
	c.Flags().StringSliceVar(&p.kinds, "kind", nil, "only this kind: "+strings.Join(config.Kinds, ", ")+" (may be repeated)")
	c.Flags().BoolVar(&p.json, "json", false, "print the report as JSON")
}

func (f *flags) pass(c *cobra.Command, path string, p pass) error {
	o, job, err := f.begin(path)
	if err != nil {
		return err
	}
	r, err := runPass(c.Context(), job, p, o)
	if r == nil {
		return err
	}
	r.Path = path
	shown := show(c.OutOrStdout(), r, p.json)
	return cmp.Or(err, shown) // what ended the pass says more than the state of the job
}

// nearAccount names the account that is called most like name, if one is.
func nearAccount(name string, people []config.Account) string {
	names := make([]string, len(people))
	for i, a := range people {
		names[i] = a.Source
	}
	user, _, _ := strings.Cut(name, "@")
	near := config.Nearest(name, names)
	if there, _, _ := strings.Cut(near, "@"); near == "" || config.Nearest(user, []string{there}) == "" {
		return "" // the domain alone is alike
	}
	return fmt.Sprintf("; do you mean %s?", near)
}

// printed is what a command has to say at its end.
type printed interface {
	WriteText(w io.Writer) error
	WriteJSON(w io.Writer) error
	ExitCode() int
}

// show prints a report and returns the exit code that it stands for.
func show(w io.Writer, r printed, json bool) error {
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
// from being written, is an error; with the latter comes the report of what was done before.
func runPass(ctx context.Context, job *config.Job, p pass, o *output) (_ *report.Report, err error) {
	p, people, err := p.prepared(job)
	if err != nil {
		return nil, usage(err)
	}
	people, held, err := p.approved(job, people)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(job.StatePath()); len(people) == 0 && len(held) > 0 && errors.Is(err, fs.ErrNotExist) && !p.retry {
		return nothingApproved(job, held), nil // an empty state would look like one of a job that has begun
	}
	if p.retry {
		if err := needState(ctx, job); err != nil { // there is nothing to take up where nothing was ever run
			return nil, err
		}
	}
	l, err := p.listen()
	if err != nil {
		return nil, usage(err)
	}
	if l != nil {
		defer l.Close() //nolint:errcheck // the pass is over
	}
	left := p.modelled(job) // before the state is opened, which changes its time
	ctx, cancel := p.timetable.bounded(ctx)
	defer cancel()
	w, err := newWiring(ctx, job, p, o.log) // before there is a state: one of a job that cannot begin would look like an empty one
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := lostState(job); err != nil {
		return nil, err
	}
	store, err := openStore(ctx, job, p.dryRun)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := p.reopened(ctx, job, store); err != nil {
		return nil, err
	}
	if err := p.aimed(ctx, job, store, people); err != nil {
		return nil, err
	}
	w.held, w.left = held, left
	return w.over(ctx, store, people, o, l)
}

// prepared returns the pass with what its flags stand for, and the accounts that it is for.
func (p pass) prepared(job *config.Job) (pass, []config.Account, error) {
	if err := p.checkFinal(); err != nil {
		return p, nil, err
	}
	p, err := p.selected(job)
	if err != nil {
		return p, nil, err
	}
	people, err := p.people(job)
	if err != nil {
		return p, nil, err
	}
	if people = p.ofWave(people); len(people) == 0 && p.wave != "" {
		return p, nil, fmt.Errorf("wave %s moves nothing of the kind %s", p.wave, strings.Join(p.kinds, ", "))
	}
	p.timetable, err = p.schedule(job, time.Now())
	return p, people, err
}

// over makes the pass, with its progress on the screen and its metrics on l, and reports what came of it.
func (w *wiring) over(ctx context.Context, store checkpoint.Store, people []config.Account, o *output, l net.Listener) (*report.Report, error) {
	begin := time.Now()
	r := &runner.Runner{Store: store, Parallel: w.job.Concurrency.Accounts, Log: o.log, Watch: w.board, Guard: w.guard()}
	unserve := w.serve(l, r)
	stop := progress.Progress{
		Counters: &w.counters, Source: &w.source, Target: &w.target, Board: w.board, Stopped: r.Stopped.Load, Log: o.progress, Left: w.left,
	}.Show(ctx, o.screen)
	w.board.Expect(len(people))
	err := w.pass.timetable.within(ctx, r, w.accounts(people))
	outages := report.Outages(r.Guard.Gone())
	if err == nil && w.pass.final && len(outages) == 0 {
		err = w.retryFailed(ctx, r, people)
		outages = report.Outages(r.Guard.Gone())
	}
	stop()
	unserve()
	if err != nil && ctx.Err() == nil {
		return w.broken(ctx, store, err, time.Since(begin))
	}
	out, err := w.report(ctx, store, err, time.Since(begin))
	if err == nil {
		out.Missed(outages)
	}
	if err == nil && !w.pass.dryRun {
		w.remember(out, begin)
	}
	if err == nil && w.pass.final {
		err = w.finish(ctx, store, out)
	}
	return out, err
}

// broken reports what was done before the state could not be used any more, as far as it can still be read.
func (w *wiring) broken(ctx context.Context, store checkpoint.Store, cause error, took time.Duration) (*report.Report, error) {
	out, err := w.report(ctx, store, cause, took)
	if err != nil {
		return nil, cause
	}
	out.State, out.Broken = report.Interrupted, report.Clean(cause.Error(), 400)
	return out, cause
}

// nothingApproved is the report of a run that left out every account, and never ran before.
func nothingApproved(job *config.Job, held []report.Held) *report.Report {
	r := report.New(job.Job, nil)
	r.Hold(held)
	return r
}

// remember keeps what the pass did for the charts of a report. Nothing depends on it.
func (w *wiring) remember(r *report.Report, began time.Time) {
	p := passes.Pass{
		Began: began.UTC(), Ended: time.Now().UTC(), State: r.State, OnTarget: w.standing, Written: r.Pass.Written, Removed: r.Pass.Removed, Bytes: r.Pass.Bytes,
		SourceRequests: r.Pass.SourceRequests, TargetRequests: r.Pass.TargetRequests,
		ThrottledSeconds: r.Pass.ThrottledSeconds, Throttled: r.Pass.Throttled,
	}
	if err := passes.Append(passes.Path(w.job.Job, w.job.StatePath()), p); err != nil {
		w.log.Warn("the pass is not remembered for the report's charts", "error", err)
	}
}

// report says what came of the pass, which ended with an error or nil.
func (w *wiring) report(ctx context.Context, store checkpoint.Store, end error, took time.Duration) (*report.Report, error) {
	p := w.pass
	read := context.WithoutCancel(ctx)
	statuses, err := store.Tasks(read)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	w.standing = 0
	for _, s := range statuses {
		w.standing += s.Counts[checkpoint.Copied] + s.Counts[checkpoint.CopiedWithLosses]
	}
	r := report.New(w.job.Job, p.among(statuses))
	if err := r.Collect(read, store); err != nil {
		return nil, err
	}
	counted, weights := w.counts.all()
	r.Compare(counted)
	r.Weigh(weights)
	r.Simulated = p.dryRun
	r.Hold(w.held)
	r.Pass = &report.Pass{
		Written: w.counters.Written.Load(), Removed: w.counters.Removed.Load(), Bytes: w.counters.Bytes.Load(),
		SourceRequests: w.source.Requests(), TargetRequests: w.target.Requests(),
		ThrottledSeconds: min(w.source.Throttled()+w.target.Throttled(), took).Seconds(), Throttled: map[string]float64{}, Seconds: took.Seconds(),
		TakenUp: w.counters.Again.Load(),
	}
	for _, m := range []*meter.Meter{&w.source, &w.target} {
		for scope, closed := range m.ByScope() {
			r.Pass.Throttled[scope] = min(closed, took).Seconds()
		}
	}
	switch {
	case end == nil:
	case errors.Is(context.Cause(ctx), errUntil):
		r.EndAt(p.timetable.until)
	default:
		r.State = report.Interrupted
	}
	return r, nil
}

// among returns those of the statuses that the pass is about: a run of one account does not fail for the trouble of another.
func (p pass) among(all []checkpoint.Status) []checkpoint.Status {
	asked := make(map[string]bool, len(p.accounts))
	for _, a := range p.accounts {
		asked[strings.ToLower(a)] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(s checkpoint.Status) bool {
		other := len(p.accounts) > 0 && !asked[strings.ToLower(s.Account)]
		other = other || p.parts != nil && !p.parts[plan.Part{Account: s.Account, Kind: s.Kind}]
		return other || len(p.kinds) > 0 && !slices.Contains(p.kinds, s.Kind)
	})
}

// people returns the accounts that the pass is for, with their kinds.
func (p pass) people(job *config.Job) ([]config.Account, error) {
	if p.kinds != nil && len(p.kinds) == 0 {
		return nil, fmt.Errorf("--kind is empty; it is one of %s", strings.Join(config.Kinds, ", "))
	}
	for _, k := range p.kinds {
		if !slices.Contains(config.Kinds, k) {
			return nil, fmt.Errorf("--kind %q is none of %s", k, strings.Join(config.Kinds, ", "))
		}
	}
	for _, k := range p.kinds {
		if !slices.ContainsFunc(job.People, func(a config.Account) bool { return slices.Contains(a.Kinds, k) }) {
			return nil, fmt.Errorf("--kind %s: the job moves none; see kinds and target in the job file, and kinds in %s", k, job.Accounts)
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
			return nil, fmt.Errorf("--account %q is not in %s%s", s, job.Accounts, nearAccount(s, job.People))
		}
	}
	return people, nil
}

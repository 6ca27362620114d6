package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/passes"
	"codeberg.org/repatriate/repatriate/internal/pause"
	"codeberg.org/repatriate/repatriate/internal/progress"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// looking says how the status is shown.
type looking struct {
	json, watch bool
	interval    time.Duration
}

func newStatus() *cobra.Command {
	var l looking
	c := &cobra.Command{
		Use:   "status JOB.yaml",
		Short: "Show what the ledger holds, also while a run is under way",
		Long: `status shows what the ledger holds of each task: what was listed, and what became of it. It writes
nothing, and may be asked while a run is under way. With --json, pass is what the last run did that
came to an end.

With --watch it looks again and again, in short, until it is interrupted: on a terminal in the same
place, elsewhere one block after the other. Looking at a large ledger takes a moment; it never takes
more than a twentieth of the time.

Exit codes: 0 everything moved and balanced, or --watch was interrupted; 2 usage or configuration;
3 some items failed or are still to come, or the ledger does not balance; 4 a collection stopped.`,
		Example: `  repatriate status pilot.yaml
  repatriate status pilot.yaml --watch --interval 10s`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) (err error) {
			if err := l.check(c); err != nil {
				return usage(err)
			}
			job, err := config.Load(args[0])
			if err != nil {
				return usage(err)
			}
			store, err := viewStore(c.Context(), job)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			if l.watch {
				return l.watching(c.Context(), job, store, c.OutOrStdout())
			}
			r, err := statusOf(c.Context(), job, store)
			if err != nil {
				return err
			}
			if err := r.Collect(c.Context(), store); err != nil {
				return err
			}
			r.Path = args[0]
			if l.json {
				r.Pass = lastPass(job)
			}
			return show(c.OutOrStdout(), r, l.json)
		},
	}
	c.Flags().BoolVar(&l.json, "json", false, "print the report as JSON")
	c.Flags().BoolVar(&l.watch, "watch", false, "look again and again until interrupted")
	c.Flags().DurationVar(&l.interval, "interval", 2*time.Second, "with --watch: the time from one look to the next")
	return c
}

// leastInterval keeps looks from coming faster than anybody reads.
const leastInterval = 100 * time.Millisecond

func (l looking) check(c *cobra.Command) error {
	switch {
	case l.watch && l.json:
		return errors.New("--watch and --json exclude one another")
	case !l.watch && c.Flags().Changed("interval"):
		return errors.New("--interval goes with --watch")
	case l.interval < leastInterval:
		return fmt.Errorf("--interval is at least %v", leastInterval)
	}
	return nil
}

// statusOf reports what the ledger holds.
func statusOf(ctx context.Context, job *config.Job, store checkpoint.Store) (*report.Report, error) {
	statuses, err := store.Tasks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	r := report.New(job.Job, statuses)
	if open, change := job.Open.At(time.Now()); !open {
		r.WindowOpens = &change
	}
	return r, closedSince(ctx, store, r)
}

// lastPass returns what the last run that came to an end did; nil if there was none.
func lastPass(job *config.Job) *report.Pass {
	made, _ := passes.Read(passes.Path(job.Job, job.StatePath())) // what cannot be read tells nothing
	if len(made) == 0 {
		return nil
	}
	p := made[len(made)-1]
	return &report.Pass{
		Written: p.Written, Removed: p.Removed, Bytes: p.Bytes, SourceRequests: p.SourceRequests, TargetRequests: p.TargetRequests,
		ThrottledSeconds: p.ThrottledSeconds, Throttled: p.Throttled, Seconds: p.Ended.Sub(p.Began).Seconds(),
	}
}

// share is how many times the time that a look takes passes before the next one at least.
const share = 20

// watching shows the status until ctx ends.
func (l looking) watching(ctx context.Context, job *config.Job, store checkpoint.Store, out io.Writer) error {
	quietEnd.Store(true)
	draw, end := drawing(out)
	defer end()
	var before *report.Brief
	for {
		begin := time.Now()
		r, err := statusOf(ctx, job, store)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		b := report.Brief{Report: r, At: begin, Accounts: len(job.People), Before: before}
		if err := draw(b.Lines()); err != nil {
			return err
		}
		b.Before, before = nil, &b
		if pause.For(ctx, max(l.interval, share*time.Since(begin))) != nil {
			return nil
		}
	}
}

// drawing returns what shows lines in the place of those before, where out is a terminal, and one block after the other elsewhere. end
// leaves the last ones.
func drawing(out io.Writer) (draw func([]string) error, end func()) {
	if f, ok := out.(*os.File); ok {
		if screen := progress.NewScreen(f); screen.Terminal() {
			return func(lines []string) error {
				var block []progress.Line
				for _, l := range lines {
					block = append(block, progress.Text(l))
				}
				screen.Draw(block)
				return nil
			}, screen.Leave
		}
	}
	return func(lines []string) error {
		_, err := fmt.Fprintf(out, "%s\n\n", strings.Join(lines, "\n"))
		return err
	}, func() {}
}

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/readback"
	"codeberg.org/repatriate/repatriate/internal/report"
	"codeberg.org/repatriate/repatriate/internal/undo"
)

// verifyFlags say what verify is to look at.
type verifyFlags struct {
	pass
	sample        string
	deep, requeue bool
}

func newVerify(f *flags) *cobra.Command {
	var v verifyFlags
	c := &cobra.Command{
		Use:   "verify JOB.yaml",
		Short: "Read the target back and compare it with the ledger",
		Long: `verify looks at everything that the job wrote to the target, item by item, and says what became of
it: proven; changed by its user since; different although nobody changed it; missing; or there twice
(extra). What lies on the target beside is counted, and is nobody's business.

Each item is looked for at its place, and its size and version are compared. Calendars, contacts and
tasks are always read whole, and compared by what they mean: servers write them in their own way.
Events are expanded, by the time zones that stand in them, and compared with when the provider said
that they take place.
Files and messages are read whole and compared by SHA-256 where they look changed, and all of them
with --deep; --sample 5% reads five of a hundred, always the same ones.

Nothing is written to the target, and the provider is not asked. With --requeue the state notes what
is missing as never moved, so that the next run moves it again; what its user deleted on purpose
comes back as well. No run may be under way.

Exit codes: 0 everything is proven or changed by its user; 2 usage or configuration; 3 something
differs, is missing or is there twice; 4 a collection could not be looked at; 130 interrupted.`,
		Example: `  repatriate verify pilot.yaml
  repatriate verify pilot.yaml --account ada@example.org --deep --json`,
		Args: jobArg,
		RunE: func(c *cobra.Command, args []string) error { return v.run(f, c, args[0]) },
	}
	v.selection(c)
	c.Flags().BoolVar(&v.deep, "deep", false, "read every file and message whole")
	c.Flags().BoolVar(&v.requeue, "requeue", false, "have the next run move again what is missing")
	c.Flags().StringVar(&v.sample, "sample", "", "read this share of the files and messages whole, such as 5%")
	return c
}

// share returns the part of the items that is read whole.
func (v *verifyFlags) share() (float64, error) {
	if v.deep {
		return 1, nil
	}
	if v.sample == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(v.sample, "%"), 64)
	if err != nil || !strings.HasSuffix(v.sample, "%") || n < 0 || n > 100 || n != n {
		return 0, fmt.Errorf("--sample %q is no share: write it as 5%%, from 0%% to 100%%", v.sample)
	}
	return n / 100, nil
}

func (v *verifyFlags) run(f *flags, c *cobra.Command, path string) error {
	share, err := v.share()
	if err != nil {
		return usage(err)
	}
	out, job, err := f.begin(path)
	if err != nil {
		return err
	}
	r, err := runVerify(c.Context(), job, v, share, out)
	if err != nil {
		return err
	}
	r.Path = path
	return show(c.OutOrStdout(), r, v.json)
}

// runVerify compares the ledger with the target.
func runVerify(ctx context.Context, job *config.Job, v *verifyFlags, share float64, out *output) (*report.Verification, error) {
	r := report.NewVerification(job.Job, share)
	var mu sync.Mutex
	add := func(p part, res readback.Result, err error) {
		mu.Lock()
		defer mu.Unlock()
		r.Add(p.status, res, err)
	}
	gone, err := overParts{
		job: job, pass: v.pass, out: out,
		visit: func(ctx context.Context, w *wiring, store checkpoint.Store, p part) error {
			res, err := w.verify(ctx, store, p, share)
			if err == nil {
				add(p, res, nil)
			}
			if err == nil && v.requeue {
				n, err := requeue(ctx, store, p, res.Findings)
				mu.Lock()
				defer mu.Unlock()
				r.Requeued += n
				return err
			}
			return err
		},
		failed: func(p part, err error) { add(p, readback.Result{}, err) },
		missed: r.Missed,
	}.run(ctx)
	if ctx.Err() != nil {
		r.Interrupted, r.Proven, err = true, false, nil
	}
	r.Note = goneAccounts(gone, job)
	return r, err
}

// verify compares one task.
func (w *wiring) verify(ctx context.Context, store checkpoint.Store, p part, share float64) (res readback.Result, err error) {
	err = w.onTarget(ctx, w.openWritten, store, p, func(target written, l checkpoint.Ledger) (err error) {
		res, err = readback.Verify(ctx, store, p.status.Task, l, target, readback.Options{
			Share: share, Tree: p.tree(), Counters: &w.counters, Patience: w.patience(),
		})
		return err
	})
	return res, err
}

// requeue makes what is missing pending, so that the next run moves it, and returns the number of such items.
func requeue(ctx context.Context, store checkpoint.Store, p part, found []readback.Finding) (n int64, err error) {
	ledger, err := store.Begin(ctx, p.status.Task, p.status.Name)
	if err != nil {
		return 0, fmt.Errorf("write the ledger: %w", err)
	}
	for _, f := range found {
		if f.Outcome != readback.Missing {
			continue
		}
		rec, ok, err := ledger.Record(ctx, f.ID)
		if err != nil {
			return n, fmt.Errorf("read the ledger: %w", err)
		}
		if !ok || rec.State == checkpoint.Pending {
			continue
		}
		if err := undo.Forget(ctx, ledger, rec, p.tree()); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Package runner runs the tasks of a job: accounts side by side, the tasks of one account one after the other, each kind
// for itself. What stops one task stops no other.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"golang.org/x/sync/errgroup"
)

// Work brings one task as far as it goes; see engine.Engine. It is given the task's ledger.
type Work func(ctx context.Context, l checkpoint.Ledger) error

// Task is a collection of an account and what is to be done with it.
type Task struct {
	// Collection is the id at the source, Name what the user calls it.
	Collection, Name string
	Work             Work
	// Close frees what the task holds; may be nil.
	Close func()
}

// Account is one account of a job.
type Account struct {
	Name  string
	Kinds []string
	// Open returns the tasks of one kind: it connects to both sides and lists the collections.
	Open func(ctx context.Context, kind string) ([]Task, error)
}

// Runner holds what all tasks of a run share.
type Runner struct {
	Store checkpoint.Store
	// Parallel is the number of accounts at once; at least 1.
	Parallel int
	Log      *slog.Logger
	// Stopped counts the tasks that could not go on.
	Stopped atomic.Int64
	// known are the statuses before the run.
	known map[checkpoint.Task]checkpoint.Status
}

// Run runs all accounts. Its error is the context's, or that of a store that cannot be used; what stops a task stands in the
// task's status.
func (r *Runner) Run(ctx context.Context, accounts []Account) error {
	statuses, err := r.Store.Tasks(ctx)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	r.known = make(map[checkpoint.Task]checkpoint.Status, len(statuses))
	for _, s := range statuses {
		r.known[s.Task] = s
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(r.Parallel, 1))
	for _, a := range accounts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return r.account(gctx, a) })
	}
	return errors.Join(g.Wait(), ctx.Err())
}

// account runs the kinds of one account at once: each has budgets and servers of its own.
func (r *Runner) account(ctx context.Context, a Account) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, kind := range a.Kinds {
		g.Go(func() error { return r.kind(ctx, a, kind) })
	}
	return g.Wait()
}

func (r *Runner) kind(ctx context.Context, a Account, kind string) error {
	if r.parked(a.Name, kind) {
		return nil
	}
	whole := checkpoint.Task{Account: a.Name, Kind: kind}
	tasks, err := a.Open(ctx, kind)
	if err != nil {
		return r.note(ctx, whole, err)
	}
	if err := r.clear(ctx, whole); err != nil {
		return err
	}
	for _, t := range tasks {
		if err := r.task(ctx, a.Name, kind, t); err != nil {
			return err
		}
	}
	return nil
}

// task runs one task. Its error ends the run: the ledger cannot be used, or the run is cancelled.
func (r *Runner) task(ctx context.Context, account, kind string, t Task) error {
	if t.Close != nil {
		defer t.Close()
	}
	key := checkpoint.Task{Account: account, Kind: kind, Collection: t.Collection}
	if r.known[key].Until.After(time.Now()) {
		r.Log.Info("task is parked", "account", account, "kind", kind, "until", r.known[key].Until)
		return nil
	}
	l, err := r.Store.Begin(ctx, key, t.Name)
	if err != nil {
		return fmt.Errorf("begin %s of %s: %w", kind, account, err)
	}
	if err := t.Work(ctx, l); err != nil && !fault.Cancelled(ctx) {
		r.Stopped.Add(1)
		r.Log.Warn("task stopped", "account", account, "kind", kind, "reason", fault.Of(err).Reason, "error", err)
		return remember(ctx, l, err)
	}
	return ctx.Err()
}

// remember keeps in the state why a task stopped, and where it was.
func remember(ctx context.Context, l checkpoint.Ledger, cause error) error {
	st, err := l.Status(ctx)
	if err != nil {
		return fmt.Errorf("read the task's state: %w", err)
	}
	p := checkpoint.Position{Cursor: st.Cursor, Generation: st.Generation, Complete: st.Complete, Error: fault.Text(cause)}
	if f := fault.Of(cause); f.Action == fault.FailTask && f.After > 0 {
		p.Until = time.Now().Add(f.After)
	}
	return l.Advance(ctx, p)
}

// parked reports whether the kind as a whole could not be opened and shall not be tried yet.
func (r *Runner) parked(account, kind string) bool {
	return r.known[checkpoint.Task{Account: account, Kind: kind}].Until.After(time.Now())
}

// note keeps in the state why a kind could not be opened at all.
func (r *Runner) note(ctx context.Context, key checkpoint.Task, cause error) error {
	if fault.Cancelled(ctx) {
		return ctx.Err()
	}
	r.Stopped.Add(1)
	r.Log.Warn("task cannot begin", "account", key.Account, "kind", key.Kind, "reason", fault.Of(cause).Reason, "error", cause)
	l, err := r.Store.Begin(ctx, key, "")
	if err != nil {
		return fmt.Errorf("begin %s of %s: %w", key.Kind, key.Account, err)
	}
	return remember(ctx, l, cause)
}

// clear takes back what note kept.
func (r *Runner) clear(ctx context.Context, key checkpoint.Task) error {
	st, noted := r.known[key]
	if !noted || st.Error == "" {
		return nil
	}
	l, err := r.Store.Begin(ctx, key, st.Name)
	if err != nil {
		return fmt.Errorf("begin %s of %s: %w", key.Kind, key.Account, err)
	}
	return l.Advance(ctx, checkpoint.Position{Cursor: st.Cursor, Generation: st.Generation, Complete: st.Complete})
}

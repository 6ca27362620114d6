// Package runner runs the tasks of a job: accounts side by side, the tasks of one account one after the other, each kind
// for itself. What stops one task stops no other.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/outage"
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
	// Targets are the places that the items of each kind go to, which the state remembers; may be nil.
	Targets map[string]string
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
	// Watch is told what is running; nil if nobody looks.
	Watch Watcher
	// Guard keeps accounts from what no account can do at the moment; nil: each is tried.
	Guard *outage.Guard
	// Drain, once closed, ends the run before its end: what is under way is finished, and no task is begun. It is the engines', too.
	Drain <-chan struct{}
	// drained is true once a task was left undone because of Drain.
	drained atomic.Bool
	// undone are the accounts of which a task was left undone or stopped, or that were never begun.
	undone sync.Map
	// known are the statuses before the run.
	known map[checkpoint.Task]checkpoint.Status
}

// Watcher sees the accounts come and go. Its methods are called from many goroutines.
type Watcher interface {
	// Began says that the account is running from now on with these kinds. What is done for it gets the context that is returned.
	Began(ctx context.Context, account string, kinds []string) context.Context
	// KindEnded says that one of its kinds is done, however that ended.
	KindEnded(account, kind string)
	Ended(account string)
	// Stopped says that a task could not go on, and until when it is parked; the zero time if it is not.
	Stopped(account, kind string, cause error, until time.Time)
}

// Run runs all accounts. Its error is the context's, that of a store that cannot be used, or engine.ErrDrained if the run was drained
// before its end; what stops a task stands in the task's status.
func (r *Runner) Run(ctx context.Context, accounts []Account) error {
	r.drained.Store(false)
	r.undone.Clear()
	r.Guard.Begin(r.Drain)
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
		if r.drains(a.Name) {
			continue
		}
		g.Go(func() error { return r.account(gctx, a) })
	}
	err = errors.Join(g.Wait(), ctx.Err())
	if err == nil && r.drained.Load() {
		return engine.ErrDrained
	}
	return err
}

// Undone returns those of the accounts that the last Run did not bring to their end.
func (r *Runner) Undone(accounts []Account) []Account {
	return slices.DeleteFunc(slices.Clone(accounts), func(a Account) bool {
		_, undone := r.undone.Load(a.Name)
		return !undone
	})
}

// drains reports whether nothing new may be begun of an account, which then is undone.
func (r *Runner) drains(account string) bool {
	select {
	case <-r.Drain:
		r.drained.Store(true)
		r.undone.Store(account, nil)
		return true
	default:
		return false
	}
}

// account runs the kinds of one account at once: each has budgets and servers of its own.
func (r *Runner) account(ctx context.Context, a Account) error {
	if r.left(ctx, a) {
		return ctx.Err()
	}
	if r.Watch != nil {
		ctx = r.Watch.Began(ctx, a.Name, a.Kinds)
		defer r.Watch.Ended(a.Name)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, kind := range a.Kinds {
		g.Go(func() error {
			if r.Watch != nil {
				defer r.Watch.KindEnded(a.Name, kind)
			}
			return r.kind(ctx, a, kind)
		})
	}
	return g.Wait()
}

// left reports whether nothing of the account can be done at the moment, nor of any other.
func (r *Runner) left(ctx context.Context, a Account) bool {
	for _, kind := range a.Kinds {
		if r.passes(ctx, a.Name, kind) {
			return false
		}
	}
	return len(a.Kinds) > 0
}

// passes reports whether something of a kind of an account may be begun, which is left undone otherwise.
func (r *Runner) passes(ctx context.Context, account, kind string) bool {
	if r.Guard.Pass(ctx, account, kind) {
		return true
	}
	r.undone.Store(account, nil)
	return false
}

func (r *Runner) kind(ctx context.Context, a Account, kind string) error {
	if r.drains(a.Name) || r.parked(a.Name, kind) {
		return nil
	}
	if !r.passes(ctx, a.Name, kind) {
		return ctx.Err()
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
		if err := r.task(ctx, a, kind, t); err != nil {
			return err
		}
	}
	return nil
}

// task runs one task. Its error ends the run: the ledger cannot be used, or the run is cancelled.
func (r *Runner) task(ctx context.Context, a Account, kind string, t Task) error {
	if t.Close != nil {
		defer t.Close()
	}
	account := a.Name
	key := checkpoint.Task{Account: account, Kind: kind, Collection: t.Collection}
	if r.drains(account) {
		return nil
	}
	if !r.passes(ctx, account, kind) {
		return ctx.Err()
	}
	if r.known[key].Until.After(time.Now()) {
		r.undone.Store(account, nil)
		r.Log.Info("task is parked", "account", account, "kind", kind, "until", r.known[key].Until)
		return nil
	}
	l, err := r.Store.Begin(ctx, key, t.Name)
	if err != nil {
		return fmt.Errorf("begin %s of %s: %w", kind, account, err)
	}
	if target := a.Targets[kind]; target != "" && target != r.known[key].Target { // before anything is written there
		if err := r.Store.Aim(ctx, key, target); err != nil {
			return fmt.Errorf("begin %s of %s: %w", kind, account, err)
		}
	}
	err = t.Work(ctx, l)
	switch {
	case err == nil || fault.Cancelled(ctx):
		r.Guard.Ended(ctx, account, kind, nil)
		return ctx.Err()
	case errors.Is(err, engine.ErrDrained):
		r.drained.Store(true)
		r.undone.Store(account, nil)
		return nil
	}
	r.Log.Warn("task stopped", "account", account, "kind", kind, "reason", fault.Of(err).Reason, "error", err)
	return r.stopped(ctx, l, key, err)
}

// stopped counts a task that could not go on, and keeps why in the state. It returns when it is known whether others can go on.
func (r *Runner) stopped(ctx context.Context, l checkpoint.Ledger, key checkpoint.Task, cause error) error {
	r.Stopped.Add(1)
	r.undone.Store(key.Account, nil)
	until, err := remember(ctx, l, cause)
	if r.Watch != nil {
		r.Watch.Stopped(key.Account, key.Kind, cause, until)
	}
	r.Guard.Ended(ctx, key.Account, key.Kind, cause)
	return err
}

// remember keeps in the state why a task stopped, and where it was. It returns until when the task is parked.
func remember(ctx context.Context, l checkpoint.Ledger, cause error) (until time.Time, err error) {
	st, err := l.Status(ctx)
	if err != nil {
		return until, fmt.Errorf("read the task's state: %w", err)
	}
	p := checkpoint.Position{Cursor: st.Cursor, Generation: st.Generation, Complete: st.Complete, Error: fault.Text(cause)}
	if f := fault.Of(cause); f.Action == fault.FailTask && f.After > 0 {
		p.Until = time.Now().Add(f.After)
	}
	return p.Until, l.Advance(ctx, p)
}

// parked reports whether the kind as a whole could not be opened and shall not be tried yet.
func (r *Runner) parked(account, kind string) bool {
	if !r.known[checkpoint.Task{Account: account, Kind: kind}].Until.After(time.Now()) {
		return false
	}
	r.undone.Store(account, nil)
	return true
}

// note keeps in the state why a kind could not be opened at all.
func (r *Runner) note(ctx context.Context, key checkpoint.Task, cause error) error {
	if fault.Cancelled(ctx) {
		return ctx.Err()
	}
	if errors.Is(cause, engine.ErrDrained) {
		r.drained.Store(true)
		r.undone.Store(key.Account, nil)
		return nil
	}
	r.Log.Warn("task cannot begin", "account", key.Account, "kind", key.Kind, "reason", fault.Of(cause).Reason, "error", cause)
	l, err := r.Store.Begin(ctx, key, "")
	if err != nil {
		return fmt.Errorf("begin %s of %s: %w", key.Kind, key.Account, err)
	}
	return r.stopped(ctx, l, key, cause)
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

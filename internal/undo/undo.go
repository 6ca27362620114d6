// Package undo takes away from the target what a job wrote there, as far as nobody changed it since.
//
// It goes by the ledger alone, so that what lay on the target before is never looked at. An item that was taken away is pending again,
// as if it had never been moved, and the task begins anew with its next run. It may be broken off anywhere and repeated: what is gone
// already is no error.
package undo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Taker takes items away.
type Taker interface {
	// Remove is as in sinks.Sink, and Expect as in sinks.Inspector.
	Remove(ctx context.Context, prev sinks.Receipt) error
	Expect(p sinks.Proof) sinks.Expectation
}

// Target is what the items are taken away from. A dry run looks at it; List and Compare are as in sinks.Inspector.
type Target interface {
	Taker
	List(ctx context.Context, place string) iter.Seq2[sinks.Object, error]
	Compare(o sinks.Object, p sinks.Proof) sinks.Verdict
}

// Left is an item that stays on the target.
type Left struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Location string `json:"location"`
	// Reason is a fault's, and Detail its words.
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Result is what was done to one task.
type Result struct {
	// Removed counts the items that were taken away, or would be, and Stayed those that were left.
	Removed, Stayed int64
	// Own is how many of the removed ones are folders that the program made for itself, and so no items of the source.
	Own int64
	// Left are those that were left, up to MostLeft of them.
	Left []Left
	// Cleared are the names of mailboxes, calendars and address books that were taken away, since they were made by the job and empty.
	Cleared []string
}

// MostLeft bounds the items that stay and are kept in words; all are counted.
const MostLeft = 10_000

// Options say how it is done.
type Options struct {
	// Tree says that the task's items lie in folders.
	Tree bool
	// DryRun counts what would be done, by a look at the target, and changes nothing.
	DryRun bool
	// Parallel is the number of items at once; 0 means 8.
	Parallel int
	// Counters are added to as the work goes on; may be nil.
	Counters *engine.Counters
	// Patience repeats what the target refuses for the moment.
	Patience engine.Options
}

// Undo takes the items of one task away. Its error is why it could not be brought to its end.
func Undo(ctx context.Context, store checkpoint.Store, task checkpoint.Task, ledger checkpoint.Ledger, target Target, o Options) (Result, error) {
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	if o.Counters == nil {
		o.Counters = new(engine.Counters)
	}
	u := &undoer{o: o, store: store, task: task, ledger: ledger, taker: target, target: target}
	if o.DryRun {
		return u.look(ctx)
	}
	err := u.reset(ctx)
	if err == nil {
		err = u.finish(ctx)
	}
	if err != nil {
		return u.result, err
	}
	u.result.Stayed, u.result.Left = 0, nil // they are met again
	work := u.flat
	if o.Tree {
		work = u.tree
	}
	if err := work(ctx); err != nil {
		return u.result, err
	}
	return u.result, u.clear(ctx)
}

// look counts what would be done.
func (u *undoer) look(ctx context.Context) (Result, error) {
	if !u.o.Tree {
		err := u.lookAtAll(ctx)
		return u.result, err
	}
	err := u.treeLeft(ctx)
	if err == nil {
		_, err = u.lookAtTree(ctx, "", "", 0)
	}
	return u.result, err
}

type undoer struct {
	o      Options
	store  checkpoint.Store
	task   checkpoint.Task
	ledger checkpoint.Ledger
	taker  Taker
	target Target // nil where nobody looks at it

	mu     sync.Mutex
	result Result
	made   []string
	// kept are items that were taken away, whose receipts still tell what was made for them.
	kept []checkpoint.Record
	// left are the places of what interrupted writes left and is taken away.
	left map[string]bool
	// one is held while what an interrupted write left is looked for and taken away.
	one sync.Mutex
}

// reset lets the task begin anew. It comes first, so that a run after a broken undo moves again what was taken away.
func (u *undoer) reset(ctx context.Context) error {
	st, err := u.ledger.Status(ctx)
	if err == nil {
		err = u.ledger.Advance(ctx, checkpoint.Position{Generation: st.Generation})
	}
	if err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

// flat takes items away that lie in no folders.
func (u *undoer) flat(ctx context.Context) error {
	return u.atOnce(ctx, func(ctx context.Context, g *errgroup.Group) error {
		for rec, err := range u.store.Records(ctx, u.task) {
			if err != nil {
				return fmt.Errorf("read the ledger: %w", err)
			}
			if rec.Location != "" {
				u.o.Counters.Listed.Add(1)
			}
			if rec.Location != "" || rec.ReceiptState != "" || rec.State.Unrecorded() {
				g.Go(func() error { return u.flatItem(ctx, rec) })
			}
		}
		return nil
	})
}

func (u *undoer) atOnce(ctx context.Context, f func(context.Context, *errgroup.Group) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(u.o.Parallel)
	err := f(gctx, g)
	if waited := g.Wait(); waited != nil {
		return waited // it may be why f ended
	}
	return err
}

// item takes one item away, which lies at the location by now.
func (u *undoer) item(ctx context.Context, rec checkpoint.Record, location string) error {
	defer u.o.Counters.Done.Add(1)
	rec, _ = unmarked(rec)
	p := u.proof(rec, location)
	e := u.taker.Expect(p)
	if e.Foreign {
		u.remember(e.Made)
		u.staysForeign(rec, location)
		return nil
	}
	if err := save(ctx, u.ledger, marked(rec)); err != nil {
		return err
	}
	err := engine.Persist(ctx, u.o.Patience, "undo", func() error { return u.taker.Remove(ctx, p.Receipt) })
	switch f := fault.Of(err); {
	case err == nil:
		return u.forget(ctx, rec, e.Made)
	case fault.Cancelled(ctx), f.Action == fault.FailTask, f.Action == fault.Retry:
		return err // it may be gone by now: the mark stays, and whoever comes next takes it away again
	default:
		u.remember(e.Made)
		u.stays(rec, location, f)
		return save(ctx, u.ledger, rec)
	}
}

// proof is what the ledger knows of an item that lies at a location by now.
func (u *undoer) proof(rec checkpoint.Record, location string) sinks.Proof {
	at := sinks.Receipt{Location: location, Version: rec.ReceiptVersion, BodyVersion: rec.BodyVersion, State: rec.ReceiptState}
	return sinks.Proof{Receipt: at, Bytes: rec.Bytes, Digest: rec.Digest}
}

func (u *undoer) staysForeign(rec checkpoint.Record, location string) {
	u.stays(rec, location, fault.New(fault.FailItem, fault.TargetConflict, "it lay there before the job wrote anything, or may have"))
}

// staysUnnoted is for a folder of the engine's own.
func (u *undoer) staysUnnoted(n checkpoint.Node, place string) {
	u.stays(checkpoint.Record{ID: n.ID, Title: n.Name}, place, fault.New(fault.FailItem, fault.TargetConflict, "the job made no note whether it was there before"))
}

// forget notes that the item was taken away. The ledger holds on to what was made for it until that is gone as well: who repeats an undo
// that was broken off would not find it otherwise.
func (u *undoer) forget(ctx context.Context, rec checkpoint.Record, made []string) error {
	state := rec.ReceiptState
	forgotten(&rec)
	if len(made) > 0 && !u.o.Tree {
		rec.ReceiptState = state
		u.keep(rec, made)
	}
	if err := forget(ctx, u.ledger, rec, u.o.Tree); err != nil {
		return err
	}
	u.removed()
	return nil
}

// keep remembers what was made for an item that is gone.
func (u *undoer) keep(rec checkpoint.Record, made []string) {
	u.remember(made)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.kept = append(u.kept, rec)
}

// Forget makes an item pending that lies on the target no more, as if it had never been moved. What is gone at the source stays so. tree
// says that the task's items lie in folders.
func Forget(ctx context.Context, ledger checkpoint.Ledger, rec checkpoint.Record, tree bool) error {
	forgotten(&rec)
	return forget(ctx, ledger, rec, tree)
}

func forgotten(rec *checkpoint.Record) {
	rec.Location, rec.ReceiptVersion, rec.BodyVersion, rec.ReceiptState = "", "", "", ""
	if rec.State != checkpoint.Removed {
		rec.State, rec.Version, rec.Reason, rec.Message = checkpoint.Pending, "", "", ""
		rec.Losses, rec.Bytes, rec.Digest, rec.Attempts = nil, 0, "", 0
	}
}

// forget saves the record of an item that lies nowhere. Its place goes first: only a record can be found again.
func forget(ctx context.Context, ledger checkpoint.Ledger, rec checkpoint.Record, tree bool) error {
	if tree {
		if err := ledger.Forget(ctx, rec.ID); err != nil {
			return fmt.Errorf("write the ledger: %w", err)
		}
	}
	return save(ctx, ledger, rec)
}

func save(ctx context.Context, ledger checkpoint.Ledger, rec checkpoint.Record) error {
	if err := ledger.Save(ctx, rec); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	return nil
}

func (u *undoer) removed() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.result.Removed++
	u.o.Counters.Removed.Add(1)
}

// removedOwn counts a folder that the program made for itself.
func (u *undoer) removedOwn() {
	u.removed()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.result.Own++
}

func (u *undoer) stays(rec checkpoint.Record, location string, f *fault.Error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.result.Stayed++
	if len(u.result.Left) < MostLeft {
		u.result.Left = append(u.result.Left, Left{ID: rec.ID, Title: rec.Title, Location: location, Reason: string(f.Reason), Detail: words(f)})
	}
}

// words are a fault's without its reason, which stands beside.
func words(f *fault.Error) string {
	switch {
	case f.Err == nil:
		return string(f.Reason)
	case f.Hint != "":
		return f.Err.Error() + ": " + f.Hint
	}
	return f.Err.Error()
}

// mostMade bounds the names of what was made: mailboxes are some hundreds at most.
const mostMade = 10_000

func (u *undoer) remember(made []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, m := range made {
		if len(u.made) < mostMade && !slices.Contains(u.made, m) {
			u.made = append(u.made, m)
		}
	}
}

// clear takes away what was made for the items to lie in.
func (u *undoer) clear(ctx context.Context) error {
	c, ok := u.taker.(sinks.Clearer)
	if !ok {
		return nil
	}
	slices.SortFunc(u.made, func(a, b string) int { return strings.Compare(b, a) })
	err := engine.Persist(ctx, u.o.Patience, "undo", func() error {
		names, err := c.Clear(ctx, u.made)
		u.result.Cleared = append(u.result.Cleared, names...)
		return err
	})
	for i := 0; err == nil && i < len(u.kept); i++ {
		u.kept[i].ReceiptState = ""
		err = save(ctx, u.ledger, u.kept[i])
	}
	return err
}

var errLoop = errors.New("folders of the ledger lie in one another")

// Package engine moves the items of one collection: from a source through the mapping into a sink, remembering each of
// them in a ledger.
//
// It is written once for all kinds and providers. What it promises:
//
//   - every item that the source lists has a record, and the record a final state before the cursor passes it;
//   - a write that may have reached the target is looked for before it is repeated, where the sink cannot repeat it;
//   - an error is acted on by its fault, once: retried with pauses, skipped, failed, or the end of the task;
//   - cancellation leaves everything as it was, to be found again by the next run.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/pace"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// Options change how an Engine works. The zero Options are good defaults.
type Options struct {
	// InFlight is the number of items that are moved at once; 0 means 16.
	InFlight int
	// Attempts is the number of tries of one item or listing, throttled ones not counted; 0 means 6.
	Attempts int
	// Pause is the first pause between two attempts, doubled each time up to a minute; 0 means half a second.
	Pause time.Duration
	// Propagate removes from the target what is gone at the source, as far as nobody changed it there. Otherwise it stays.
	Propagate bool
	// Conflicts says what becomes of items that conflict with what the target's user did; empty means KeepTarget. A sink that is no
	// sinks.Keeper keeps the target's.
	Conflicts Conflicts
	// OrphanFolder is the name of the folder for nodes without a place in the tree; empty means "_Orphans".
	OrphanFolder string
	// Counters are added to as the work goes on; nil if nobody counts.
	Counters *Counters
	// Pace bounds how fast bodies are read; nil: as fast as it goes.
	Pace *pace.Pace
	// Drain, once closed, ends the work before its end: what is under way is finished, nothing else is begun. nil: never.
	Drain <-chan struct{}
	// Changed is told what was done to each item that was written, removed or failed, from many goroutines; nil if nobody listens.
	Changed func(Change)
	// Log takes what an operator may want to know; nil for silence. It never gets titles.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.InFlight = orDefault(o.InFlight, 16)
	o.Attempts = orDefault(o.Attempts, 6)
	o.Pause = orDefault(o.Pause, 500*time.Millisecond)
	o.OrphanFolder = orDefault(o.OrphanFolder, "_Orphans")
	if o.Counters == nil {
		o.Counters = new(Counters)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func orDefault[V comparable](v, d V) V {
	var zero V
	if v == zero {
		return d
	}
	return v
}

// Engine moves one collection.
type Engine[S sources.Content, T sinks.Content] struct {
	src     sources.Source[S]
	convert mapping.Func[S, T]
	sink    sinks.Sink[T]
	finder  sinks.Finder[T] // nil where a Put may be repeated
	keeper  sinks.Keeper[T] // nil where the target's user has always the last word
	seeker  sinks.Seeker[T] // nil where nothing is looked for that is not in its place
	// recoverer is nil where nobody can tell what an interrupted write left.
	recoverer sinks.Recoverer
	order     order[S, T]
	o         Options
}

// New returns an engine for items that have no place in a tree.
func New[S sources.Content, T sinks.Content](src sources.Source[S], convert mapping.Func[S, T], sink sinks.Sink[T], o Options) *Engine[S, T] {
	e := &Engine[S, T]{src: src, convert: convert, sink: sink, order: flat[S, T]{}, o: o.withDefaults()}
	e.finder, _ = sink.(sinks.Finder[T])
	if o.Conflicts != "" && o.Conflicts != KeepTarget {
		e.keeper, _ = sink.(sinks.Keeper[T])
	}
	e.seeker, _ = sink.(sinks.Seeker[T])
	e.recoverer, _ = sink.(sinks.Recoverer)
	return e
}

// NewFiles returns an engine for a drive: its items form a tree that is tied together by ids. name gives a node its name
// on the target, with a loss where it differs from the source's; mapping.FileRules has one.
func NewFiles(src sources.Source[sources.File], convert mapping.Func[sources.File, sinks.File], name NameFunc, sink sinks.Sink[sinks.File], o Options) *Engine[sources.File, sinks.File] {
	e := New(src, convert, sink, o)
	t := &tree{src: src, sink: sink, name: name, orphans: e.o.OrphanFolder}
	t.tracer, _ = sink.(sinks.Tracer[sinks.File])
	e.order = t
	return e
}

// Run makes one pass: it goes on where the ledger's cursor stands, up to the source's present. Its error is why the task
// could not be brought to its end: a fault.Error, the context's, or ErrDrained. Items that failed are no error of the pass.
func (e *Engine[S, T]) Run(ctx context.Context, l checkpoint.Ledger) error {
	p, err := e.begin(ctx, l)
	if err != nil {
		return err
	}
	if err = p.order.resume(ctx, p); err == nil {
		err = p.takeUpPassed(ctx)
	}
	if err == nil {
		err = p.pages(ctx)
	}
	if err == nil {
		err = p.comeBack(ctx)
	}
	if err == nil {
		err = p.finish(ctx)
	}
	return p.end(ctx, err)
}

// finish takes up what is undone. Moves that waited for others make way for one another; in the end none may be left.
func (p *pass[S, T]) finish(ctx context.Context) error {
	for before := int64(math.MaxInt64); ; {
		p.waiting.Store(0)
		if err := p.takeUp(ctx, nil, checkpoint.Pending, checkpoint.Writing); err != nil {
			return err
		}
		n := p.waiting.Load()
		if n == 0 {
			return nil
		}
		p.insist = n >= before
		before = n
	}
}

// Retry takes up the items that failed, and those that were skipped since something else lay at their place on the target,
// as they are now at the source. Its error is as Run's.
func (e *Engine[S, T]) Retry(ctx context.Context, l checkpoint.Ledger) error {
	p, err := e.begin(ctx, l)
	if err != nil {
		return err
	}
	if err = p.order.resume(ctx, p); err == nil {
		err = p.takeUp(ctx, retried, checkpoint.Failed, checkpoint.Skipped, checkpoint.Pending, checkpoint.Writing)
	}
	return p.end(ctx, err)
}

// pass is one run of an engine over its ledger.
type pass[S sources.Content, T sinks.Content] struct {
	*Engine[S, T]
	ledger checkpoint.Ledger
	pos    checkpoint.Position
	saver  *saver
	writes writes
	// later are items in whose way another one is, see succeed.
	later later[S]
	// streak counts the items in a row that failed because a side did not answer, or this machine had no room.
	streak atomic.Int64
	// changing is true while a page of changes is being prepared, and not one of a listing.
	changing bool
	// listings counts the full listings of the pass.
	listings int
	// waiting counts the moves that others have to make way for; see errInItself. insist says that there are no others.
	waiting atomic.Int64
	insist  bool
	// drained is true once something was left undone because of Options.Drain.
	drained atomic.Bool
	// resumed is true while what an earlier run left unfinished may be among the items.
	resumed atomic.Bool
	// passed counts the pages that the cursor has passed, and began is the listing's generation when the pass began.
	passed int
	began  int64
	// midway is true of a pass that goes on where an earlier one was broken off, until it is at that one's end.
	midway bool
	// more says that the cursor stands within a pass.
	more bool
}

func (e *Engine[S, T]) begin(ctx context.Context, l checkpoint.Ledger) (*pass[S, T], error) {
	st, err := l.Status(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the task's state: %w", err)
	}
	p := &pass[S, T]{Engine: e, ledger: l, saver: newSaver(l)}
	p.resumed.Store(st.Generation > 0) // the number of a listing is stored before its first item is touched
	p.began = st.Generation
	p.pos = checkpoint.Position{Generation: st.Generation, Complete: st.Complete}
	p.pos.Cursor, p.midway = strings.CutPrefix(st.Cursor, within)
	p.more = p.midway
	return p, nil
}

// end saves what is left and notes in the ledger why the task stopped.
func (p *pass[S, T]) end(ctx context.Context, err error) error {
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	saveErr := p.saver.close()
	if err == nil {
		err = saveErr
	}
	switch {
	case fault.Cancelled(ctx):
		return errors.Join(context.Cause(ctx), saveErr)
	case errors.Is(err, ErrDrained):
		return errors.Join(ErrDrained, saveErr)
	}
	p.pos.Error, p.pos.Until = "", time.Time{}
	if err != nil {
		p.pos.Error = err.Error()
		if f := fault.Of(err); f.After > 0 {
			p.pos.Until = time.Now().Add(f.After)
		}
	}
	if advErr := p.ledger.Advance(clean, p.stored()); advErr != nil && err == nil {
		return ledgerError(fmt.Errorf("store the task's position: %w", advErr))
	}
	return err
}

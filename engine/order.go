package engine

import (
	"cmp"
	"context"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
	"golang.org/x/sync/errgroup"
)

// order is how the items of a kind hang together: what must come before what, and where each belongs.
type order[S sources.Content, T sinks.Content] interface {
	// steps divides the works of a page; a step is begun when the one before has ended.
	steps(ctx context.Context, p *pass[S, T], works []*work[S]) ([]step[S], error)
	// place completes what is to be written, just before it is, and corrects where it lies now.
	place(ctx context.Context, p *pass[S, T], w *work[S], content *T, prev *sinks.Receipt) ([]sinks.Loss, error)
	// beside gives the item another name than the one that is taken on the target, with a loss, and the content its place there.
	beside(ctx context.Context, p *pass[S, T], w *work[S], content *T) error
	// written saves the record of an item that was written.
	written(ctx context.Context, p *pass[S, T], rec checkpoint.Record) error
	removing[S, T]
	resuming[S, T]
}

// removing is what an order knows of items that are gone at the source.
type removing[S sources.Content, T sinks.Content] interface {
	// located returns where a known item lies now, for its removal; nowhere if an earlier pass removed it already.
	located(ctx context.Context, p *pass[S, T], rec checkpoint.Record) (sinks.Receipt, error)
	// removed notes that an item no longer lies on the target.
	removed(ctx context.Context, p *pass[S, T], id string) error
}

// resuming is what an order knows of passes that were broken off.
type resuming[S sources.Content, T sinks.Content] interface {
	// left returns what is known of a write of the item that may have been interrupted; not ok if there was none.
	left(ctx context.Context, p *pass[S, T], rec checkpoint.Record) (known sinks.Proof, ok bool, err error)
	// resume finishes what an earlier run broke off and others build upon.
	resume(ctx context.Context, p *pass[S, T]) error
	// reachable reports whether the folder may be had by now for want of which an earlier run failed the item.
	reachable(ctx context.Context, p *pass[S, T], id string) (bool, error)
}

// step is a number of works that may be done at once, or one after the other.
type step[S sources.Content] struct {
	works  []*work[S]
	serial bool
	// leaves says that no other item builds upon these.
	leaves bool
	// before is called when the step begins; may be nil.
	before func(ctx context.Context) error
}

// step does the works of one step. Its error ends the task.
func (p *pass[S, T]) step(ctx context.Context, s step[S]) error {
	if len(s.works) == 0 {
		return nil
	}
	if s.before != nil {
		if err := s.before(ctx); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.InFlight)
	if s.serial {
		g.SetLimit(1)
	}
	for _, w := range s.works {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error { return p.item(gctx, w) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return cmp.Or(ctx.Err(), p.drainedErr())
}

// flat is the order of items that do not depend on one another. What is gone goes first: an item may have come back under another id, and
// where a target takes a UID but once, the old object would be in its way.
type flat[S sources.Content, T sinks.Content] struct{}

func (flat[S, T]) steps(_ context.Context, _ *pass[S, T], works []*work[S]) ([]step[S], error) {
	var live, gone []*work[S]
	for _, w := range works {
		if w.item.Deleted {
			gone = append(gone, w)
		} else {
			live = append(live, w)
		}
	}
	return []step[S]{{works: gone}, {works: live, leaves: true}}, nil
}

func (flat[S, T]) place(context.Context, *pass[S, T], *work[S], *T, *sinks.Receipt) ([]sinks.Loss, error) {
	return nil, nil
}

// beside is never asked: where there is no tree, the sink finds another name by itself.
func (flat[S, T]) beside(context.Context, *pass[S, T], *work[S], *T) error {
	return fault.New(fault.FailItem, fault.TargetConflict, "the sink asks for another name where names are its own")
}

func (flat[S, T]) written(_ context.Context, p *pass[S, T], rec checkpoint.Record) error {
	return p.saver.save(rec)
}

func (flat[S, T]) located(_ context.Context, _ *pass[S, T], rec checkpoint.Record) (sinks.Receipt, error) {
	return receipt(rec), nil
}

func (flat[S, T]) removed(context.Context, *pass[S, T], string) error { return nil }

func (flat[S, T]) resume(context.Context, *pass[S, T]) error { return nil }

func (flat[S, T]) reachable(context.Context, *pass[S, T], string) (bool, error) { return false, nil }

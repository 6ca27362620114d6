package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Conflicts says what becomes of an item when the target's user changed it there, or has something else in its place.
type Conflicts string

// The policies.
const (
	// KeepTarget leaves what the user has and does not write the item; it is the default.
	KeepTarget Conflicts = "keep-target"
	// Rename leaves what the user has as it is, and writes the item beside it: that is its place from then on.
	Rename Conflicts = "rename"
	// SourceWins gives what the user has another name, and writes the item in its place.
	SourceWins Conflicts = "source-wins"
)

// mostConflicts bounds how often an item is put again because of what lies on the target: the user may be at work there, and have
// something under each of the names that are tried.
const mostConflicts = 25

// resolve puts an item again whose Put ended in a conflict, as the policy has it. Sinks that cannot keep both, and the policy to
// keep the target's, leave the conflict as it is.
func (p *pass[S, T]) resolve(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, refused error) (sinks.Written, error) {
	for range mostConflicts {
		if p.keeper == nil || !isConflict(refused) {
			break
		}
		next, err := p.makeRoom(ctx, w, &out, prev)
		if err != nil {
			return sinks.Written{}, err
		}
		written, err := p.sink.Put(ctx, out, next)
		if err == nil {
			return written, nil
		}
		prev, refused = next, err
	}
	return sinks.Written{}, refused
}

func isConflict(err error) bool {
	f := fault.Of(err)
	return f != nil && f.Action == fault.FailItem && (f.Reason == fault.TargetConflict || f.Reason == fault.TargetUIDConflict)
}

// makeRoom finds or makes a place for the item, and returns the receipt to put it with.
func (p *pass[S, T]) makeRoom(ctx context.Context, w *work[S], out *sinks.Item[T], prev sinks.Receipt) (sinks.Receipt, error) {
	if p.o.Conflicts == SourceWins {
		next, loss, err := p.keeper.Aside(ctx, *out, prev)
		if err == nil && loss != nil {
			err = p.noteAside(ctx, w, *loss)
		}
		return next, err
	}
	next, err := p.keeper.Beside(ctx, *out, prev)
	if errors.Is(err, sinks.ErrTaken) {
		err = p.order.beside(ctx, p, w, &out.Content)
	}
	return next, err
}

// noteAside makes it durable where something of the user's lies now, before the item is written in its place.
func (p *pass[S, T]) noteAside(ctx context.Context, w *work[S], loss sinks.Loss) error {
	w.rec.State = checkpoint.Writing
	w.rec.Losses = addLasting(w.rec.Losses, checkpoint.Loss(loss))
	return p.saver.saveNow(ctx, w.rec)
}

// bringBack puts an item that is not where it was put, and that the sink cannot put twice: from where its user moved it, or anew.
func (p *pass[S, T]) bringBack(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, seen *seen, save func(sinks.Written) error) error {
	at, loss, err := p.seek(ctx, w, out, prev, seen)
	if err != nil {
		return err
	}
	if at.IsZero() {
		if err := p.dropPlace(ctx, w, prev); err != nil {
			return err
		}
	}
	return p.write(ctx, w, out, at, func(written sinks.Written) error {
		written.Losses = append(written.Losses, loss)
		return save(written)
	})
}

// seek returns the one place where the item may lie that belongs to no other item; the zero receipt if there is none, or more than one.
func (p *pass[S, T]) seek(ctx context.Context, w *work[S], out sinks.Item[T], prev sinks.Receipt, seen *seen) (sinks.Receipt, sinks.Loss, error) {
	p.writes.Lock()
	defer p.writes.Unlock()
	if err := p.saver.flush(ctx); err != nil {
		return sinks.Receipt{}, sinks.Loss{}, err
	}
	candidates, loss, err := p.seeker.Seek(ctx, out, prev)
	if err != nil {
		return sinks.Receipt{}, loss, fmt.Errorf("look for what the user moved: %w", err)
	}
	own, err := p.unowned(ctx, w, candidates)
	if err != nil || len(own) != 1 {
		return sinks.Receipt{}, loss, err
	}
	return own[0], loss, p.claim(ctx, w, own[0], seen)
}

// dropPlace gives up where the item lay, and notes that it is about to be written anew.
func (p *pass[S, T]) dropPlace(ctx context.Context, w *work[S], prev sinks.Receipt) error {
	if err := p.sink.Remove(ctx, prev); err != nil && !isConflict(err) { // its copies, which would have no owner any more
		return err
	}
	w.rec.Location, w.rec.ReceiptVersion, w.rec.BodyVersion, w.rec.ReceiptState = "", "", "", ""
	w.rec.State = checkpoint.Pending
	return p.noteWriting(ctx, w)
}

// mostAside bounds how many things of the user's are remembered with one item: the latest.
const mostAside = 20

// addLasting returns the lasting losses with one more, each once.
func addLasting(losses []checkpoint.Loss, one checkpoint.Loss) []checkpoint.Loss {
	kept := slices.DeleteFunc(lasting(losses), func(l checkpoint.Loss) bool { return l == one })
	return append(kept[max(0, len(kept)-mostAside+1):], one)
}

// lasting returns the losses that stay with an item whatever becomes of it later.
func lasting(losses []checkpoint.Loss) []checkpoint.Loss {
	var out []checkpoint.Loss
	for _, l := range losses {
		if strings.HasSuffix(l.Reason, sinks.AsideSuffix) {
			out = append(out, l)
		}
	}
	return out
}

package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// maxListings bounds how often one pass begins a full listing anew because its cursor expired on the way.
const maxListings = 3

// batch is how many records are taken from the ledger at once.
const batch = 500

// pages works through the source's pages up to its present.
func (p *pass[S, T]) pages(ctx context.Context) error {
	for {
		if p.pos.Cursor == "" {
			if err := p.startListing(ctx); err != nil {
				return err
			}
		}
		err := p.follow(ctx)
		expired, appeared := errors.Is(err, sources.ErrCursorExpired), errors.Is(err, errAppeared)
		switch {
		case appeared:
			p.o.Log.Info("a folder appeared; listing anew for what lies in it")
		case expired && p.listings < maxListings:
			p.o.Log.Warn("the provider has forgotten the position; listing anew")
		case err == nil && p.midway:
			p.midway, p.changing = false, false
			// What an earlier run read may have changed since; and what it moved of a page that it did not pass may be gone, so that
			// no page tells of it any more.
			if err := p.sweep(ctx, doubted[S]); err != nil {
				return err
			}
			continue
		default:
			return err
		}
		p.pos.Cursor = ""
	}
}

// startListing begins a new generation: what is not seen in it by the end of the listing does not exist any more.
func (p *pass[S, T]) startListing(ctx context.Context) error {
	p.pos.Generation++
	p.listings++
	return p.advance(ctx, "", true)
}

// within stands in the ledger before a cursor within a pass. What such a pass read before it was broken off may have changed by the time
// that another one goes on with it. No source's cursor begins with a control character.
const within = "\x1f"

// setOut notes before the first page with items in it that a pass is under way.
func (p *pass[S, T]) setOut(ctx context.Context, page sources.Page[S]) error {
	if p.more || p.pos.Cursor == "" || len(page.Items) == 0 {
		return nil
	}
	return p.advance(ctx, sources.Cursor(p.pos.Cursor), true)
}

// advance stores the cursor, which passes the items that are held; more says that the pass is not at its end there.
func (p *pass[S, T]) advance(ctx context.Context, c sources.Cursor, more bool, held ...string) error {
	p.pos.Cursor, p.more = string(c), more
	if err := p.ledger.Advance(ctx, p.stored(), held...); err != nil {
		return ledgerError(fmt.Errorf("store the task's position: %w", err))
	}
	return nil
}

// stored returns the position as the ledger has it.
func (p *pass[S, T]) stored() checkpoint.Position {
	at := p.pos
	if p.more && at.Cursor != "" {
		at.Cursor = within + at.Cursor
	}
	return at
}

type listed[S sources.Content] struct {
	page sources.Page[S]
	err  error
}

// follow moves page after page; the next one is listed while this one is being moved.
func (p *pass[S, T]) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := p.newWindow(ctx)
	err := p.through(w)
	broken := w.ctx.Err() != nil
	if errors.Is(err, ErrDrained) {
		return cmp.Or(w.group.Wait(), err) // what is under way is finished
	}
	cancel()
	if first := w.group.Wait(); broken && first != nil {
		return first // why everything else was broken off
	}
	return err
}

// through takes the pages into the window, one after the other.
func (p *pass[S, T]) through(w *window[S]) error {
	start := sources.Cursor(p.pos.Cursor)
	next := p.list(w.ctx, start)
	for way := newCircle(start); ; {
		got := <-next
		if p.drains() {
			return cmp.Or(p.leave(w), ErrDrained)
		}
		if got.err != nil {
			return cmp.Or(p.leave(w), got.err)
		}
		closed := got.page.More && way.closes(got.page.Next)
		if got.page.More && !closed {
			next = p.list(w.ctx, got.page.Next)
		}
		if err := p.page(w, got.page); err != nil {
			return err
		}
		if closed {
			return cmp.Or(p.leave(w), errCircle)
		}
		if !got.page.More {
			return p.leave(w)
		}
	}
}

// list asks for the page after c in the background.
func (p *pass[S, T]) list(ctx context.Context, c sources.Cursor) <-chan listed[S] {
	ch := make(chan listed[S], 1)
	changes := p.src.Changes
	if r, ok := p.src.(sources.Relister[S]); ok && c == "" && p.pos.Generation > 1 {
		changes = func(ctx context.Context, _ sources.Cursor) (sources.Page[S], error) { return r.Relist(ctx) }
	}
	go func() {
		var page sources.Page[S]
		err := p.persist(ctx, "list", func() (err error) {
			page, err = changes(ctx, c)
			if errors.Is(err, sources.ErrCursorExpired) {
				return fault.New(fault.FailTask, fault.Unknown, "%w", err)
			}
			return err
		})
		ch <- listed[S]{page, err}
	}()
	return ch
}

// move takes the works in the order that their kind demands.
func (p *pass[S, T]) move(ctx context.Context, works []*work[S]) error {
	steps, err := p.order.steps(ctx, p, works)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if err := p.step(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// enlist notes the items in the ledger and returns those that need something done.
func (p *pass[S, T]) enlist(ctx context.Context, items []sources.Item[S]) ([]*work[S], error) {
	items = lastOfEach(items)
	// Until the page is passed; see held. What an earlier page held stays seen.
	records, err := p.ledger.Enlist(ctx, p.pos.Generation-1, entriesOf(items))
	if err != nil {
		return nil, ledgerError(fmt.Errorf("note a page in the ledger: %w", err))
	}
	p.o.Counters.Listed.Add(int64(len(items)))
	if err := p.welcome(ctx, records); err != nil {
		return nil, err
	}
	works := make([]*work[S], 0, len(items))
	for _, it := range items {
		w := &work[S]{item: it}
		if it.Deleted {
			var known bool
			if w.rec, known, err = p.ledger.Record(ctx, it.ID); err != nil {
				return nil, ledgerError(fmt.Errorf("look an item up: %w", err))
			}
			if !known {
				p.o.Counters.Done.Add(1)
				continue
			}
		} else {
			w.rec, records = records[0], records[1:]
		}
		if w.settled() {
			w.release()
			p.o.Counters.Done.Add(1)
			continue
		}
		works = append(works, w)
	}
	return works, nil
}

// entriesOf returns the items that are there, as the ledger takes them.
func entriesOf[S sources.Content](items []sources.Item[S]) []checkpoint.Entry {
	live := make([]checkpoint.Entry, 0, len(items))
	for _, it := range items {
		if !it.Deleted {
			live = append(live, checkpoint.Entry{ID: it.ID, Title: it.Title, Link: it.Link})
		}
	}
	return live
}

// held returns the ids of the items of a page that is to be passed. They count as seen only then, with the cursor that passes them: what a page
// held that was broken off may be gone when the page is read again.
func held[S sources.Content](page sources.Page[S]) []string {
	var ids []string
	for _, it := range lastOfEach(page.Items) {
		if !it.Deleted {
			ids = append(ids, it.ID)
		}
	}
	return ids
}

// welcome makes records pending of items that were gone and are back, where nothing else tells that a write of them is under way.
func (p *pass[S, T]) welcome(ctx context.Context, records []checkpoint.Record) error {
	if !p.single() {
		return nil
	}
	var back []checkpoint.Record
	for i := range records {
		if r := &records[i]; r.State == checkpoint.Removed && r.Location == "" {
			comesBack(r)
			back = append(back, *r)
		}
	}
	if len(back) == 0 {
		return nil
	}
	return ledgerError(p.ledger.Save(ctx, back...))
}

// lastOfEach keeps of each id the last item of the page, at the place of the first.
func lastOfEach[S sources.Content](items []sources.Item[S]) []sources.Item[S] {
	at := make(map[string]int, len(items))
	kept := make([]sources.Item[S], 0, len(items))
	for _, it := range items {
		if i, twice := at[it.ID]; twice {
			kept[i] = it
			continue
		}
		at[it.ID] = len(kept)
		kept = append(kept, it)
	}
	return kept
}

// sweep treats as deleted, or has absent doubt, what the listing that just ended did not hold. held are the ids of its last page.
func (p *pass[S, T]) sweep(ctx context.Context, absent func(checkpoint.Record) sources.Item[S], held ...string) error {
	if err := p.saver.flush(ctx); err != nil {
		return err
	}
	there := make(map[string]bool, len(held))
	for _, id := range held {
		there[id] = true
	}
	for after := ""; ; {
		unseen, err := p.ledger.Unseen(ctx, p.pos.Generation, after, batch)
		if err != nil {
			return ledgerError(fmt.Errorf("find what is gone: %w", err))
		}
		works := make([]*work[S], 0, len(unseen))
		for _, r := range unseen {
			if after = r.ID; !there[r.ID] {
				works = append(works, &work[S]{item: absent(r), rec: r})
			}
		}
		if err := p.move(ctx, works); err != nil {
			return err
		}
		if len(unseen) < batch {
			return nil
		}
	}
}

// absent is an item that a whole listing did not hold. A listing may leave out what is there, so that the source is asked
// again before something is taken from the target, and before an item counts as gone that never came there.
func (p *pass[S, T]) absent(r checkpoint.Record) sources.Item[S] {
	onTarget := r.State == checkpoint.Copied || r.State == checkpoint.CopiedWithLosses || r.Location != ""
	doubtful := onTarget && p.o.Propagate || !onTarget && r.State != checkpoint.Skipped
	return sources.Item[S]{ID: r.ID, Title: r.Title, Link: r.Link, Deleted: !doubtful, Stub: doubtful}
}

// doubted is an item of which the source is asked.
func doubted[S sources.Content](r checkpoint.Record) sources.Item[S] {
	return sources.Item[S]{ID: r.ID, Title: r.Title, Link: r.Link, Stub: true}
}

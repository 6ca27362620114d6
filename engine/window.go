package engine

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"codeberg.org/repatriate/repatriate/sources"
	"golang.org/x/sync/errgroup"
)

// window is the part of a collection that is being moved: the last step of a page, and where nothing forbids it the next page
// up to its last step, so that neither the last slow item of a page nor the preparation of the next leaves slots idle.
type window[S sources.Content] struct {
	group *errgroup.Group
	// ctx ends when an item ends the task.
	ctx context.Context
	// last is the page that was begun last, if it has not been left.
	last *begun[S]
}

// begun is a page whose items are under way.
type begun[S sources.Content] struct {
	page  sources.Page[S]
	ids   map[string]struct{}
	items sync.WaitGroup
}

func (p *pass[S, T]) newWindow(ctx context.Context) *window[S] {
	w := new(window[S])
	w.group, w.ctx = errgroup.WithContext(ctx)
	w.group.SetLimit(p.o.InFlight)
	return w
}

// joins reports whether the items of a page may be moved while those of the last one still are: both belong to one
// listing, no item is in both, and nothing is taken away.
func (w *window[S]) joins(page sources.Page[S]) bool {
	if w.last == nil {
		return true
	}
	if !w.last.page.Listing || w.last.page.ListingDone || !page.Listing {
		return false
	}
	for _, it := range page.Items {
		if _, twice := w.last.ids[it.ID]; twice || it.Deleted {
			return false
		}
	}
	return true
}

// page moves a page's items and leaves the page before it. The page itself is left with the next one, or at the end.
//
// What a step needs of the steps before it, such as folders, it finds: those of its own page have ended, and of the page
// before nothing is under way that others build upon.
func (p *pass[S, T]) page(w *window[S], page sources.Page[S]) error {
	if !w.joins(page) {
		if err := p.leave(w); err != nil {
			return err
		}
	}
	p.changing = !page.Listing
	if err := p.setOut(w.ctx, page); err != nil {
		return err
	}
	works, err := p.enlist(w.ctx, page.Items)
	if err != nil {
		return err
	}
	steps, err := p.order.steps(w.ctx, p, works)
	if err != nil {
		return err
	}
	this := &begun[S]{page: page, ids: make(map[string]struct{}, len(page.Items))}
	for _, it := range page.Items {
		this.ids[it.ID] = struct{}{}
	}
	first, last := lastStep(steps)
	if !last.leaves || slices.ContainsFunc(first, func(s step[S]) bool { return s.serial && len(s.works) > 0 }) {
		return p.pageAlone(w, this, steps)
	}
	for _, s := range first {
		if err := p.step(w.ctx, s); err != nil {
			return err
		}
	}
	if err := p.begin(w, this, last); err != nil {
		return err
	}
	if err := p.leave(w); err != nil {
		return err
	}
	w.last = this
	return nil
}

// pageAlone moves a page whose items change where others lie, or may hold others of the next page.
func (p *pass[S, T]) pageAlone(w *window[S], this *begun[S], steps []step[S]) error {
	if err := p.leave(w); err != nil {
		return err
	}
	for _, s := range steps {
		if err := p.step(w.ctx, s); err != nil {
			return err
		}
	}
	w.last = this
	return p.leave(w)
}

// lastStep divides the steps into the last one that has works and those before it.
func lastStep[S sources.Content](steps []step[S]) (before []step[S], last step[S]) {
	for i := len(steps) - 1; i >= 0; i-- {
		if len(steps[i].works) > 0 {
			return steps[:i], steps[i]
		}
	}
	return nil, step[S]{}
}

// begin starts the works of a page's last step, and returns when the last of them has been started.
func (p *pass[S, T]) begin(w *window[S], this *begun[S], last step[S]) error {
	if last.before != nil {
		if err := last.before(w.ctx); err != nil {
			return err
		}
	}
	for _, one := range last.works {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		this.items.Add(1)
		w.group.Go(func() error {
			defer this.items.Done()
			return p.item(w.ctx, one)
		})
	}
	return nil
}

// leave waits for the items of the last page and lets the cursor pass it.
func (p *pass[S, T]) leave(w *window[S]) error {
	if w.last == nil {
		return w.ctx.Err()
	}
	w.last.items.Wait()
	if err := cmp.Or(w.ctx.Err(), p.drainedErr()); err != nil {
		return err
	}
	page := w.last.page
	w.last = nil
	if err := p.saver.flush(w.ctx); err != nil {
		return err
	}
	held := held(page)
	if page.ListingDone {
		if err := p.sweep(w.ctx, p.absent, held...); err != nil {
			return err
		}
		p.pos.Complete = true
	}
	if err := p.saver.flush(w.ctx); err != nil {
		return err
	}
	// What an earlier run left unfinished lies in the first two pages, as no run has more of them under way; in a listing
	// that had to begin anew it may lie anywhere.
	if p.passed++; p.passed >= 2 && p.pos.Generation == p.began {
		p.resumed.Store(false)
	}
	return p.advance(w.ctx, page.Next, page.More, held...)
}

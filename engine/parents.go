package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
	"golang.org/x/sync/errgroup"
)

// deepest is how many folders above a node are asked for. Drive allows 100 levels; a confused or hostile provider may
// always name one more.
const deepest = 200

// findParents fetches the folders that the works lie in and that nobody has listed yet, and theirs, up to the top. What
// lies in no folder that can be had becomes an orphan, and so does what lies in itself.
func (t *tree) findParents(ctx context.Context, p *filePass, works []*fileWork) ([]*fileWork, error) {
	byID := make(map[string]*fileWork, len(works))
	for _, w := range works {
		byID[w.item.ID] = w
	}
	lost := make(map[string]bool)
	todo := works
	for depth := 0; len(todo) > 0; depth++ {
		missing, err := t.missing(ctx, p, todo, byID, lost)
		if err != nil {
			return nil, err
		}
		if depth == deepest {
			for _, id := range missing {
				lost[id] = true
			}
			break
		}
		if todo, err = t.fetchParents(ctx, p, missing, lost); err != nil {
			return nil, err
		}
		for _, w := range todo {
			byID[w.item.ID] = w
		}
		works = append(works, todo...)
	}
	for _, w := range works {
		if lost[w.item.Content.ParentID] || !holds(byID[w.item.Content.ParentID]) {
			w.item.Content.Orphan = true
		}
	}
	breakCycles(works, byID)
	return works, nil
}

// holds reports whether the parent, if it is among the works, can hold something.
func holds(parent *fileWork) bool {
	if parent == nil {
		return true
	}
	return parent.item.Deleted || (parent.item.Content.Type == sources.Folder && parent.item.Problem == nil)
}

// missing returns the ids of the works' parents that are neither among the works nor on the target.
func (t *tree) missing(ctx context.Context, p *filePass, works []*fileWork, byID map[string]*fileWork, lost map[string]bool) ([]string, error) {
	var ids []string
	asked := make(map[string]bool)
	for _, w := range works {
		id := w.item.Content.ParentID
		if id == "" || w.item.Deleted || w.item.Problem != nil || w.item.Content.Orphan || byID[id] != nil || lost[id] || asked[id] {
			continue
		}
		asked[id] = true
		_, _, ok, err := p.ledger.Where(ctx, id)
		if err != nil {
			return nil, ledgerError(err)
		}
		if !ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// fetchParents returns the folders as works, noted in the ledger; those that cannot be had are added to lost.
func (t *tree) fetchParents(ctx context.Context, p *filePass, ids []string, lost map[string]bool) ([]*fileWork, error) {
	items := make([]sources.Item[sources.File], len(ids))
	err := p.parallel(ctx, len(ids), func(ctx context.Context, i int) error {
		return p.persist(ctx, "fetch a folder", func() (err error) {
			items[i], err = t.src.Fetch(ctx, ids[i])
			if isUnavailableParent(err) {
				items[i], err = sources.Item[sources.File]{Deleted: true}, nil
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	var found []*fileWork
	var entries []checkpoint.Entry
	for i, it := range items {
		if it.Deleted || it.Problem != nil || it.Content.Type != sources.Folder {
			lost[ids[i]] = true
			continue
		}
		it.ID = ids[i]
		found = append(found, &fileWork{item: it})
		entries = append(entries, checkpoint.Entry{ID: it.ID, Title: it.Title, Link: it.Link})
	}
	if len(found) == 0 {
		return nil, nil
	}
	records, err := p.ledger.Enlist(ctx, p.pos.Generation, entries)
	if err != nil {
		return nil, ledgerError(err)
	}
	for i := range found {
		found[i].rec = records[i]
	}
	p.o.Counters.Listed.Add(int64(len(found)))
	return found, nil
}

// isUnavailableParent reports whether err says for good that the folder cannot be had.
func isUnavailableParent(err error) bool {
	if err == nil {
		return false
	}
	a := fault.Of(err).Action
	return errors.Is(err, sources.ErrGone) || a == fault.Skip || a == fault.FailItem
}

// breakCycles makes orphans of folders that lie in themselves, which only a confused or hostile provider reports.
func breakCycles(works []*fileWork, byID map[string]*fileWork) {
	for _, w := range works {
		steps := 0
		for at := w; at != nil && !at.item.Content.Orphan; at = byID[at.item.Content.ParentID] {
			if steps++; steps > len(byID) {
				w.item.Content.Orphan = true
				break
			}
		}
	}
}

// levels divides folders by their depth among one another, the highest first.
func levels(folders []*fileWork) [][]*fileWork {
	byID := make(map[string]*fileWork, len(folders))
	for _, w := range folders {
		byID[w.item.ID] = w
	}
	depths := make(map[string]int, len(folders))
	var depth func(w *fileWork) int
	depth = func(w *fileWork) int {
		if w == nil {
			return -1
		}
		if d, ok := depths[w.item.ID]; ok {
			return d
		}
		d := 0
		if !w.item.Content.Orphan {
			d = depth(byID[w.item.Content.ParentID]) + 1
		}
		depths[w.item.ID] = d
		return d
	}
	var out [][]*fileWork
	for _, w := range folders {
		d := depth(w)
		for len(out) <= d {
			out = append(out, nil)
		}
		out[d] = append(out[d], w)
	}
	return out
}

// removals returns the steps that take away what is gone: files at once, then folders, the deepest first. With a folder
// goes what is known to lie in it, since providers report a deleted folder alone.
func (t *tree) removals(ctx context.Context, p *filePass, works, gone []*fileWork) ([]step[sources.File], error) {
	if !p.o.Propagate {
		return []step[sources.File]{{works: gone}}, nil
	}
	live := make(map[string]bool)
	for _, w := range works {
		live[w.item.ID] = !w.item.Deleted
	}
	all, err := t.withDescendants(ctx, p, gone, live)
	if err != nil {
		return nil, err
	}
	var files, folders []*fileWork
	depth := make(map[*fileWork]int)
	for _, w := range all {
		path, _, ok, err := p.ledger.Where(ctx, w.item.ID)
		if err != nil {
			return nil, ledgerError(err)
		}
		depth[w] = len(path)
		if ok && w.folder {
			folders = append(folders, w)
		} else {
			files = append(files, w)
		}
	}
	slices.SortStableFunc(folders, func(a, b *fileWork) int { return cmp.Compare(depth[b], depth[a]) })
	return []step[sources.File]{{works: files}, {works: folders, serial: true}}, nil
}

// withDescendants adds what lies on the target in the deleted folders, but for what is live: it has moved out by the time of the
// removal, with what lies in it.
func (t *tree) withDescendants(ctx context.Context, p *filePass, gone []*fileWork, live map[string]bool) ([]*fileWork, error) {
	known := make(map[string]*fileWork, len(gone))
	for _, w := range gone {
		known[w.item.ID] = w
	}
	for i := 0; i < len(gone); i++ {
		for after := ""; ; {
			children, err := p.ledger.Children(ctx, gone[i].item.ID, after, batch)
			if err != nil {
				return nil, ledgerError(err)
			}
			gone[i].folder = gone[i].folder || len(children) > 0
			for _, n := range children {
				after = n.ID
				if live[n.ID] {
					continue
				}
				if w := known[n.ID]; w != nil {
					w.folder = w.folder || n.Folder
					continue
				}
				rec, ok, err := p.ledger.Record(ctx, n.ID)
				if err != nil {
					return nil, ledgerError(err)
				}
				if !ok {
					continue
				}
				w := &fileWork{item: sources.Item[sources.File]{ID: n.ID, Deleted: true}, rec: rec, folder: n.Folder}
				known[n.ID] = w
				gone = append(gone, w)
			}
			if len(children) < batch {
				break
			}
		}
	}
	return gone, nil
}

// parallel calls f for 0 to n-1, as many at once as items are in flight.
func (p *pass[S, T]) parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.InFlight)
	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}

package undo

import (
	"context"
	"fmt"
	"path"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// deepest bounds how far folders lie in one another: those of a damaged ledger may do so for ever.
const deepest = 10_000

// tree takes a drive away: files before the folders that hold them.
func (u *undoer) tree(ctx context.Context) error {
	if err := u.treeLeft(ctx); err != nil {
		return err
	}
	return u.folder(ctx, "", "", 0)
}

// folder takes away what lies in a folder; the folder itself is its parent's to take.
func (u *undoer) folder(ctx context.Context, id, place string, depth int) error {
	if depth > deepest {
		return errLoop
	}
	const page = 1000
	for after := ""; ; {
		nodes, err := u.ledger.Children(ctx, id, after, page)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if err := u.nodes(ctx, nodes, place, depth); err != nil {
			return err
		}
		if len(nodes) < page {
			return nil
		}
		after = nodes[len(nodes)-1].ID
	}
}

func (u *undoer) nodes(ctx context.Context, nodes []checkpoint.Node, place string, depth int) error {
	for _, n := range nodes {
		if n.Folder {
			if err := u.folder(ctx, n.ID, path.Join(place, n.Name), depth+1); err != nil {
				return err
			}
		}
	}
	return u.atOnce(ctx, func(ctx context.Context, g *errgroup.Group) error {
		for _, n := range nodes {
			u.o.Counters.Listed.Add(1)
			g.Go(func() error { return u.node(ctx, n, path.Join(place, n.Name)) })
		}
		return nil
	})
}

func (u *undoer) node(ctx context.Context, n checkpoint.Node, place string) error {
	rec, ok, err := u.ledger.Record(ctx, n.ID)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if made, ok := engine.MadeOrphans(n, place); ok {
		return u.orphans(ctx, n, made)
	}
	if !ok {
		u.staysUnnoted(n, place)
		return nil
	}
	return u.item(ctx, rec, place)
}

// orphans takes the folder for orphans away, which has no record. A run that needs it makes it anew.
func (u *undoer) orphans(ctx context.Context, n checkpoint.Node, at sinks.Receipt) error {
	defer u.o.Counters.Done.Add(1)
	err := engine.Persist(ctx, u.o.Patience, "undo", func() error { return u.taker.Remove(ctx, at) })
	switch f := fault.Of(err); {
	case err == nil:
	case fault.Cancelled(ctx), f.Action == fault.FailTask, f.Action == fault.Retry:
		return err
	default:
		u.stays(checkpoint.Record{ID: n.ID, Title: n.Name}, at.Location, f)
		return nil
	}
	if err := u.ledger.Forget(ctx, n.ID); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	u.removedOwn()
	return nil
}

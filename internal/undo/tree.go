package undo

import (
	"context"
	"fmt"
	"path"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// deepest bounds how far folders lie in one another: those of a damaged ledger may do so for ever.
const deepest = 10_000

// tree takes a drive away: files before the folders that hold them.
func (u *undoer) tree(ctx context.Context) error { return u.folder(ctx, "", "", 0) }

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
	if !ok {
		u.staysUnnoted(n, place)
		return nil
	}
	return u.item(ctx, rec, place)
}

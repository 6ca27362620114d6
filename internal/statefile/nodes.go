package statefile

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// settling is how many nodes are settled at once: a store writes those in one transaction that come together.
const settling = 128

func (i *importer) node(ctx context.Context, n *node) error {
	if string(n.ID) <= i.lastNode {
		return fmt.Errorf("%w: the nodes do not stand in their order", ErrFormat)
	}
	if n.Lies == nil && n.Reserved == nil {
		return fmt.Errorf("%w: a node has no place", ErrFormat)
	}
	i.lastNode = string(n.ID)
	i.n.Nodes++
	placed := checkpoint.Placement{ID: string(n.ID), Folder: n.Folder, Lies: n.Lies.checkpoint(), Reserved: n.Reserved.checkpoint()}
	if i.nodes = append(i.nodes, placed); len(i.nodes) == batch {
		return i.saveNodes(ctx)
	}
	return nil
}

func (p *place) checkpoint() *checkpoint.Place {
	if p == nil {
		return nil
	}
	return &checkpoint.Place{ParentID: string(p.Parent), Name: string(p.Name), Wanted: string(p.Wanted)}
}

// saveNodes gives each node the place at which it lies, and then the one that is reserved for it.
func (i *importer) saveNodes(ctx context.Context) error {
	lie := func(n checkpoint.Placement) *checkpoint.Place { return n.Lies }
	lying, err := i.reserve(ctx, lie)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(settling)
	for _, id := range lying {
		g.Go(func() error { return i.ledger.Settle(gctx, id, checkpoint.Record{}) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	_, err = i.reserve(ctx, func(n checkpoint.Placement) *checkpoint.Place { return n.Reserved })
	i.nodes = i.nodes[:0]
	return err
}

// reserve reserves one of the places of each node that has it, and returns their ids.
func (i *importer) reserve(ctx context.Context, which func(checkpoint.Placement) *checkpoint.Place) (ids []string, err error) {
	var asked []checkpoint.Reservation
	for _, n := range i.nodes {
		if p := which(n); p != nil {
			want := checkpoint.Node{ID: n.ID, ParentID: p.ParentID, Name: p.Name, Wanted: p.Wanted, Folder: n.Folder}
			asked = append(asked, checkpoint.Reservation{Node: want, Names: from(p.Name)})
			ids = append(ids, n.ID)
		}
	}
	got, err := i.ledger.Reserve(ctx, asked...)
	if err != nil {
		return nil, err
	}
	for k, n := range got {
		if n.Name != asked[k].Name {
			return nil, fmt.Errorf("%w: the place of the node %q is taken by another one", ErrFormat, n.ID)
		}
	}
	return ids, nil
}

// from yields the name, and then, as a Reservation demands, others without end.
func from(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for k, more := 2, yield(name); more; k++ {
			more = yield(name + "\x00" + strconv.Itoa(k))
		}
	}
}

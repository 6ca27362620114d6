package readback

import (
	"context"
	"fmt"
	"path"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sinks"
)

// deepest bounds how far folders are followed that the ledger does not know: a server may make up as many as it likes.
const deepest = 64

// tree compares a drive, folder by folder.
func (v *verifier) tree(ctx context.Context) error { return v.folder(ctx, "", "", 0) }

// folder compares what lies in one folder; the id is empty at the top, and known as that of no node in a folder of somebody else.
func (v *verifier) folder(ctx context.Context, id, place string, depth int) error {
	wanted, err := v.children(ctx, id)
	if err != nil {
		return err
	}
	var inner []inner
	err = v.list(ctx, place, func(o sinks.Object) error {
		node, ours := take(wanted, path.Base(o.Location))
		if !ours {
			v.beside(ctx, o)
			if o.Folder && depth < deepest {
				inner = append(inner, innerOf(o))
			}
			return nil
		}
		return v.node(ctx, node, o, &inner)
	})
	if err != nil {
		return err
	}
	for _, node := range wanted {
		if err := v.gone(ctx, node, path.Join(place, node.Name)); err != nil {
			return err
		}
	}
	return v.inner(ctx, inner, depth)
}

// inner is a folder that is still to be compared; without an id it is somebody else's.
type inner struct{ id, place string }

func innerOf(o sinks.Object) inner { return inner{place: o.Location} }

func (v *verifier) inner(ctx context.Context, folders []inner, depth int) error {
	for _, f := range folders {
		if f.id == "" {
			if err := v.foreign(ctx, f.place, depth+1); err != nil {
				return err
			}
		} else if err := v.folder(ctx, f.id, f.place, 0); err != nil {
			return err
		}
	}
	return nil
}

// foreign looks for copies in a folder that is not ours.
func (v *verifier) foreign(ctx context.Context, place string, depth int) error {
	var folders []inner
	err := v.list(ctx, place, func(o sinks.Object) error {
		v.beside(ctx, o)
		if o.Folder && depth < deepest {
			folders = append(folders, innerOf(o))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.inner(ctx, folders, depth)
}

// children returns the nodes that lie in a folder by the ledger, by their names.
func (v *verifier) children(ctx context.Context, id string) (map[string]checkpoint.Node, error) {
	const page = 1000
	out := make(map[string]checkpoint.Node)
	for after := ""; ; {
		nodes, err := v.ledger.Children(ctx, id, after, page)
		if err != nil {
			return nil, fmt.Errorf("read the ledger: %w", err)
		}
		for _, n := range nodes {
			out[norm.NFC.String(n.Name)] = n
			after = n.ID
		}
		if len(nodes) < page {
			return out, nil
		}
	}
}

// take removes the node of a name: servers write the same name in other Unicode forms.
func take(nodes map[string]checkpoint.Node, name string) (checkpoint.Node, bool) {
	name = norm.NFC.String(name)
	n, ok := nodes[name]
	delete(nodes, name)
	return n, ok
}

// node compares an object with the node that lies there.
func (v *verifier) node(ctx context.Context, n checkpoint.Node, o sinks.Object, folders *[]inner) error {
	rec, ok, err := v.ledger.Record(ctx, n.ID)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if ok {
		v.check(ctx, o, rec, proof(rec, o.Location))
	}
	switch {
	case n.Folder && o.Folder:
		*folders = append(*folders, inner{n.ID, o.Location})
	case n.Folder:
		return v.within(ctx, n.ID, o.Location) // a file of somebody else in the folder's place
	}
	return nil
}

// gone seeks a node that its folder does not show, and whatever lies in it.
func (v *verifier) gone(ctx context.Context, n checkpoint.Node, place string) error {
	rec, ok, err := v.ledger.Record(ctx, n.ID)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	switch {
	case !ok || rec.State == checkpoint.Removed:
	case n.Folder:
		v.missing(rec, proof(rec, place))
	default:
		v.seek(ctx, rec, place)
	}
	if !n.Folder {
		return nil
	}
	return v.within(ctx, n.ID, place)
}

// within seeks all that lies in a folder which is not there.
func (v *verifier) within(ctx context.Context, id, place string) error {
	nodes, err := v.children(ctx, id)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		if err := v.gone(ctx, n, path.Join(place, n.Name)); err != nil {
			return err
		}
	}
	return nil
}

package undo

import (
	"context"
	"fmt"
	"path"
	"strings"

	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// lookAtTree counts what would become of what lies in a folder, the folder itself not among it. It reports whether something would stay there,
// so that the folder would stay as well.
func (u *undoer) lookAtTree(ctx context.Context, id, place string, depth int) (stays bool, err error) {
	if depth > deepest {
		return false, errLoop
	}
	lying, err := u.lying(ctx, place)
	if err != nil {
		return false, err
	}
	const page = 1000
	for after := ""; ; {
		nodes, err := u.ledger.Children(ctx, id, after, page)
		if err != nil {
			return false, fmt.Errorf("read the ledger: %w", err)
		}
		for _, n := range nodes {
			after = n.ID
			name := norm.NFC.String(n.Name)
			o, there := lying[name]
			delete(lying, name)
			kept, err := u.lookAtNode(ctx, n, path.Join(place, n.Name), o, there, depth)
			if err != nil {
				return false, err
			}
			stays = stays || kept
		}
		if len(nodes) < page {
			for name := range lying {
				if u.left[path.Join(place, name)] {
					delete(lying, name)
				}
			}
			return stays || len(lying) > 0, nil // what is left is somebody else's
		}
	}
}

// lying returns what lies in a folder, by name: servers write the same name in other Unicode forms.
func (u *undoer) lying(ctx context.Context, place string) (objects map[string]sinks.Object, err error) {
	err = u.list(ctx, place, func() { objects = map[string]sinks.Object{} }, func(o sinks.Object) error {
		objects[norm.NFC.String(path.Base(o.Location))] = o
		return nil
	})
	return objects, err
}

// list calls each with what lies in a place. A listing that breaks off is begun anew, and begin is called before each.
func (u *undoer) list(ctx context.Context, place string, begin func(), each func(sinks.Object) error) error {
	return engine.Persist(ctx, u.o.Patience, "list", func() error {
		begin()
		for o, err := range u.target.List(ctx, place) {
			if err == nil {
				err = each(o)
			}
			if err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// lookAtNode counts what would become of a node and of what lies in it. It reports whether it would stay.
func (u *undoer) lookAtNode(ctx context.Context, n checkpoint.Node, place string, o sinks.Object, there bool, depth int) (stays bool, err error) {
	u.o.Counters.Listed.Add(1)
	defer u.o.Counters.Done.Add(1)
	full := false
	if n.Folder {
		if full, err = u.lookAtTree(ctx, n.ID, place, depth+1); err != nil {
			return false, err
		}
	}
	rec, ok, err := u.ledger.Record(ctx, n.ID)
	switch {
	case err != nil:
		return false, fmt.Errorf("read the ledger: %w", err)
	case !ok:
		return u.judgeOrphans(n, place, full), nil
	}
	rec, _ = unmarked(rec)
	if full && !u.taker.Expect(u.proof(rec, place)).Foreign {
		u.staysFull(rec, place)
		return true, nil
	}
	return u.judge(rec, place, there && u.touched(o, rec, place)), nil
}

// judgeOrphans counts the folder for orphans, which has no record, and reports whether it would stay.
func (u *undoer) judgeOrphans(n checkpoint.Node, place string, full bool) (stays bool) {
	_, made := engine.MadeOrphans(n, place)
	switch {
	case !made:
		u.staysUnnoted(n, place)
	case full:
		u.staysFull(checkpoint.Record{ID: n.ID, Title: n.Name}, place)
	default:
		u.removedOwn()
	}
	return !made || full
}

func (u *undoer) staysFull(rec checkpoint.Record, place string) {
	u.stays(rec, place, fault.New(fault.FailItem, fault.TargetConflict, "something would stay in the folder"))
}

// lookAtAll counts what would become of items that lie in no folders.
func (u *undoer) lookAtAll(ctx context.Context) error {
	var changed map[string]bool // by id; of most items there is nothing to remember
	err := u.list(ctx, "", func() { changed = map[string]bool{} }, func(o sinks.Object) error {
		id, err := u.ledger.AtLocation(ctx, o.Location)
		if err != nil || id == "" {
			return err
		}
		rec, _, err := u.ledger.Record(ctx, id)
		if err == nil && u.touched(o, rec, o.Location) {
			changed[id] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	for rec, err := range u.store.Records(ctx, u.task) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if rec.Location != "" {
			u.o.Counters.Listed.Add(1)
			rec, _ = unmarked(rec)
			u.judge(rec, rec.Location, changed[rec.ID])
			u.o.Counters.Done.Add(1)
		} else if _, err := u.flatLeft(ctx, &rec); err != nil {
			return err
		}
	}
	return nil
}

// judge counts one item, and reports whether it would stay. What is not there any more counts as taken away, as it does when it is undone.
func (u *undoer) judge(rec checkpoint.Record, place string, touched bool) (stays bool) {
	switch {
	case u.taker.Expect(u.proof(rec, place)).Foreign:
		u.staysForeign(rec, place)
	case touched:
		u.stays(rec, place, fault.New(fault.FailItem, fault.TargetConflict, "it was changed on the target since it was written"))
	default:
		u.removed()
		return false
	}
	return true
}

// touched reports whether somebody changed an object since it was written, so that Remove leaves it.
func (u *undoer) touched(o sinks.Object, rec checkpoint.Record, place string) bool {
	if strings.HasPrefix(o.Digest, "sha256:") {
		o.Digest = "" // Remove goes by the version, whatever the bytes are
	}
	return u.target.Compare(o, u.proof(rec, place)) == sinks.Touched
}

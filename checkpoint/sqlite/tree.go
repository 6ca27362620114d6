package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// place is where a node lies or shall lie.
type place struct {
	parent, name, wanted string
	set                  bool
}

// nodeRow is a node as the file holds it.
type nodeRow struct {
	folder        bool
	lies, planned place
}

// folded returns the name as siblings are compared: without regard to case and Unicode form.
func folded(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

func scanNode(row scanner) (n nodeRow, err error) {
	var p, na, w, np, nn, nw sql.NullString
	err = row.Scan(&n.folder, &p, &na, &w, &np, &nn, &nw)
	if errors.Is(err, sql.ErrNoRows) {
		return n, nil
	}
	n.lies = place{p.String, na.String, w.String, na.Valid}
	n.planned = place{np.String, nn.String, nw.String, nn.Valid}
	return n, err
}

// Reserve implements checkpoint.Tree.
func (l *ledger) Reserve(ctx context.Context, nodes ...checkpoint.Reservation) (placed []checkpoint.Node, err error) {
	if len(nodes) == 0 {
		return nil, nil
	}
	err = l.write(ctx, func(ctx context.Context, s *session) error {
		placed = make([]checkpoint.Node, 0, len(nodes))
		for _, r := range nodes {
			n, err := l.reserve(ctx, s, r)
			if err != nil {
				return fmt.Errorf("reserve a place for %q: %w", r.Wanted, err)
			}
			placed = append(placed, n)
		}
		return nil
	})
	return placed, err
}

func (l *ledger) reserve(ctx context.Context, s *session, r checkpoint.Reservation) (checkpoint.Node, error) {
	out := r.Node
	row, err := scanNode(s.node.QueryRowContext(ctx, l.id, r.ID))
	if err != nil {
		return out, err
	}
	same := func(p place) bool { return !r.Anew && p.set && p.parent == r.ParentID && p.wanted == r.Wanted }
	if same(row.planned) {
		out.Name = row.planned.name
		return out, nil
	}
	if err := l.unreserve(ctx, s, r.ID, row); err != nil {
		return out, err
	}
	if same(row.lies) {
		out.Name = row.lies.name
		return out, nil
	}
	if out.Name, err = l.take(ctx, s, r, row.lies); err != nil {
		return out, err
	}
	_, err = s.reserve.ExecContext(ctx, l.id, r.ID, r.Folder, r.ParentID, out.Name, r.Wanted)
	return out, err
}

// unreserve gives back a place that was reserved and is no longer wanted.
func (l *ledger) unreserve(ctx context.Context, s *session, id string, row nodeRow) error {
	if !row.planned.set {
		return nil
	}
	if !sharePlace(row.lies, row.planned) {
		if err := l.free(ctx, s, id, row.planned); err != nil {
			return err
		}
	}
	_, err := s.unreserve.ExecContext(ctx, l.id, id)
	return err
}

// sharePlace reports whether two places differ in nothing that siblings are compared by.
func sharePlace(a, b place) bool {
	return a.set && b.set && a.parent == b.parent && folded(a.name) == folded(b.name)
}

func (l *ledger) free(ctx context.Context, s *session, id string, p place) error {
	delete(s.crowds, folder{l.id, p.parent})
	_, err := s.free.ExecContext(ctx, l.id, p.parent, folded(p.name), id)
	return err
}

// take takes the first of the names that is free, or is the node's own already.
func (l *ledger) take(ctx context.Context, s *session, r checkpoint.Reservation, lies place) (string, error) {
	for name := range r.Names {
		if ok, err := l.tryName(ctx, s, r, name); ok || err != nil {
			return name, err
		}
		break
	}
	c := s.crowds.of(folder{l.id, r.ParentID}, r.Names)
	if c == nil {
		return "", errors.New("the candidates for its name ended")
	}
	if i, own := c.taken[folded(lies.name)]; own && lies.set && lies.parent == r.ParentID && !r.Anew {
		return c.names[i], nil
	}
	for {
		name, more := c.at(c.next, r.Names)
		if !more {
			return "", errors.New("the candidates for its name ended")
		}
		ok, err := l.tryName(ctx, s, r, name)
		if err != nil {
			return "", err
		}
		if c.take(folded(name)); ok {
			return name, nil
		}
	}
}

// tryName takes a name unless another node has it.
func (l *ledger) tryName(ctx context.Context, s *session, r checkpoint.Reservation, name string) (ok bool, err error) {
	var holder string
	err = s.holder.QueryRowContext(ctx, l.id, r.ParentID, folded(name)).Scan(&holder)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = s.take.ExecContext(ctx, l.id, r.ParentID, folded(name), r.ID)
		return err == nil, err
	}
	return err == nil && holder == r.ID, err
}

// Settle implements checkpoint.Tree.
func (l *ledger) Settle(ctx context.Context, id string, r checkpoint.Record) error {
	return l.write(ctx, func(ctx context.Context, s *session) error {
		row, err := scanNode(s.node.QueryRowContext(ctx, l.id, id))
		if err != nil {
			return err
		}
		if row.planned.set && row.lies.set && !sharePlace(row.lies, row.planned) {
			if err := l.free(ctx, s, id, row.lies); err != nil {
				return err
			}
		}
		if _, err := s.settle.ExecContext(ctx, l.id, id); err != nil {
			return err
		}
		if r.ID == "" {
			return nil
		}
		return l.save(ctx, s, r)
	})
}

// Forget implements checkpoint.Tree.
func (l *ledger) Forget(ctx context.Context, id string) error {
	return l.write(ctx, func(ctx context.Context, s *session) error {
		row, err := scanNode(s.node.QueryRowContext(ctx, l.id, id))
		if err != nil {
			return err
		}
		for _, p := range []place{row.lies, row.planned} {
			if !p.set {
				continue
			}
			if err := l.free(ctx, s, id, p); err != nil {
				return err
			}
		}
		_, err = s.forget.ExecContext(ctx, l.id, id)
		return err
	})
}

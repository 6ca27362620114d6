package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

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
	err = l.write(ctx, func(ctx context.Context, s *statements) error {
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

func (l *ledger) reserve(ctx context.Context, s *statements, r checkpoint.Reservation) (checkpoint.Node, error) {
	out := r.Node
	row, err := scanNode(s.node.QueryRowContext(ctx, l.id, r.ID))
	if err != nil {
		return out, err
	}
	same := func(p place) bool { return p.set && p.parent == r.ParentID && p.wanted == r.Wanted }
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
	if out.Name, err = l.take(ctx, s, r); err != nil {
		return out, err
	}
	_, err = s.reserve.ExecContext(ctx, l.id, r.ID, r.Folder, r.ParentID, out.Name, r.Wanted)
	return out, err
}

// unreserve gives back a place that was reserved and is no longer wanted.
func (l *ledger) unreserve(ctx context.Context, s *statements, id string, row nodeRow) error {
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

func (l *ledger) free(ctx context.Context, s *statements, id string, p place) error {
	_, err := s.free.ExecContext(ctx, l.id, p.parent, folded(p.name), id)
	return err
}

// take takes the first of the names that is free, or is the node's own already.
func (l *ledger) take(ctx context.Context, s *statements, r checkpoint.Reservation) (string, error) {
	for name := range r.Names {
		var holder string
		err := s.holder.QueryRowContext(ctx, l.id, r.ParentID, folded(name)).Scan(&holder)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			_, err = s.take.ExecContext(ctx, l.id, r.ParentID, folded(name), r.ID)
			return name, err
		case err != nil:
			return "", err
		case holder == r.ID:
			return name, nil
		}
	}
	return "", errors.New("the candidates for its name ended")
}

// Settle implements checkpoint.Tree.
func (l *ledger) Settle(ctx context.Context, id string, r checkpoint.Record) error {
	return l.write(ctx, func(ctx context.Context, s *statements) error {
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
	return l.write(ctx, func(ctx context.Context, s *statements) error {
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

// maxDepth bounds a path; a longer one is a cycle, or nothing that a target would take.
const maxDepth = 1000

// Where implements checkpoint.Tree.
func (l *ledger) Where(ctx context.Context, id string) (lies, reserved []string, ok bool, err error) {
	row, err := l.node(ctx, id)
	if err != nil || !row.lies.set && !row.planned.set {
		return nil, nil, false, err
	}
	if row.lies.set {
		if lies, err = l.path(ctx, row.lies); err != nil {
			return nil, nil, false, err
		}
	}
	if reserved = lies; row.planned.set {
		reserved, err = l.path(ctx, row.planned)
	}
	return lies, reserved, row.lies.set, err
}

func (l *ledger) node(ctx context.Context, id string) (nodeRow, error) {
	return scanNode(l.store.read.QueryRowContext(ctx,
		"SELECT folder, parent, name, wanted, new_parent, new_name, new_wanted FROM node WHERE task = ? AND id = ?", l.id, id))
}

// path walks up from a place to the top. A folder on the way that lies nowhere yet counts with its reserved place.
func (l *ledger) path(ctx context.Context, p place) ([]string, error) {
	var path []string
	for {
		path = append(path, p.name)
		if p.parent == "" {
			slices.Reverse(path)
			return path, nil
		}
		if len(path) > maxDepth {
			return nil, fmt.Errorf("the folders above %q lie in one another", p.name)
		}
		row, err := l.node(ctx, p.parent)
		if err != nil {
			return nil, err
		}
		if p = row.lies; !p.set {
			p = row.planned
		}
		if !p.set {
			return nil, fmt.Errorf("the folder of %q has no place", path[len(path)-1])
		}
	}
}

// Children implements checkpoint.Tree.
func (l *ledger) Children(ctx context.Context, id, after string, limit int) ([]checkpoint.Node, error) {
	rows, err := l.store.read.QueryContext(ctx, "SELECT id, name, wanted, folder FROM node WHERE task = ? AND parent = ? AND parent IS NOT NULL AND id > ? ORDER BY id LIMIT ?",
		l.id, id, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []checkpoint.Node
	for rows.Next() {
		n := checkpoint.Node{ParentID: id}
		if err := rows.Scan(&n.ID, &n.Name, &n.Wanted, &n.Folder); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

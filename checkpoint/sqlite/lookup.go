package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Record implements checkpoint.Lookup.
func (l *ledger) Record(ctx context.Context, id string) (r checkpoint.Record, ok bool, err error) {
	r, err = scanRecord(l.store.read.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM record WHERE task = ? AND id = ?", l.id, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, named(l.store.path, err)
}

// AtLocation implements checkpoint.Lookup.
func (l *ledger) AtLocation(ctx context.Context, location string) (id string, err error) {
	if location == "" {
		return "", nil
	}
	err = l.store.read.QueryRowContext(ctx, "SELECT id FROM record WHERE task = ? AND location = ? AND location <> '' ORDER BY id LIMIT 1", l.id, location).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, named(l.store.path, err)
}

// InState implements checkpoint.Lookup.
func (l *ledger) InState(ctx context.Context, after string, limit int, states ...checkpoint.State) ([]checkpoint.Record, error) {
	if len(states) == 0 {
		return nil, nil
	}
	return l.store.inState(ctx, l.id, after, limit, states)
}

// Unseen implements checkpoint.Lookup.
func (l *ledger) Unseen(ctx context.Context, generation int64, after string, limit int) ([]checkpoint.Record, error) {
	return l.store.records(ctx, "SELECT "+recordColumns+` FROM record WHERE task = ? AND id > ? AND generation < ? AND state <> ?
		ORDER BY id LIMIT ?`, l.id, after, generation, checkpoint.Removed, max(limit, 0))
}

// inState returns a number of records with an id above after in order of id; without states, in any. Each state is a
// query of its own, in the order of its index, and SQLite merges them: otherwise each page would sort all that is left.
func (s *Store) inState(ctx context.Context, task int64, after string, limit int, states []checkpoint.State) ([]checkpoint.Record, error) {
	const one = "SELECT " + recordColumns + " FROM record WHERE task = ? AND id > ?"
	args, query := []any{task, after}, one
	if states = slices.Compact(slices.Sorted(slices.Values(states))); len(states) > 0 {
		each := one + " AND state = ?"
		query = each + strings.Repeat(" UNION ALL "+each, len(states)-1)
		args = nil
		for _, state := range states {
			args = append(args, task, after, state)
		}
	}
	return s.records(ctx, query+" ORDER BY id LIMIT ?", append(args, max(limit, 0))...)
}

func (s *Store) records(ctx context.Context, query string, args ...any) (out []checkpoint.Record, err error) {
	err = s.each(ctx, query, args, func(row scanner) error {
		r, err := scanRecord(row)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// each does something with each row of a query.
func (s *Store) each(ctx context.Context, query string, args []any, do func(scanner) error) error {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return named(s.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return named(s.path, err)
		}
	}
	return named(s.path, rows.Err())
}

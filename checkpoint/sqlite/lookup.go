package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Record implements checkpoint.Lookup.
func (l *ledger) Record(ctx context.Context, id string) (r checkpoint.Record, ok bool, err error) {
	found, err := l.store.records(ctx, "SELECT "+recordColumns+" FROM record WHERE task = ? AND id = ?", l.id, id)
	if err != nil || len(found) == 0 {
		return r, false, err
	}
	return found[0], true, nil
}

// AtLocation implements checkpoint.Lookup.
func (l *ledger) AtLocation(ctx context.Context, location string) (id string, err error) {
	if location == "" {
		return "", nil
	}
	err = l.store.each(ctx, "SELECT id FROM record WHERE task = ? AND location = ? AND location <> '' ORDER BY id LIMIT 1",
		[]any{l.id, location}, func(row scanner) error { return row.Scan(&id) })
	return id, err
}

// Shared implements checkpoint.Lookup. The index has locations by task, and an account has few tasks.
func (l *ledger) Shared(ctx context.Context, location, id string) (shared bool, err error) {
	if location == "" {
		return false, nil
	}
	const others = `SELECT 1 FROM record WHERE location = ? AND location <> '' AND state <> ? AND NOT (task = ? AND id = ?)
		AND task IN (SELECT id FROM task WHERE account = (SELECT account FROM task WHERE id = ?)) LIMIT 1`
	err = l.store.each(ctx, others, []any{location, checkpoint.Removed, l.id, id, l.id}, func(row scanner) error {
		shared = true
		return row.Scan(new(int))
	})
	return shared, err
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

// The index by state has the ids of each state in order; SQLite merges them as far as the limit reaches. Left to itself it
// would walk over all records, or sort all that is left for each page.
const (
	allRecords   = "SELECT " + recordColumns + " FROM record WHERE task = ? AND id > ? ORDER BY id LIMIT ?"
	idsInState   = "SELECT id FROM record INDEXED BY record_state WHERE task = ? AND state = ? AND id > ?"
	recordsNamed = "SELECT " + recordColumns + " FROM record WHERE task = ? AND id IN (%s ORDER BY id LIMIT ?) ORDER BY id"
)

// inState returns a number of records with an id above after in order of id; without states, in any.
func (s *Store) inState(ctx context.Context, task int64, after string, limit int, states []checkpoint.State) ([]checkpoint.Record, error) {
	limit = max(limit, 0)
	states = slices.Compact(slices.Sorted(slices.Values(states)))
	if len(states) == 0 {
		return s.records(ctx, allRecords, task, after, limit)
	}
	ids := idsInState + strings.Repeat(" UNION ALL "+idsInState, len(states)-1)
	args := []any{task}
	for _, state := range states {
		args = append(args, task, state, after)
	}
	return s.records(ctx, fmt.Sprintf(recordsNamed, ids), append(args, limit)...)
}

func (s *Store) records(ctx context.Context, query string, args ...any) ([]checkpoint.Record, error) {
	return collect(ctx, s, query, args, scanRecord)
}

// collect returns what scan makes of each row of a query.
func collect[T any](ctx context.Context, s *Store, query string, args []any, scan func(scanner) (T, error)) (all []T, err error) {
	err = s.each(ctx, query, args, func(row scanner) error {
		one, err := scan(row)
		all = append(all, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// each does something with each row of a query.
func (s *Store) each(ctx context.Context, query string, args []any, do func(scanner) error) error {
	rows, err := s.read.query(ctx, query, args...)
	if err != nil {
		return named(s.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		if err := do(rows); err != nil {
			return named(s.path, err)
		}
	}
	return named(s.path, rows.Err())
}

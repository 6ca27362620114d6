package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Tasks implements checkpoint.Store. All tasks are counted at the same moment.
func (s *Store) Tasks(ctx context.Context) ([]checkpoint.Status, error) {
	tx, done, err := s.read.moment(ctx)
	if err != nil {
		return nil, named(s.path, err)
	}
	defer done()
	statuses, ids, err := tasks(ctx, tx)
	if err != nil {
		return nil, named(s.path, err)
	}
	for i := range statuses {
		if err := count(ctx, tx, ids[i], &statuses[i]); err != nil {
			return nil, named(s.path, err)
		}
	}
	return statuses, nil
}

func tasks(ctx context.Context, tx reader) (statuses []checkpoint.Status, ids []int64, err error) {
	rows, err := tx.QueryContext(ctx, selectTask+" ORDER BY account, kind, collection")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		s, id, err := scanTask(rows)
		if err != nil {
			return nil, nil, err
		}
		statuses, ids = append(statuses, s), append(ids, id)
	}
	return statuses, ids, rows.Err()
}

// count counts a task's records by state and by reason.
func count(ctx context.Context, tx reader, id int64, s *checkpoint.Status) error {
	rows, err := tx.QueryContext(ctx, "SELECT state, count(*), sum(bytes) FROM record WHERE task = ? GROUP BY state", id)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		var state, n, bytes int64
		if err := rows.Scan(&state, &n, &bytes); err != nil {
			return err
		}
		if state < 0 || state >= int64(len(s.Counts)) {
			return fmt.Errorf("it holds the state %d, which this release does not know", state)
		}
		s.Counts[state] = n
		s.Bytes += bytes
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return reasons(ctx, tx, id, s)
}

func reasons(ctx context.Context, tx reader, id int64, s *checkpoint.Status) error {
	s.Reasons = make(map[string]int64)
	rows, err := tx.QueryContext(ctx, `
		SELECT reason, count(*) FROM record WHERE task = ?1 AND state IN (?2, ?3) GROUP BY reason
		UNION ALL
		SELECT reason, count(*) FROM (
			SELECT DISTINCT record.id, json_extract(value, '$.reason') AS reason FROM record, json_each(nullif(record.losses, ''))
			WHERE task = ?1 AND state = ?4) GROUP BY reason`,
		id, checkpoint.Skipped, checkpoint.Failed, checkpoint.CopiedWithLosses)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has what went wrong
	for rows.Next() {
		var reason string
		var n int64
		if err := rows.Scan(&reason, &n); err != nil {
			return err
		}
		s.Reasons[reason] += n
	}
	return rows.Err()
}

// page is how many records are read at once.
const page = 500

// Records implements checkpoint.Store.
func (s *Store) Records(ctx context.Context, t checkpoint.Task, states ...checkpoint.State) iter.Seq2[checkpoint.Record, error] {
	return paged(ctx, s, t, func(task int64, after string) ([]checkpoint.Record, error) {
		return s.inState(ctx, task, after, page, states)
	}, func(r checkpoint.Record) string { return r.ID })
}

const nodesAfter = `SELECT id, folder, parent, name, wanted, new_parent, new_name, new_wanted FROM node WHERE task = ? AND id > ? ORDER BY id LIMIT ?`

// Nodes implements checkpoint.Store.
func (s *Store) Nodes(ctx context.Context, t checkpoint.Task) iter.Seq2[checkpoint.Placement, error] {
	return paged(ctx, s, t, func(task int64, after string) (nodes []checkpoint.Placement, err error) {
		err = s.each(ctx, nodesAfter, []any{task, after, page}, func(row scanner) error {
			n, err := scanPlacement(row)
			nodes = append(nodes, n)
			return err
		})
		return nodes, err
	}, func(n checkpoint.Placement) string { return n.ID })
}

func scanPlacement(row scanner) (n checkpoint.Placement, err error) {
	var p, na, w, np, nn, nw sql.NullString
	err = row.Scan(&n.ID, &n.Folder, &p, &na, &w, &np, &nn, &nw)
	if na.Valid {
		n.Lies = &checkpoint.Place{ParentID: p.String, Name: na.String, Wanted: w.String}
	}
	if nn.Valid {
		n.Reserved = &checkpoint.Place{ParentID: np.String, Name: nn.String, Wanted: nw.String}
	}
	return n, err
}

const taskID = "SELECT id FROM task WHERE account = ? AND kind = ? AND collection = ?"

// paged yields what a task holds, page after page in order of id. No query is open while the consumer works.
func paged[V any](ctx context.Context, s *Store, t checkpoint.Task,
	read func(task int64, after string) ([]V, error), idOf func(V) string,
) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var task int64
		var none V
		err := s.read.QueryRowContext(ctx, taskID, t.Account, t.Kind, t.Collection).Scan(&task)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		if err != nil {
			yield(none, named(s.path, err))
			return
		}
		for after, more := "", true; more; {
			values, err := read(task, after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, v := range values {
				if !yield(v, nil) {
					return
				}
				after = idOf(v)
			}
			more = len(values) == page
		}
	}
}

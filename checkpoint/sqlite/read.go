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
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, named(s.path, err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
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

func tasks(ctx context.Context, tx *sql.Tx) (statuses []checkpoint.Status, ids []int64, err error) {
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
func count(ctx context.Context, tx *sql.Tx, id int64, s *checkpoint.Status) error {
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

func reasons(ctx context.Context, tx *sql.Tx, id int64, s *checkpoint.Status) error {
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
	return func(yield func(checkpoint.Record, error) bool) {
		var id int64
		err := s.read.QueryRowContext(ctx, "SELECT id FROM task WHERE account = ? AND kind = ? AND collection = ?", t.Account, t.Kind, t.Collection).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return
		}
		if err != nil {
			yield(checkpoint.Record{}, named(s.path, err))
			return
		}
		for after, more := "", true; more; {
			records, err := s.inState(ctx, id, after, page, states)
			if err != nil {
				yield(checkpoint.Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
				after = r.ID
			}
			more = len(records) == page
		}
	}
}

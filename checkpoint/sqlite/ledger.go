package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// ledger is the one writer of a task in this process.
type ledger struct {
	store *Store
	id    int64
	epoch int64
}

// Begin implements checkpoint.Store. Who held the task's ledger before may write no more.
func (s *Store) Begin(ctx context.Context, t checkpoint.Task, name string) (checkpoint.Ledger, error) {
	if s.writer == nil {
		return nil, errors.New("the state file is open for reading only")
	}
	l := &ledger{store: s}
	err := s.writer.write(ctx, func(ctx context.Context, st *statements) error {
		return st.begin.QueryRowContext(ctx, t.Account, t.Kind, t.Collection, name).Scan(&l.id)
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epochs[l.id]++
	l.epoch = s.epochs[l.id]
	return l, nil
}

// write does something in a transaction if this ledger still holds the task.
func (l *ledger) write(ctx context.Context, do func(ctx context.Context, s *statements) error) error {
	return l.store.writer.write(ctx, func(ctx context.Context, s *statements) error {
		l.store.mu.Lock()
		current := l.store.epochs[l.id]
		l.store.mu.Unlock()
		if current != l.epoch {
			return checkpoint.ErrFenced
		}
		return do(ctx, s)
	})
}

// Status implements checkpoint.Ledger.
func (l *ledger) Status(ctx context.Context) (checkpoint.Status, error) {
	st, _, err := scanTask(l.store.read.QueryRowContext(ctx, selectTask+" WHERE id = ?", l.id))
	return st, err
}

// Enlist implements checkpoint.Ledger.
func (l *ledger) Enlist(ctx context.Context, generation int64, entries []checkpoint.Entry) (records []checkpoint.Record, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	err = l.write(ctx, func(ctx context.Context, s *statements) error {
		records = make([]checkpoint.Record, 0, len(entries))
		listed := int64(0)
		for _, e := range entries {
			fresh, err := l.enlist(ctx, s, generation, e)
			if err != nil {
				return err
			}
			r, err := scanRecord(s.record.QueryRowContext(ctx, l.id, e.ID))
			if err != nil {
				return err
			}
			listed += fresh
			records = append(records, r)
		}
		if listed == 0 {
			return nil
		}
		_, err := s.listed.ExecContext(ctx, listed, l.id)
		return err
	})
	return records, err
}

// enlist makes or marks one record, and returns 1 if it was not known.
func (l *ledger) enlist(ctx context.Context, s *statements, generation int64, e checkpoint.Entry) (int64, error) {
	res, err := s.enlist.ExecContext(ctx, l.id, e.ID, e.Title, e.Link, generation)
	if err != nil {
		return 0, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return n, err
	}
	_, err = s.see.ExecContext(ctx, generation, e.Title, e.Title, e.Link, e.Link, l.id, e.ID)
	return 0, err
}

// Save implements checkpoint.Ledger.
func (l *ledger) Save(ctx context.Context, records ...checkpoint.Record) error {
	return l.write(ctx, func(ctx context.Context, s *statements) error {
		for _, r := range records {
			if err := l.save(ctx, s, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *ledger) save(ctx context.Context, s *statements, r checkpoint.Record) error {
	losses := ""
	if len(r.Losses) > 0 {
		text, err := json.Marshal(r.Losses)
		if err != nil {
			return err
		}
		losses = string(text)
	}
	_, err := s.save.ExecContext(ctx, l.id, r.ID, r.Version, r.State, r.Reason, r.Message, losses, r.Title, r.Link, r.Location,
		r.ReceiptVersion, r.BodyVersion, r.ReceiptState, r.Bytes, r.Digest, r.Attempts, r.Generation)
	return err
}

// Advance implements checkpoint.Ledger.
func (l *ledger) Advance(ctx context.Context, p checkpoint.Position) error {
	until := int64(0)
	if !p.Until.IsZero() {
		until = p.Until.UnixNano()
	}
	return l.write(ctx, func(ctx context.Context, s *statements) error {
		_, err := s.advance.ExecContext(ctx, p.Cursor, p.Generation, p.Complete, p.Error, until, l.id)
		return err
	})
}

// Record implements checkpoint.Lookup.
func (l *ledger) Record(ctx context.Context, id string) (r checkpoint.Record, ok bool, err error) {
	r, err = scanRecord(l.store.read.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM record WHERE task = ? AND id = ?", l.id, id))
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// AtLocation implements checkpoint.Lookup.
func (l *ledger) AtLocation(ctx context.Context, location string) (id string, err error) {
	if location == "" {
		return "", nil
	}
	err = l.store.read.QueryRowContext(ctx, "SELECT id FROM record WHERE task = ? AND location = ? AND location <> '' LIMIT 1", l.id, location).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

// InState implements checkpoint.Lookup.
func (l *ledger) InState(ctx context.Context, after string, limit int, states ...checkpoint.State) ([]checkpoint.Record, error) {
	return l.store.records(ctx, l.id, after, limit, states, "")
}

// Unseen implements checkpoint.Lookup.
func (l *ledger) Unseen(ctx context.Context, generation int64, after string, limit int) ([]checkpoint.Record, error) {
	where := fmt.Sprintf(" AND generation < %d AND state <> %d", generation, checkpoint.Removed)
	return l.store.records(ctx, l.id, after, limit, nil, where)
}

type scanner interface{ Scan(...any) error }

func scanRecord(row scanner) (r checkpoint.Record, err error) {
	var losses string
	err = row.Scan(&r.ID, &r.Version, &r.State, &r.Reason, &r.Message, &losses, &r.Title, &r.Link, &r.Location,
		&r.ReceiptVersion, &r.BodyVersion, &r.ReceiptState, &r.Bytes, &r.Digest, &r.Attempts, &r.Generation)
	if err == nil && losses != "" {
		err = json.Unmarshal([]byte(losses), &r.Losses)
	}
	return r, err
}

const selectTask = "SELECT id, account, kind, collection, name, cursor, generation, complete, listed, error, until FROM task"

func scanTask(row scanner) (s checkpoint.Status, id int64, err error) {
	var until int64
	err = row.Scan(&id, &s.Account, &s.Kind, &s.Collection, &s.Name, &s.Cursor, &s.Generation, &s.Complete, &s.Listed, &s.Error, &until)
	if until != 0 {
		s.Until = time.Unix(0, until)
	}
	return s, id, err
}

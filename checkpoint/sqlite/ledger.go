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
		return nil, named(s.path, errView)
	}
	l := &ledger{store: s}
	err := s.writer.write(ctx, func(ctx context.Context, st *session) error {
		if err := st.begin.QueryRowContext(ctx, t.Account, t.Kind, t.Collection, name).Scan(&l.id); err != nil {
			return err
		}
		st.epochs[l.id]++
		l.epoch = st.epochs[l.id]
		return nil
	})
	if err != nil {
		return nil, named(s.path, err)
	}
	return l, nil
}

// write does something in a transaction if this ledger still holds the task.
func (l *ledger) write(ctx context.Context, do func(ctx context.Context, s *session) error) error {
	return named(l.store.path, l.store.writer.write(ctx, func(ctx context.Context, s *session) error {
		if s.epochs[l.id] != l.epoch {
			return checkpoint.ErrFenced
		}
		return do(ctx, s)
	}))
}

// Status implements checkpoint.Ledger.
func (l *ledger) Status(ctx context.Context) (checkpoint.Status, error) {
	st, _, err := scanTask(l.store.read.QueryRowContext(ctx, selectTask+" WHERE id = ?", l.id))
	return st, named(l.store.path, err)
}

// Enlist implements checkpoint.Ledger.
func (l *ledger) Enlist(ctx context.Context, generation int64, entries []checkpoint.Entry) (records []checkpoint.Record, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	err = l.write(ctx, func(ctx context.Context, s *session) error {
		records = make([]checkpoint.Record, 0, len(entries))
		listed := int64(0)
		for _, e := range entries {
			r, fresh, err := l.enlist(ctx, s, generation, e)
			if err != nil {
				return err
			}
			if fresh {
				listed++
			}
			records = append(records, r)
		}
		if listed == 0 {
			return nil
		}
		_, err := s.listed.ExecContext(ctx, listed, l.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// enlist makes or marks one record; fresh says that it was not known. New items come one after the other, as do those that are known: what
// the last one was is tried first.
func (l *ledger) enlist(ctx context.Context, s *session, generation int64, e checkpoint.Entry) (r checkpoint.Record, fresh bool, err error) {
	if e.ID == "" {
		return r, false, errors.New("an item without an id was listed")
	}
	if s.fresh {
		if r, fresh, err = l.insert(ctx, s, generation, e); fresh || err != nil {
			return r, fresh, err
		}
	}
	r, err = scanRecord(s.see.QueryRowContext(ctx, generation, e.Title, e.Link, l.id, e.ID))
	if s.fresh = errors.Is(err, sql.ErrNoRows); s.fresh {
		return l.insert(ctx, s, generation, e)
	}
	return r, false, err
}

// insert makes a record unless there is one.
func (l *ledger) insert(ctx context.Context, s *session, generation int64, e checkpoint.Entry) (r checkpoint.Record, made bool, err error) {
	res, err := s.enlist.ExecContext(ctx, l.id, e.ID, e.Title, e.Link, generation)
	if err != nil {
		return r, false, err
	}
	n, err := res.RowsAffected()
	return checkpoint.Record{ID: e.ID, Title: e.Title, Link: e.Link, Generation: generation}, n == 1, err
}

// Save implements checkpoint.Ledger.
func (l *ledger) Save(ctx context.Context, records ...checkpoint.Record) error {
	if len(records) == 0 {
		return nil
	}
	return l.write(ctx, func(ctx context.Context, s *session) error {
		for _, r := range records {
			if err := l.save(ctx, s, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// save replaces a record. One that was never listed is refused, or the ledger would no longer balance.
func (l *ledger) save(ctx context.Context, s *session, r checkpoint.Record) error {
	if int(r.State) >= len(checkpoint.States) {
		return fmt.Errorf("the state %d is none", r.State)
	}
	losses := ""
	if len(r.Losses) > 0 {
		text, err := json.Marshal(r.Losses)
		if err != nil {
			return err
		}
		losses = string(text)
	}
	res, err := s.save.ExecContext(ctx, l.id, r.ID, r.Version, r.State, r.Reason, r.Message, losses, r.Title, r.Link, r.Location,
		r.ReceiptVersion, r.BodyVersion, r.ReceiptState, r.Bytes, r.Digest, r.Attempts, r.Generation)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("a record was to be saved for the item %q, which was never listed", r.ID)
}

// Advance implements checkpoint.Ledger.
func (l *ledger) Advance(ctx context.Context, p checkpoint.Position, held ...string) error {
	until := int64(0)
	if !p.Until.IsZero() {
		until = p.Until.UnixNano()
	}
	return l.write(ctx, func(ctx context.Context, s *session) error {
		for _, id := range held {
			if _, err := s.held.ExecContext(ctx, p.Generation, l.id, id); err != nil {
				return err
			}
		}
		_, err := s.advance.ExecContext(ctx, p.Cursor, p.Generation, p.Complete, p.Error, until, l.id)
		return err
	})
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

const selectTask = "SELECT id, account, kind, collection, name, cursor, generation, complete, listed, error, until, target FROM task"

func scanTask(row scanner) (s checkpoint.Status, id int64, err error) {
	var until int64
	err = row.Scan(&id, &s.Account, &s.Kind, &s.Collection, &s.Name, &s.Cursor, &s.Generation, &s.Complete, &s.Listed, &s.Error, &until, &s.Target)
	if until != 0 {
		s.Until = time.Unix(0, until)
	}
	return s, id, err
}

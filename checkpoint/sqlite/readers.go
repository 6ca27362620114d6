package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// readers are connections that read, each with the queries that it was asked before: to parse one takes longer than to
// answer it.
type readers struct {
	reader
	db       *sql.DB
	snapshot *sql.Tx // nil where each query sees what is there at its own moment
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
}

// reader is what asks: connections, or a transaction.
type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// newSnapshot begins a transaction that sees the file as it is now until the end.
func newSnapshot(ctx context.Context, db *sql.DB) (*readers, error) {
	tx, err := db.BeginTx(context.WithoutCancel(ctx), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	var jobs int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM job").Scan(&jobs); err != nil { // the moment is that of the first query
		return nil, errors.Join(err, tx.Rollback())
	}
	return &readers{reader: tx, db: db, snapshot: tx}, nil
}

// moment returns what sees the file at one moment until done is called.
func (r *readers) moment(ctx context.Context) (at reader, done func(), err error) {
	if r.snapshot != nil {
		return r.snapshot, func() {}, nil
	}
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, err
	}
	return tx, func() { _ = tx.Rollback() }, nil // nothing was written
}

func (r *readers) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	stmt, err := r.statement(ctx, text)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (r *readers) statement(ctx context.Context, text string) (*sql.Stmt, error) {
	r.mu.Lock()
	stmt := r.prepared[text]
	r.mu.Unlock()
	if stmt != nil {
		return stmt, nil
	}
	stmt, err := r.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.prepared[text]; first != nil {
		return first, stmt.Close()
	}
	r.prepared[text] = stmt
	return stmt, nil
}

func (r *readers) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, stmt := range r.prepared {
		errs = append(errs, stmt.Close())
	}
	if r.snapshot != nil {
		errs = append(errs, r.snapshot.Rollback())
	}
	return errors.Join(append(errs, r.db.Close())...)
}

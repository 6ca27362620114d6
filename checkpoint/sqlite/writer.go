package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// errClosed says that the store was closed.
var errClosed = errors.New("the state file is closed")

// writer is the one goroutine that writes. Operations that wait while it commits are done together in its next
// transaction; each of them happens wholly or not at all.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	queue chan *operation
	end   chan struct{}
	done  chan struct{}
	once  sync.Once
	stmts statements
}

type operation struct {
	do     func(ctx context.Context, s *statements) error
	result chan error
}

// together bounds the operations of one transaction.
const together = 512

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db, conn: conn, queue: make(chan *operation, together), end: make(chan struct{}), done: make(chan struct{})}
	if err := w.stmts.prepare(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

// write has do done within a transaction and returns when it is on disk. do must not keep what it is given. A context
// that ends while it waits does not undo it.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, s *statements) error) error {
	op := &operation{do: do, result: make(chan error, 1)}
	select {
	case w.queue <- op:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.end:
		return errClosed
	}
	select {
	case err := <-op.result:
		return err
	case <-w.done:
		select {
		case err := <-op.result:
			return err
		default:
			return errClosed
		}
	}
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case op := <-w.queue:
			w.commit(w.gather(op))
		case <-w.end:
			for {
				select {
				case op := <-w.queue:
					w.commit(w.gather(op))
				default:
					return
				}
			}
		}
	}
}

func (w *writer) gather(op *operation) []*operation {
	ops := []*operation{op}
	for len(ops) < together {
		select {
		case op := <-w.queue:
			ops = append(ops, op)
		default:
			return ops
		}
	}
	return ops
}

// commit does the operations in one transaction. What fails alone is undone alone.
func (w *writer) commit(ops []*operation) {
	ctx := context.Background()
	results := make([]error, len(ops))
	err := w.exec(ctx, "BEGIN IMMEDIATE")
	if err == nil {
		for i, op := range ops {
			results[i] = w.alone(ctx, op)
		}
		if err = w.exec(ctx, "COMMIT"); err != nil {
			_ = w.exec(ctx, "ROLLBACK")
		}
	}
	for i, op := range ops {
		if err != nil {
			results[i] = fmt.Errorf("write the state file: %w", err)
		}
		op.result <- results[i]
	}
}

func (w *writer) alone(ctx context.Context, op *operation) error {
	if err := w.exec(ctx, "SAVEPOINT op"); err != nil {
		return err
	}
	err := op.do(ctx, &w.stmts)
	if err != nil {
		err = errors.Join(err, w.exec(ctx, "ROLLBACK TO op"))
	}
	return errors.Join(err, w.exec(ctx, "RELEASE op"))
}

func (w *writer) exec(ctx context.Context, text string) error {
	_, err := w.conn.ExecContext(ctx, text)
	return err
}

func (w *writer) close() error {
	w.once.Do(func() { close(w.end) })
	<-w.done
	return errors.Join(w.stmts.close(), w.conn.Close(), w.db.Close())
}

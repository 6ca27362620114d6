package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// errClosed says that the store was closed.
var errClosed = errors.New("it is closed")

// writer is the one goroutine that writes. Operations that wait while it commits are done together in its next
// transaction; each of them happens wholly or not at all.
type writer struct {
	db      *sql.DB
	conn    *sql.Conn
	queue   chan *operation
	end     chan struct{}
	done    chan struct{}
	once    sync.Once
	session session
}

// session is what operations work with. It belongs to the writer's goroutine.
type session struct {
	statements
	epochs map[int64]int64 // how often each task was begun in this process
	crowds crowds
	// fresh says that the item that was enlisted last was not known.
	fresh bool
}

type operation struct {
	// do may be called a second time, after what the first call wrote was undone.
	do     func(ctx context.Context, s *session) error
	result chan error
}

// together bounds the operations of one transaction.
const together = 512

func newWriter(ctx context.Context, db *sql.DB) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{db: db, conn: conn, queue: make(chan *operation, together), end: make(chan struct{}), done: make(chan struct{}),
		session: session{epochs: make(map[int64]int64), crowds: make(crowds)}}
	if err := w.session.prepare(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.run()
	return w, nil
}

// write has do done within a transaction and returns when it is on disk. do must not keep what it is given, and may be called twice; see
// operation. A context that ends while it waits does not undo it.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, s *session) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
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
			w.drain()
			return
		}
	}
}

func (w *writer) drain() {
	for {
		select {
		case op := <-w.queue:
			w.commit(w.gather(op))
		default:
			return
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

// commit does the operations in one transaction and tells each how it went.
func (w *writer) commit(ops []*operation) {
	results := make([]error, len(ops))
	err := w.transact(context.Background(), ops, results)
	if err != nil {
		clear(w.session.crowds)
	}
	for i, op := range ops {
		if results[i] == nil && err != nil {
			results[i] = fmt.Errorf("write to it: %w", err)
		}
		op.result <- results[i]
	}
}

// transact does the operations as if all went well, since they nearly always do: a savepoint before each would have SQLite copy every page
// that is touched. If one fails, everything is undone and done again with savepoints.
func (w *writer) transact(ctx context.Context, ops []*operation, results []error) error {
	if err := run(ctx, w.session.open); err != nil {
		return err
	}
	for _, op := range ops {
		if op.do(ctx, &w.session) != nil {
			clear(w.session.crowds)
			_ = run(ctx, w.session.rollback) // fails if SQLite has done so itself
			return w.separately(ctx, ops, results)
		}
	}
	return w.finish(ctx)
}

// separately does the operations in one transaction, of which those are undone alone that fail.
func (w *writer) separately(ctx context.Context, ops []*operation, results []error) error {
	if err := run(ctx, w.session.open); err != nil {
		return err
	}
	for i, op := range ops {
		var broken error
		if results[i], broken = w.alone(ctx, op); broken != nil {
			_ = run(ctx, w.session.rollback) // fails if SQLite has done so itself
			return broken
		}
	}
	return w.finish(ctx)
}

func (w *writer) finish(ctx context.Context) error {
	err := run(ctx, w.session.commit)
	if err != nil {
		_ = run(ctx, w.session.rollback) // fails if SQLite has done so itself
	}
	return err
}

// alone does one operation, which is undone alone if it fails. broken says that the transaction as a whole is lost: a full
// disk, among others, makes SQLite roll back everything.
func (w *writer) alone(ctx context.Context, op *operation) (err, broken error) {
	if err := run(ctx, w.session.savepoint); err != nil {
		return err, err
	}
	if err = op.do(ctx, &w.session); err != nil {
		clear(w.session.crowds)
		if run(ctx, w.session.undo) != nil {
			return err, err
		}
	}
	if broken = run(ctx, w.session.release); broken != nil {
		return errors.Join(err, broken), broken
	}
	return err, nil
}

func run(ctx context.Context, stmt *sql.Stmt) error {
	_, err := stmt.ExecContext(ctx)
	return err
}

func (w *writer) close() error {
	w.once.Do(func() { close(w.end) })
	<-w.done
	return errors.Join(w.session.close(), w.conn.Close(), w.db.Close())
}

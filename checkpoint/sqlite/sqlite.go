// Package sqlite keeps what a job remembers in one SQLite file, without cgo.
//
// The file is in WAL mode with synchronous=FULL: what a call acknowledged survives a crash of the machine. All writes go
// through one connection; calls that come in together share one transaction, and so one fsync. The file must lie on a
// local file system: write-ahead logs do not work over a network.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// ErrForeign says that the file is not a state file, or is damaged, or was written by a newer release. It is left
// as it is.
var ErrForeign = errors.New("not a state file that can be used")

// ErrOtherJob says that the file is the state of another job. It is left as it is.
var ErrOtherJob = errors.New("the state of another job")

// otherJob is ErrOtherJob in words.
type otherJob struct{ has, asked string }

func (e otherJob) Error() string {
	return fmt.Sprintf("it belongs to the job %q, not to %q: give each job a state file of its own", e.has, e.asked)
}

func (otherJob) Is(target error) bool { return target == ErrOtherJob }

// IsFull reports whether the disk on which the file lies had no room, by the error of a Store. SQLite has a word of its own for ENOSPC
// alone: a user's quota, and a limit of the size of files, are writes that fail to it.
func IsFull(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	return e.Code()&0xff == codes.SQLITE_FULL || e.Code() == codes.SQLITE_IOERR_WRITE || e.Code() == codes.SQLITE_IOERR_SHMSIZE
}

// Options change how a store is opened.
type Options struct {
	// Job is the job's name; a file that belongs to another job is refused. Empty: any.
	Job string
	// Snapshot has a view show everything as it is at the moment when it is opened, whatever is written meanwhile. The
	// write-ahead log grows as long as the view is open.
	Snapshot bool
	// unsynced leaves it to the caller to have the file written to the disk, after Close.
	unsynced bool
}

// Store is a checkpoint.Store over one file.
type Store struct {
	path   string // for messages
	read   *readers
	writer *writer // nil in a view
	close  func() error
}

// Open opens the state file for writing and makes it if there is none. It holds a lock until Close: checkpoint.ErrLocked
// if another process does. ErrForeign if the file is not one of ours.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := openLocked(ctx, path, o)
	if err != nil {
		return nil, named(path, err)
	}
	return s, nil
}

// openLocked follows links first, so that two names of one file share a lock.
func openLocked(ctx context.Context, path string, o Options) (*Store, error) {
	file, err := resolve(path)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(file + ".lock")
	if err != nil {
		return nil, err
	}
	if err := writable(file); err != nil {
		unlock()
		return nil, err
	}
	s, err := open(ctx, file, o)
	if err != nil {
		unlock()
		return nil, err
	}
	return s.closing(path, func() error { unlock(); return nil }), nil
}

// OpenView opens the state file for reading alone, also while another process writes to it. os.ErrNotExist if there is
// none, or an empty one.
func OpenView(ctx context.Context, path string, o Options) (*Store, error) {
	db, version, err := openReading(ctx, path, reading, o)
	if err != nil {
		return nil, named(path, err)
	}
	if version < len(migrations) {
		err := fmt.Errorf("an older release wrote it (schema %d, this release needs %d); the next run brings it up to date", version, len(migrations))
		return nil, named(path, errors.Join(err, db.Close()))
	}
	if !o.Snapshot {
		return newStore(path, &readers{reader: db, db: db}, nil), nil
	}
	read, err := newSnapshot(ctx, db)
	if err != nil {
		return nil, named(path, errors.Join(err, db.Close()))
	}
	return newStore(path, read, nil), nil
}

// openReading opens a file that is there and returns the version of its schema.
func openReading(ctx context.Context, path, options string, o Options) (db *sql.DB, version int, err error) {
	file, err := resolve(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, 0, err
	}
	if info.Size() == 0 {
		return nil, 0, fmt.Errorf("it is empty, no run has begun: %w", os.ErrNotExist)
	}
	if db, err = connect(file, "mode=ro&"+options, mostReaders); err != nil {
		return nil, 0, err
	}
	if version, err = check(ctx, db, o); err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return db, version, nil
}

// OpenCopy opens a private copy of the state file, or an empty one if there is none, for a dry run. It lies in the
// system's folder for temporary files and goes with Close.
func OpenCopy(ctx context.Context, path string, o Options) (*Store, error) {
	dir, err := os.MkdirTemp("", "repatriate-state-")
	if err != nil {
		return nil, fmt.Errorf("copy the state file: %w", err)
	}
	s, err := openCopy(ctx, path, filepath.Join(dir, "state.db"), o)
	if err != nil {
		return nil, named(path, errors.Join(err, os.RemoveAll(dir)))
	}
	return s.closing(path, func() error { return os.RemoveAll(dir) }), nil
}

func openCopy(ctx context.Context, from, to string, o Options) (*Store, error) {
	o.unsynced = true // nobody needs it after a crash
	db, _, err := openReading(ctx, from, copying, o)
	if errors.Is(err, os.ErrNotExist) {
		return open(ctx, to, o)
	}
	if err != nil {
		return nil, err
	}
	// A copy of the file alone would miss what stands in the write-ahead log.
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, fmt.Errorf("copy it to %s: %w", to, unusable(err))
	}
	return open(ctx, to, o)
}

// open opens a file of which no other process knows, or whose lock is held.
func open(ctx context.Context, file string, o Options) (*Store, error) {
	if err := prepare(ctx, file, o); err != nil {
		return nil, err
	}
	how := writing
	if o.unsynced {
		how = "_pragma=synchronous(OFF)&" + unsynced
	}
	db, err := connect(file, how, 1)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	read, err := connect(file, reading, mostReaders)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	w, err := newWriter(ctx, db)
	if err != nil {
		return nil, errors.Join(err, read.Close(), db.Close())
	}
	return newStore(file, &readers{reader: read, db: read}, w), nil
}

func newStore(path string, read *readers, w *writer) *Store {
	read.prepared = make(map[string]*sql.Stmt)
	return &Store{path: path, read: read, writer: w, close: sync.OnceValue(func() error {
		if w == nil {
			return read.close()
		}
		return errors.Join(w.close(), read.close())
	})}
}

// closing adds what is done at the end, and names the file as the user does.
func (s *Store) closing(path string, last func() error) *Store {
	first := s.close
	s.path = path
	s.close = sync.OnceValue(func() error { return errors.Join(first(), last()) })
	return s
}

// Close ends the store and gives the lock back, after what was begun is written. It may be called twice.
func (s *Store) Close() error {
	return named(s.path, s.close())
}

// named says in an error which file it is about.
func named(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("state file %s: %w", path, err)
}

var _ checkpoint.Store = (*Store)(nil)

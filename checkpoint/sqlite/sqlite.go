// Package sqlite keeps what a job remembers in one SQLite file, without cgo.
//
// The file is in WAL mode with synchronous=FULL: what a call acknowledged survives a crash of the machine. All writes go
// through one connection; calls that come in together share one transaction, and so one fsync.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver registers itself

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// ErrForeign says that the file is not a state file, or is damaged, or was written by a newer release. It is left
// as it is.
var ErrForeign = errors.New("not a state file that can be used")

// Options change how a store is opened.
type Options struct {
	// Job is the job's name; a file that belongs to another job is refused. Empty: any.
	Job string
}

// Store is a checkpoint.Store over one file.
type Store struct {
	read   *sql.DB
	writer *writer // nil in a view
	unlock func()
	remove string // a folder to be removed at the end

	mu     sync.Mutex
	epochs map[int64]int64
}

// Open opens the state file for writing and makes it if there is none. It holds a lock until Close: checkpoint.ErrLocked
// if another process does. ErrForeign if the file is not one of ours.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	unlock, err := lock(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("state file %s: %w", path, err)
	}
	s, err := open(ctx, path, o)
	if err != nil {
		unlock()
		return nil, fmt.Errorf("state file %s: %w", path, err)
	}
	s.unlock = unlock
	return s, nil
}

// OpenView opens the state file for reading alone, also while another process writes to it. It may not be missing.
func OpenView(ctx context.Context, path string, o Options) (*Store, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("state file: %w", err)
	}
	read, err := sql.Open("sqlite", dsn(path, "mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"))
	if err != nil {
		return nil, err
	}
	if err := check(ctx, read, o); err != nil {
		return nil, errors.Join(fmt.Errorf("state file %s: %w", path, err), read.Close())
	}
	return &Store{read: read}, nil
}

// OpenCopy opens a private copy of the state file, or an empty one if there is none, for a dry run. It goes with Close.
func OpenCopy(ctx context.Context, path string, o Options) (*Store, error) {
	dir, err := os.MkdirTemp("", "repatriate-state-")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "state.db")
	if err := copyTo(ctx, path, file, o); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s, err := open(ctx, file, o)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.remove = dir
	return s, nil
}

func copyTo(ctx context.Context, from, to string, o Options) error {
	view, err := OpenView(ctx, from, o)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer view.Close()
	// A copy of the file alone would miss what stands in the write-ahead log.
	if _, err := view.read.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copy the state file: %w", err)
	}
	return nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	db, err := sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if err := prepare(ctx, db, path, o); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	read, err := sql.Open("sqlite", dsn(path, "_pragma=busy_timeout(10000)&_pragma=query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	read.SetMaxOpenConns(4)
	w, err := newWriter(ctx, db)
	if err != nil {
		return nil, errors.Join(err, read.Close(), db.Close())
	}
	return &Store{read: read, writer: w, epochs: make(map[int64]int64)}, nil
}

func dsn(path, options string) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + options
}

// prepare makes a new file ours, or brings an old one to this release's schema.
func prepare(ctx context.Context, db *sql.DB, path string, o Options) error {
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		if err := check(ctx, db, o); err != nil {
			return err
		}
	}
	return migrate(ctx, db, o)
}

// check refuses files that are not ours, damaged, newer, or another job's.
func check(ctx context.Context, db *sql.DB, o Options) error {
	var id, version int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if id == 0 && version == 0 && isEmpty(ctx, db) {
		return nil
	}
	if id != applicationID {
		return fmt.Errorf("%w: it belongs to another program", ErrForeign)
	}
	if version > len(migrations) {
		return fmt.Errorf("%w: it was written by a newer release (schema %d, this release knows %d)", ErrForeign, version, len(migrations))
	}
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil || result != "ok" {
		return fmt.Errorf("%w: it is damaged (%s); restore a copy of it", ErrForeign, errors.Join(err, errors.New(result)))
	}
	var job string
	if err := db.QueryRowContext(ctx, "SELECT name FROM job").Scan(&job); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	if o.Job != "" && job != "" && job != o.Job {
		return fmt.Errorf("it belongs to the job %q, not to %q", job, o.Job)
	}
	return nil
}

// isEmpty reports whether the database was begun but holds nothing, as after a crash in its first moment.
func isEmpty(ctx context.Context, db *sql.DB) bool {
	var n int
	err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n)
	return err == nil && n == 0
}

func migrate(ctx context.Context, db *sql.DB, o Options) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("%w: %w", ErrForeign, err)
	}
	for ; version < len(migrations); version++ {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		script := migrations[version] + fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d;", applicationID, version+1)
		if _, err := tx.ExecContext(ctx, script); err != nil {
			return errors.Join(fmt.Errorf("bring the schema to version %d: %w", version+1, err), tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return fmt.Errorf("bring the schema to version %d: %w", version+1, err)
		}
	}
	_, err := db.ExecContext(ctx, "INSERT INTO job SELECT ? WHERE NOT EXISTS (SELECT 1 FROM job)", o.Job)
	return err
}

// Close ends the store and gives the lock back.
func (s *Store) Close() error {
	var errs []error
	if s.writer != nil {
		errs = append(errs, s.writer.close())
	}
	errs = append(errs, s.read.Close())
	if s.remove != "" {
		errs = append(errs, os.RemoveAll(s.remove))
	}
	if s.unlock != nil {
		s.unlock()
	}
	return errors.Join(errs...)
}

var _ checkpoint.Store = (*Store)(nil)

package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// The options of connections. The page cache of 16 MiB holds the upper levels of a million records' index: four times
// as much is no faster, and all of it together is memory that the process has for nothing else. The log is cut back when a
// long reader made it grow.
const (
	writing     = "_pragma=synchronous(FULL)&" + unsynced
	unsynced    = "_pragma=busy_timeout(10000)&_pragma=cache_size(-16384)&_pragma=journal_size_limit(67108864)"
	reading     = copying + "&_pragma=query_only(1)"
	copying     = "_pragma=busy_timeout(10000)&_pragma=cache_size(-4096)" // query_only would forbid VACUUM INTO
	mostReaders = 4
)

// connect returns connections to a file whose path is absolute; it is not opened yet.
func connect(file, options string, most int) (*sql.DB, error) {
	if err := registered(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file}).String()+"?"+options)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	return db, nil
}

// resolve returns the absolute path of the file itself, where links lead. The file may be missing.
func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	file, err := filepath.EvalSymlinks(abs)
	if err == nil {
		return file, nil
	}
	if _, missing := os.Lstat(abs); !errors.Is(missing, os.ErrNotExist) {
		return "", err // a link to nowhere, or a folder that may not be read
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(abs)), nil
}

// prepare makes a new file, or refuses one that is there and is not to be touched.
func prepare(ctx context.Context, file string, o Options) error {
	info, err := os.Stat(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return create(ctx, file, o)
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: it is a directory or a device", ErrForeign)
	}
	if err := checkHeader(file); err != nil {
		return err
	}
	return inspect(file, "mode=ro&"+reading, func(db *sql.DB) error {
		if _, err := check(ctx, db, o); err != nil {
			return err
		}
		return checkPages(ctx, db)
	})
}

// checkHeader refuses another program's file by its first bytes (https://www.sqlite.org/fileformat.html, §1.3), so that it
// does not even get companions. SQLite itself cannot be asked: without the write-ahead log, a file whose log was being
// merged into it when the process was killed looks damaged, and with the log it may be changed.
func checkHeader(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	var header [100]byte
	switch _, err := io.ReadFull(f, header[:]); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: it belongs to another program, or its beginning is lost", ErrForeign)
	case err != nil:
		return err
	case string(header[:16]) != "SQLite format 3\x00":
		return fmt.Errorf("%w: it belongs to another program, or its beginning is lost", ErrForeign)
	case binary.BigEndian.Uint32(header[68:72]) != applicationID:
		return fmt.Errorf("%w: it belongs to another program", ErrForeign)
	}
	return nil
}

func hasLog(file string) bool {
	info, err := os.Stat(file + "-wal")
	return err == nil && info.Size() > 0
}

func inspect(file, options string, look func(*sql.DB) error) error {
	db, err := connect(file, options, 1)
	if err != nil {
		return err
	}
	return errors.Join(look(db), db.Close())
}

// create makes the file under another name first: a state file is either whole or not there.
func create(ctx context.Context, file string, o Options) error {
	if hasLog(file) {
		return fmt.Errorf("it is missing, but its log %s-wal is there: put the file back, or move the log away to begin anew", file)
	}
	fresh := file + ".new"
	if err := removeAll(companions(fresh)...); err != nil {
		return err
	}
	if err := fill(ctx, fresh, o); err != nil {
		return errors.Join(err, removeAll(companions(fresh)...))
	}
	if err := os.Rename(fresh, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

// fill makes an empty state file that only its owner may read: titles and names of files stand in it.
func fill(ctx context.Context, file string, o Options) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return inspect(file, "_pragma=synchronous(FULL)", func(db *sql.DB) error {
		if err := migrate(ctx, db); err != nil {
			return err
		}
		if _, err := db.ExecContext(ctx, "INSERT INTO job (name) VALUES (?)", o.Job); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "PRAGMA journal_mode=WAL")
		return err
	})
}

func removeAll(paths ...string) error {
	for _, p := range paths {
		if err := os.Remove(p); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// check refuses files that are not ours, newer, or another job's, and returns the version of the schema. Of damage it sees
// only what stands in its way; checkPages looks for it.
func check(ctx context.Context, db *sql.DB, o Options) (version int, err error) {
	if err := checkOwner(ctx, db); err != nil {
		return 0, err
	}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return 0, unusable(err)
	}
	if version < 1 {
		return 0, fmt.Errorf("%w: it is damaged; put a copy of it back: schema version %d", ErrForeign, version)
	}
	if version > len(migrations) {
		return 0, fmt.Errorf("%w: it was written by a newer release (schema %d, this release knows %d)", ErrForeign, version, len(migrations))
	}
	var job string
	if err := db.QueryRowContext(ctx, "SELECT name FROM job").Scan(&job); err != nil {
		return 0, unusable(err)
	}
	if o.Job != "" && job != "" && job != o.Job {
		return 0, otherJob{job, o.Job}
	}
	return version, nil
}

// checkPages refuses a damaged file. It reads the whole file, and so is done once for a run: a million records take about
// two seconds.
func checkPages(ctx context.Context, db *sql.DB) error {
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		return unusable(err)
	}
	if result != "ok" {
		return fmt.Errorf("%w: it is damaged; put a copy of it back: %s", ErrForeign, strings.Join(strings.Fields(result), " "))
	}
	return nil
}

// checkOwner refuses files that are not ours.
func checkOwner(ctx context.Context, db *sql.DB) error {
	var id int
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return unusable(err)
	}
	if id != applicationID {
		return fmt.Errorf("%w: it belongs to another program", ErrForeign)
	}
	return nil
}

// unusable tells a damaged file from one that cannot be read at the moment.
func unusable(err error) error {
	var e *driver.Error
	switch {
	case errors.As(err, &e) && e.Code()&0xff == codes.SQLITE_NOTADB:
		return fmt.Errorf("%w: it belongs to another program, or its beginning is lost: %w", ErrForeign, err)
	case errors.As(err, &e) && (e.Code()&0xff == codes.SQLITE_CORRUPT || e.Code()&0xff == codes.SQLITE_ERROR), errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("%w: it is damaged; put a copy of it back: %w", ErrForeign, err)
	case errors.As(err, &e) && e.Code()&0xff == codes.SQLITE_CANTOPEN:
		return fmt.Errorf("file and folder must be readable and writable, also for a view, which keeps its place there: %w", err)
	}
	return err
}

func migrate(ctx context.Context, db *sql.DB) error {
	var version int
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return unusable(err)
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
	return nil
}

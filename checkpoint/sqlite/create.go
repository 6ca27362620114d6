package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Create makes a new state file that holds what fill writes to it. There is either all of it or nothing: it is filled
// under another name, and gets its own at the end. os.ErrExist if there is a file already, which is left as it is;
// checkpoint.ErrLocked if another process is about to make one.
func Create(ctx context.Context, path string, o Options, fill func(checkpoint.Store) error) error {
	return named(path, createLocked(ctx, path, o, fill))
}

func createLocked(ctx context.Context, path string, o Options, fill func(checkpoint.Store) error) error {
	file, err := resolve(path)
	if err != nil {
		return err
	}
	unlock, err := lock(file + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	switch info, err := os.Stat(file); {
	case err == nil && (info.Size() > 0 || !info.Mode().IsRegular()):
		return fmt.Errorf("%w: it is left as it is; move it away first", os.ErrExist)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	}
	if hasLog(file) {
		return fmt.Errorf("%w: its log %s-wal is there: put the file back, or move the log away", os.ErrExist, file)
	}
	fresh := file + ".new"
	if err := removeAll(companions(fresh)...); err != nil {
		return err
	}
	if err := fillNew(ctx, fresh, o, fill); err != nil {
		return errors.Join(err, removeAll(companions(fresh)...))
	}
	if err := os.Rename(fresh, file); err != nil {
		return errors.Join(err, removeAll(companions(fresh)...))
	}
	return syncDir(filepath.Dir(file))
}

// fillNew makes a file that is whole in itself, without a log. It is written to the disk once, at the end, since a part of
// it is worth nothing.
func fillNew(ctx context.Context, fresh string, o Options, fill func(checkpoint.Store) error) error {
	o.unsynced = true
	s, err := open(ctx, fresh, o)
	if err != nil {
		return err
	}
	if err := errors.Join(fill(s), s.Close()); err != nil {
		return err
	}
	if hasLog(fresh) {
		return errors.New("its log could not be merged into it")
	}
	f, err := os.OpenFile(fresh, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// companions are a file and those that SQLite makes beside it.
func companions(file string) []string {
	return []string{file, file + "-wal", file + "-shm", file + "-journal"}
}

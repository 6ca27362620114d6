package sqlite

import (
	"errors"
	"os"
	"syscall"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// lock takes the lock of a file, which the system gives back when the process ends, however it ends.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = checkpoint.ErrLocked
		}
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// writable tells in the system's words why the file, if there is one, may not be written to. SQLite opens such a file all the same, and
// refuses the first write.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

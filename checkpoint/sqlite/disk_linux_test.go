package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mounted returns a folder of its own size, for who may mount one.
func mounted(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("no file system of its own can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestDiskFull(t *testing.T) {
	dir := mounted(t, "2m")
	path := filepath.Join(dir, "state.db")
	s := mustOpen(t, path, Options{})
	l := mustBegin(t, s)
	acked, err := listUntilFull(t, l, 0)
	if err == nil || !strings.Contains(err.Error(), "full") || !strings.Contains(err.Error(), path) {
		t.Fatalf("the disk is full: %v", err)
	}
	checkAcked(t, s, l, acked)
	v, err := OpenView(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := listed(t, s), listed(t, v); a != b {
		t.Errorf("%d records, a view sees %d", a, b)
	}
	mustClose(t, v)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	more, err := settlePage(t.Context(), l, 90_000_000)
	if err != nil {
		t.Fatalf("after there is room again: %v", err)
	}
	acked = append(acked, more...)
	mustClose(t, s)
	s = mustOpen(t, path, Options{})
	checkAcked(t, s, mustBegin(t, s), acked)
}

func TestNoRoomForANewFile(t *testing.T) {
	dir := mounted(t, "64k")
	path := filepath.Join(dir, "state.db")
	if err := os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 40<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("open: %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a file stays: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path, Options{})
	enlistMany(t, mustBegin(t, s), 10)
	mustClose(t, s)
}

// A file that may only be read is refused at once, in the system's words.
func TestReadOnlyFile(t *testing.T) {
	path := filepath.Join(mounted(t, "8m"), "state.db")
	mustClose(t, mustOpen(t, path, Options{}))
	for _, flags := range []uintptr{syscall.MS_BIND, syscall.MS_BIND | syscall.MS_REMOUNT | syscall.MS_RDONLY} {
		if err := syscall.Mount(path, path, "", flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, syscall.EROFS) || errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), path) {
		t.Errorf("open: %v", err)
	}
	s, err := OpenView(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
}

// In a folder that may not be written to no run begins, and a view says why it is not possible.
func TestReadOnlyFolder(t *testing.T) {
	dir := mounted(t, "8m")
	path := filepath.Join(dir, "state.db")
	s := mustOpen(t, path, Options{})
	enlistMany(t, mustBegin(t, s), 10)
	mustClose(t, s)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=8m"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, filepath.Join(dir, "new.db")} {
		if _, err := Open(t.Context(), p, Options{}); err == nil || !strings.Contains(err.Error(), "read-only") || !strings.Contains(err.Error(), p) {
			t.Errorf("open: %v", err)
		}
	}
	for _, open := range []func(context.Context, string, Options) (*Store, error){OpenView, OpenCopy} {
		if _, err := open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "folder") || errors.Is(err, ErrForeign) {
			t.Errorf("view: %v", err)
		}
	}
}

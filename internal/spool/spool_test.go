package spool_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/spool"
)

func TestSpoolGivesBackWhatWasWritten(t *testing.T) {
	for _, size := range []int{0, 1, 99, 100, 101, 5000} {
		dir := t.TempDir()
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		s, err := spool.Read(iotest.HalfReader(bytes.NewReader(want)), 100, dir)
		if err != nil {
			t.Fatal(err)
		}
		if s.Size() != int64(size) {
			t.Errorf("Size() = %d, want %d", s.Size(), size)
		}
		for range 2 {
			if got := readAll(t, s); !bytes.Equal(got, want) {
				t.Errorf("%d bytes: read back %d others", size, len(got))
			}
		}
		for _, most := range []int{0, 7, 6000} {
			if got, err := s.Start(most); err != nil || !bytes.Equal(got, want[:min(most, size)]) {
				t.Errorf("%d bytes: Start(%d) = %d bytes, %v", size, most, len(got), err)
			}
		}
		s.Release()
		s.Release()
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%d bytes: %v is left in the directory", size, left)
		}
		if _, err := s.Open(); !errors.Is(err, spool.ErrReleased) {
			t.Errorf("Open after Release = %v", err)
		}
		if _, err := s.Start(1); !errors.Is(err, spool.ErrReleased) {
			t.Errorf("Start after Release = %v", err)
		}
		if _, err := s.Write([]byte("x")); !errors.Is(err, spool.ErrReleased) {
			t.Errorf("Write after Release = %v", err)
		}
	}
}

func TestSpoolReadersAreIndependent(t *testing.T) {
	s, err := spool.Read(bytes.NewReader([]byte("abcdef")), 2, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	a, _ := s.Open()
	b, _ := s.Open()
	_, _ = a.Seek(3, io.SeekStart)
	first, _ := io.ReadAll(b)
	second, _ := io.ReadAll(a)
	if string(first) != "abcdef" || string(second) != "def" {
		t.Errorf("read %q and %q", first, second)
	}
}

func TestSpoolPassesOnTheReadersError(t *testing.T) {
	broken := errors.New("line cut")
	r := io.MultiReader(bytes.NewReader(make([]byte, 500)), iotest.ErrReader(broken))
	dir := t.TempDir()
	if _, err := spool.Read(r, 100, dir); !errors.Is(err, broken) {
		t.Errorf("Read = %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v is left in the directory", left)
	}
}

func TestSpoolWithoutADirectory(t *testing.T) {
	_, err := spool.Read(bytes.NewReader(make([]byte, 500)), 100, filepath.Join(t.TempDir(), "missing"))
	if f := fault.Of(err); f == nil || f.Reason != fault.LocalDisk || f.Action != fault.FailTask {
		t.Errorf("Read = %v", err)
	}
}

func readAll(t *testing.T, s *spool.Spool) []byte {
	t.Helper()
	r, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

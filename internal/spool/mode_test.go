package spool

import (
	"os"
	"testing"
)

// TestTheFileIsNobodyElses: its owner alone may read it, and it has no name by which anybody could find it.
func TestTheFileIsNobodyElses(t *testing.T) {
	dir := t.TempDir()
	s := New(1, dir)
	defer s.Release()
	if _, err := s.Write([]byte("more than one byte")); err != nil {
		t.Fatal(err)
	}
	info, err := s.file.Stat()
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

package sqlite_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
)

// TestKilledWhileTheLogIsMerged opens a file whose first page is newer than the rest of it, as a process leaves it that is
// killed while SQLite brings the write-ahead log into the file: only both together are whole.
func TestKilledWhileTheLogIsMerged(t *testing.T) {
	const records = 500
	from := filepath.Join(t.TempDir(), "state.db")
	s, err := sqlite.Open(t.Context(), from, sqlite.Options{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() // a copy of its files is what counts
	task := checkpoint.Task{Account: "ada", Kind: "files"}
	l, err := s.Begin(t.Context(), task, "")
	if err != nil {
		t.Fatal(err)
	}
	entries := make([]checkpoint.Entry, records)
	for i := range entries {
		entries[i] = checkpoint.Entry{ID: fmt.Sprintf("item%04d", i), Title: "some title that takes room"}
	}
	if _, err := l.Enlist(t.Context(), 1, entries); err != nil {
		t.Fatal(err)
	}
	killed := filepath.Join(t.TempDir(), "state.db")
	file, wal := read(t, from), read(t, from+"-wal")
	page := lastFirstPage(t, wal)
	copy(file, page)
	for path, b := range map[string][]byte{killed: file, killed + "-wal": wal} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := sqlite.Open(t.Context(), killed, sqlite.Options{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close() // only read
	st, err := again.Tasks(t.Context())
	if err != nil || len(st) != 1 || st[0].Listed != records || !st[0].Balanced() {
		t.Errorf("%+v, %v", st, err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lastFirstPage returns the newest copy of page 1 in a write-ahead log (https://www.sqlite.org/fileformat.html, §4.1).
func lastFirstPage(t *testing.T, wal []byte) (page []byte) {
	t.Helper()
	size := int(binary.BigEndian.Uint32(wal[8:]))
	for at := 32; at+24+size <= len(wal); at += 24 + size {
		if binary.BigEndian.Uint32(wal[at:]) == 1 {
			page = wal[at+24 : at+24+size]
		}
	}
	if page == nil {
		t.Fatal("the log holds no first page")
	}
	return page
}

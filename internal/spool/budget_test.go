package spool_test

import (
	"bytes"
	"io"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/spool"
)

// inMemory fills a spool and reports whether its bytes stayed in memory: then its folder need not exist.
func inMemory(t *testing.T, b *spool.Budget, body []byte) (s *spool.Spool, ok bool) {
	t.Helper()
	s = spool.New(1<<20, t.TempDir()+"/missing").Within(b)
	_, err := s.Write(body)
	return s, err == nil
}

func TestBudgetIsSharedAndComesBack(t *testing.T) {
	b := spool.NewBudget(1000)
	first, ok := inMemory(t, b, make([]byte, 600))
	if !ok {
		t.Fatal("600 bytes of 1000 did not stay in memory")
	}
	if _, ok := inMemory(t, b, make([]byte, 600)); ok {
		t.Fatal("1200 bytes of 1000 stayed in memory")
	}
	if _, ok := inMemory(t, b, make([]byte, 400)); !ok {
		t.Fatal("a spool that found no room took some all the same")
	}
	first.Release()
	first.Release()
	if _, ok := inMemory(t, b, make([]byte, 600)); !ok {
		t.Fatal("what was released did not come back")
	}
	if _, ok := inMemory(t, b, make([]byte, 1)); ok {
		t.Fatal("what was released twice came back twice")
	}
}

func TestBodyBeyondTheBudgetIsWhole(t *testing.T) {
	b := spool.NewBudget(1000)
	s := spool.New(1<<20, t.TempDir()).Within(b)
	defer s.Release()
	want := bytes.Repeat([]byte("0123456789"), 500)
	for part := want; len(part) > 0; part = part[100:] {
		if _, err := s.Write(part[:100]); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) || s.Size() != int64(len(want)) {
		t.Fatalf("%d bytes, size %d, %v", len(got), s.Size(), err)
	}
	if _, ok := inMemory(t, b, make([]byte, 1000)); !ok {
		t.Error("what went to the file still counts as memory")
	}
}

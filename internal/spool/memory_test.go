package spool

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func filled(t *testing.T, b byte, n int) (*Spool, []byte) {
	t.Helper()
	want := bytes.Repeat([]byte{b}, n)
	s := New(0, t.TempDir())
	for part := want; len(part) > 0; part = part[min(1000, len(part)):] {
		if _, err := s.Write(part[:min(1000, len(part))]); err != nil {
			t.Fatal(err)
		}
	}
	return s, want
}

// Memory goes to another Spool only when nobody can read the old bytes in it any more.
func TestMemoryIsNobodyElsesWhileItIsRead(t *testing.T) {
	for _, n := range []int{1, 2000, 4096, 4097, 30_000, 100_000, DefaultLimit} {
		s, want := filled(t, 'a', n)
		r, err := s.Open()
		if err != nil {
			t.Fatal(err)
		}
		s.Release()
		s.Release()
		other, otherWant := filled(t, 'b', n)
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: a reader that was open got %d others, %v", n, len(got), err)
		}
		_ = r.Close()
		_ = r.Close()
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, ErrReleased) {
			t.Errorf("%d bytes: Read after Close: %v", n, err)
		}
		if _, err := r.Seek(0, io.SeekStart); !errors.Is(err, ErrReleased) {
			t.Errorf("%d bytes: Seek after Close: %v", n, err)
		}
		third, _ := filled(t, 'c', n)
		if got, err := other.Start(n); err != nil || !bytes.Equal(got, otherWant) {
			t.Errorf("%d bytes: another's were changed, %v", n, err)
		}
		third.Release()
		other.Release()
	}
}

func TestMemoryIsNoMoreThanTheLimit(t *testing.T) {
	for _, limit := range []int{1, 4096, 5000, DefaultLimit, DefaultLimit + 1, 1 << 20} {
		for _, least := range []int{1, limit/2 + 1, limit} {
			m := newMemory(least, limit)
			if got := cap(m.bytes); got < least || got > limit || len(m.bytes) > 0 {
				t.Errorf("newMemory(%d, %d) holds %d bytes", least, limit, got)
			}
			m.letGo()
		}
	}
}

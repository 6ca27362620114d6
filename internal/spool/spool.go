// Package spool keeps a body whose length has to be known before it can be sent: small ones in memory, large ones in a
// temporary file.
package spool

import (
	"bytes"
	"errors"
	"io"
	"os"

	"codeberg.org/repatriate/repatriate/fault"
)

// DefaultLimit is the number of bytes that a Spool keeps in memory when nothing else is said.
const DefaultLimit = 256 << 10

// ErrReleased says that the Spool was given back before it was used.
var ErrReleased = errors.New("the spooled body was released")

// Spool takes bytes once and gives them out any number of times. Writing is for one goroutine; after the last Write,
// Size and Open are safe for concurrent use. Who makes a Spool releases it.
type Spool struct {
	limit    int
	dir      string
	budget   *Budget // nil: none
	size     int64
	mem      *memory // nil: none yet, or not any more
	file     *os.File
	broken   error
	released bool
}

// New returns an empty Spool that keeps up to limit bytes in memory (0: DefaultLimit) and the rest in a file in dir
// (empty: the system's directory for temporary files).
func New(limit int, dir string) *Spool {
	if limit <= 0 {
		limit = DefaultLimit
	}
	return &Spool{limit: limit, dir: dir}
}

// Within makes the Spool keep in memory only what the budget has room for, and returns it. It is called before the first
// Write; without a budget nothing is shared.
func (s *Spool) Within(b *Budget) *Spool {
	s.budget = b
	return s
}

// Read spools all of r. Nothing is kept when it fails; an error of r is returned as it is.
func Read(r io.Reader, limit int, dir string) (*Spool, error) {
	s := New(limit, dir)
	// The wrapper hides any WriterTo of r, so that memory is bounded by the copy's buffer.
	if _, err := io.Copy(s, struct{ io.Reader }{r}); err != nil {
		s.Release()
		return nil, err
	}
	return s, nil
}

// Write appends p. A failure of the disk is a fault.Error of the reason local.disk.
func (s *Spool) Write(p []byte) (int, error) {
	switch {
	case s.released:
		return 0, ErrReleased
	case s.broken != nil:
		return 0, s.broken
	case s.file == nil && s.room(len(p)):
		if len(p) > 0 {
			s.mem.bytes = append(s.mem.bytes, p...)
		}
		s.size += int64(len(p))
		return len(p), nil
	}
	if err := s.spill(); err != nil {
		s.broken = err
		return 0, err
	}
	return s.writeFile(p)
}

// room makes room in memory for n more bytes, if the limit and the budget permit.
func (s *Spool) room(n int) bool {
	has := s.held()
	need := len(has) + n
	if need > s.limit {
		return false
	}
	if need <= cap(has) {
		return true
	}
	grown := newMemory(min(max(2*cap(has), need), s.limit), s.limit)
	if !s.budget.take(cap(grown.bytes) - cap(has)) {
		grown.letGo()
		return false
	}
	grown.bytes = append(grown.bytes, has...)
	s.mem.letGo()
	s.mem = grown
	return true
}

// held returns what is in memory.
func (s *Spool) held() []byte {
	if s.mem == nil {
		return nil
	}
	return s.mem.bytes
}

// forget gives the memory back.
func (s *Spool) forget() {
	s.budget.give(cap(s.held()))
	s.mem.letGo()
	s.mem = nil
}

// hintRoom is for a folder that takes no more.
const hintRoom = "make room there, or have TMPDIR name a folder with room for the largest messages that are under way"

// spill moves what is in memory to the file.
func (s *Spool) spill() error {
	if s.file != nil {
		return nil
	}
	f, err := os.CreateTemp(s.dir, "repatriate-spool-")
	if err != nil {
		return fault.New(fault.FailTask, fault.LocalDisk, "making a temporary file: %w", err).WithHint(hintRoom)
	}
	s.file = f
	// Without a name the file cannot outlive the process. Where an open file cannot be unlinked, Release does it.
	_ = os.Remove(f.Name())
	s.size = 0
	if _, err := s.writeFile(s.held()); err != nil {
		return err
	}
	s.forget()
	return nil
}

func (s *Spool) writeFile(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		s.broken = fault.New(fault.FailItem, fault.LocalDisk, "writing a temporary file: %w", err).WithHint(hintRoom)
		return n, s.broken
	}
	return n, nil
}

// Size returns the number of bytes written.
func (s *Spool) Size() int64 { return s.size }

// Open returns a reader from the first byte. Readers are independent of one another; closing one releases nothing.
func (s *Spool) Open() (io.ReadSeekCloser, error) {
	switch {
	case s.released:
		return nil, ErrReleased
	case s.broken != nil:
		return nil, s.broken
	case s.mem != nil:
		return s.mem.open(), nil
	case s.file == nil:
		return reader{bytes.NewReader(nil)}, nil
	default:
		return reader{io.NewSectionReader(s.file, 0, s.size)}, nil
	}
}

// Start returns the first bytes, up to so many, for reading alone and until Release.
func (s *Spool) Start(most int) ([]byte, error) {
	r, err := s.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if s.file == nil {
		return s.held()[:min(most, len(s.held()))], nil
	}
	start := make([]byte, min(int64(most), s.size))
	_, err = io.ReadFull(r, start)
	return start, err
}

// Release frees the memory and the file. It may be called twice; no reader may be in use.
func (s *Spool) Release() {
	s.released = true
	s.forget()
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}

type reader struct{ io.ReadSeeker }

func (reader) Close() error { return nil }

package verify

import (
	"context"
	"errors"
	"io"
)

// stream is one connection's part of a body.
type stream struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	// late is an error that came together with bytes.
	late   error
	closed bool
}

// read returns bytes or an error, never both and never neither.
func (s *stream) read(p []byte) (int, error) {
	if s.late != nil {
		return 0, s.late
	}
	for range maxEmpty {
		n, err := s.body.Read(p)
		if n > 0 {
			s.late = err
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return 0, io.ErrNoProgress
}

// tooLong reports whether more bytes come.
func (s *stream) tooLong() bool {
	var one [1]byte
	n, _ := s.read(one[:])
	return n > 0
}

// skip reads past bytes that are known already.
func (s *stream) skip(n int64) error {
	if n == 0 {
		return nil
	}
	buf := windows.Get().(*[window]byte)
	defer windows.Put(buf)
	for n > 0 {
		m, err := s.read(buf[:min(int64(len(buf)), n)])
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

func (s *stream) close() {
	if s.closed {
		return
	}
	s.closed = true
	_ = s.body.Close()
	s.cancel()
}

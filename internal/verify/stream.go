package verify

import (
	"context"
	"io"
	"time"
)

// stream is one connection's part of a body.
type stream struct {
	body   io.ReadCloser
	cancel context.CancelFunc
	// watch ends the connection when nothing comes for a while. Closing an HTTP body waits for a Read that hangs, ending
	// its context does not.
	watch *time.Timer
	idle  time.Duration
	// late is an error that came together with bytes.
	late   error
	closed bool
}

func newStream(body io.ReadCloser, cancel context.CancelFunc, idle time.Duration) *stream {
	watch := time.AfterFunc(idle, cancel)
	watch.Stop() // it runs during reads only: a slow consumer is no fault of the stream
	return &stream{body: body, cancel: cancel, idle: idle, watch: watch}
}

// read returns bytes or an error, never both and never neither.
func (s *stream) read(p []byte) (int, error) {
	if s.late != nil {
		return 0, s.late
	}
	s.watch.Reset(s.idle)
	defer s.watch.Stop()
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
		if err == io.EOF {
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
	s.watch.Stop()
	_ = s.body.Close()
	s.cancel()
}

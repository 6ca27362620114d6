package webdav

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/spool"
	"codeberg.org/repatriate/repatriate/sinks"
)

// payload is a body of known length.
type payload struct {
	size        int64
	md5, sha256 string
	// spooled says that the source did not know the length: two readings of such a body may differ.
	spooled bool
	open    func(context.Context) (io.ReadCloser, error)
	release func()
}

// prepare returns the item's body with its length; one of unknown length is read into a spool. The caller releases it.
func (s *Sink) prepare(ctx context.Context, b sinks.Body) (*payload, error) {
	if b.Size >= 0 {
		return &payload{size: b.Size, md5: b.MD5, sha256: b.SHA256, open: b.Open, release: func() {}}, nil
	}
	r, err := b.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the body: %w", err)
	}
	defer r.Close()
	sum := sha256.New()
	kept, err := spool.Read(io.TeeReader(r, sum), 0, s.opts.SpoolDir)
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return &payload{
		size: kept.Size(), sha256: hex.EncodeToString(sum.Sum(nil)), spooled: true, release: kept.Release,
		open: func(context.Context) (io.ReadCloser, error) { return kept.Open() },
	}, nil
}

// checksum returns the value of an OC-Checksum header, or nothing.
func (p *payload) checksum() string {
	switch {
	case isHex(p.sha256, 32):
		return "SHA256:" + p.sha256
	case isHex(p.md5, 16):
		return "MD5:" + p.md5
	default:
		return ""
	}
}

func isHex(s string, bytes int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == bytes
}

// withReader opens the payload, proves its length while send reads it, and closes it when nobody reads any more. An
// error of the body goes before the one that the sending made of it.
func (p *payload) withReader(ctx context.Context, send func(context.Context, *exact) error) error {
	// The context ends first, so that a body that stands still lets go of the transport's goroutine.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	inner, err := p.open(ctx)
	if err != nil {
		return fmt.Errorf("opening the body: %w", err)
	}
	r := &exact{inner: inner, left: p.size}
	err = send(ctx, r)
	cancel()
	r.quit()
	if closing := inner.Close(); err == nil && closing != nil {
		return fmt.Errorf("closing the body: %w", closing)
	}
	if broken := r.broken(); err != nil && broken != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("reading the body: %w", broken)
	}
	return err
}

// exact is a body of left bytes, no more and no less. It gives out the last of them only when the body ends there, so
// that a request with a wrong body is never complete.
type exact struct {
	mu    sync.Mutex // held while a Read is under way: the transport reads in a goroutine of its own
	inner io.Reader
	left  int64
	proof bool
	err   error
	gone  bool
}

var errLeft = errors.New("the body is not read any more")

func (e *exact) Read(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.gone:
		return 0, errLeft
	case e.err != nil:
		return 0, e.err
	case e.left == 0:
		if !e.proof && e.prove() != nil {
			return 0, e.err
		}
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	return e.read(p[:min(int64(len(p)), e.left)])
}

func (e *exact) read(p []byte) (int, error) {
	n, err := e.inner.Read(p)
	switch {
	case err != nil && err != io.EOF:
		e.err = err
	case int64(n) == e.left:
		if err != io.EOF && e.prove() != nil {
			return 0, e.err
		}
		e.left, e.proof = 0, true
		return n, nil
	case err == io.EOF:
		e.err = fault.New(fault.Retry, fault.SourceBrokenBody, "the body ended %d bytes early: %w", e.left-int64(n), io.ErrUnexpectedEOF)
	}
	if e.err != nil {
		return 0, e.err
	}
	e.left -= int64(n)
	return n, nil
}

// prove checks that the body has no byte more.
func (e *exact) prove() error {
	var one [1]byte
	for range 100 {
		n, err := e.inner.Read(one[:])
		switch {
		case n > 0:
			e.err = fault.New(fault.Retry, fault.SourceBrokenBody, "the body is longer than announced")
			return e.err
		case err == io.EOF:
			e.proof = true
			return nil
		case err != nil:
			e.err = err
			return err
		}
	}
	e.err = io.ErrNoProgress
	return e.err
}

// quit waits until no Read is under way and lets none begin.
func (e *exact) quit() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone = true
}

// broken returns the body's own error.
func (e *exact) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

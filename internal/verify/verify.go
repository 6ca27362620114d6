// Package verify reads bodies that must arrive whole.
//
// A Reader goes on after a broken or prematurely ended stream where the server can start at an offset, counts and
// hashes what it receives, and keeps back the last bytes until the length and the digest are proven: who copies it
// into a request of a known length can therefore never complete that request with wrong bytes.
package verify

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/quickxor"
)

// Want is what a body must turn out to be.
type Want struct {
	// Size is the number of bytes, or -1 where it is known only after reading.
	Size int64
	// SHA256, MD5, QuickXor and SHA1 are digests in hex, or empty. One alone is computed: the first that is known, and SHA-256 if none
	// is.
	SHA256, MD5, QuickXor, SHA1 string
}

// OpenAt starts the bytes at an offset. It returns where the stream really starts: the offset, or less if the server
// knows no ranges. The reader closes the body.
type OpenAt func(ctx context.Context, offset int64) (body io.ReadCloser, at int64, err error)

// Options change how a Reader goes on. The zero Options serve a server with ranges.
type Options struct {
	// Once says that the stream cannot be opened a second time with the same bytes, as with a document that is
	// converted anew for each request: a break is then the end.
	Once bool
}

// Digester tells the digest of a body that was read to its end, so that nobody need hash it a second time.
type Digester interface {
	// SHA256 returns the digest of all bytes; ok is false before the end and if another digest was computed.
	SHA256() (sum [sha256.Size]byte, ok bool)
}

const (
	// hold is how many bytes at most wait for the proof.
	hold = 4 << 10
	// window is the buffer for bodies of unknown length and for WriteTo.
	window = 128 << 10
)

// Reader is a body that is being proven. It must be closed, and may be while a Read is going on, as HTTP clients do when
// the answer comes before the end of the body.
type Reader struct {
	// ctx is the context of the whole reading: a Reader is one call that is spread over many Reads.
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex // held by each call
	closed bool
	ahead  *ahead

	want Want
	open OpenAt
	opts Options

	stream *stream
	sum    hash.Hash
	isSHA  bool
	got    int64  // bytes received
	held   []byte // received and not handed out; a part of buffer
	buffer []byte
	proven bool
	err    error

	stalls    int
	resumedAt int64
}

var (
	_ io.WriterTo = (*Reader)(nil)
	_ Digester    = (*Reader)(nil)
)

// Open starts a body. Its errors are those of open; those of reading are faults of the reasons source.broken_body and
// source.hash_mismatch, all of them to be retried. A stream that hangs is for the transport to end, as httpx.Stalling
// does, and reading from it must end with the context that open was given.
func Open(ctx context.Context, want Want, open OpenAt, opts Options) (*Reader, error) {
	r := &Reader{want: want, open: open, opts: opts}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.sum, r.isSHA = newHash(want)
	s, err := r.connect()
	if err != nil {
		r.cancel()
		return nil, err
	}
	r.stream = s
	return r, nil
}

// Body is Open for consumers that look for a Digester: one that computes another digest than SHA-256 does not pass for it, since its
// consumer would then have none at all.
func Body(ctx context.Context, want Want, open OpenAt, opts Options) (io.ReadCloser, error) {
	r, err := Open(ctx, want, open, opts)
	switch {
	case err != nil:
		return nil, err
	case !r.isSHA:
		return struct{ io.ReadCloser }{r}, nil
	}
	return r, nil
}

func newHash(w Want) (hash.Hash, bool) {
	switch {
	case w.SHA256 == "" && w.MD5 != "":
		return md5.New(), false
	case w.SHA256 == "" && w.QuickXor != "":
		return quickxor.New(), false
	case w.SHA256 == "" && w.SHA1 != "":
		return sha1.New(), false
	}
	return sha256.New(), true
}

// Read implements io.Reader. It returns io.EOF only after the proof.
func (r *Reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, errClosed
	}
	if r.readsAhead() {
		return r.ahead.read(p)
	}
	return r.next(p)
}

// readsAhead reports whether the body is large enough to be worth a goroutine, and starts it.
func (r *Reader) readsAhead() bool {
	if r.ahead == nil && r.want.Size >= large {
		r.ahead = startAhead(r.ctx, r.next)
	}
	return r.ahead != nil
}

// next returns bytes that need not be kept back, or how the body ended.
func (r *Reader) next(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if n := r.release(p); n > 0 {
			return n, nil
		}
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.advance(p)
		if err != nil {
			r.end(err)
		}
		if n > 0 {
			return n, nil
		}
	}
}

// release hands out what was kept back and need not be any longer.
func (r *Reader) release(p []byte) int {
	free := len(r.held)
	if !r.proven {
		free -= hold
	}
	if free <= 0 || r.err != nil && !r.proven {
		return 0
	}
	n := copy(p, r.held[:free])
	r.held = r.held[n:]
	return n
}

// advance receives bytes: into p as long as the end is far enough away, otherwise into the buffer that is kept back.
func (r *Reader) advance(p []byte) (int, error) {
	if free := r.want.Size - hold - r.got; free > 0 && len(r.held) == 0 {
		return r.receive(p[:min(int64(len(p)), free)])
	}
	r.makeRoom()
	room := r.held[len(r.held):cap(r.held)]
	if r.want.Size >= 0 {
		room = room[:min(int64(len(room)), r.want.Size-r.got)]
	}
	n, err := r.receive(room)
	r.held = r.held[:len(r.held)+n]
	return 0, err
}

// makeRoom moves what is kept back to the start of the buffer, so that there is room behind it.
func (r *Reader) makeRoom() {
	if r.buffer == nil {
		size := int64(window)
		if r.want.Size >= 0 {
			size = min(r.want.Size, hold)
		}
		r.buffer = make([]byte, size)
	}
	n := copy(r.buffer, r.held)
	r.held = r.buffer[:n]
}

// receive fills p with the next bytes, over as many streams as it takes. At the end it returns the verdict: io.EOF or
// a fault.
func (r *Reader) receive(p []byte) (int, error) {
	if r.got == r.want.Size {
		return 0, r.prove(r.stream.tooLong())
	}
	for {
		n, err := r.stream.read(p)
		if n > 0 {
			r.got += int64(n)
			r.sum.Write(p[:n])
			return n, nil
		}
		if errors.Is(err, io.EOF) && r.want.Size < 0 {
			return 0, r.prove(false)
		}
		if err := r.resume(err); err != nil {
			return 0, err
		}
	}
}

// prove compares what was received with what was wanted.
func (r *Reader) prove(tooLong bool) error {
	if tooLong {
		return fault.New(fault.Retry, fault.SourceBrokenBody, "the body is longer than the announced %d bytes", r.want.Size)
	}
	want := cmp.Or(r.want.SHA256, r.want.MD5, r.want.QuickXor, r.want.SHA1)
	got := hex.EncodeToString(r.sum.Sum(nil))
	if want != "" && subtle.ConstantTimeCompare([]byte(strings.ToLower(want)), []byte(got)) == 0 {
		return fault.New(fault.Retry, fault.SourceHashMismatch, "received %d bytes with the digest %s, not %.64s", r.got, got, want)
	}
	r.proven = true
	return io.EOF
}

// end notes the verdict; the connection has served its time.
func (r *Reader) end(err error) {
	r.err = err
	r.stream.close()
}

var windows = sync.Pool{New: func() any { return new([window]byte) }}

// WriteTo implements io.WriterTo with few large writes.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	buf := windows.Get().(*[window]byte)
	defer windows.Put(buf)
	var written int64
	for {
		n, err := r.Read(buf[:])
		if errors.Is(err, io.EOF) {
			return written, nil
		}
		if err != nil {
			return written, err
		}
		m, err := w.Write(buf[:n])
		written += int64(m)
		if err != nil {
			return written, err
		}
	}
}

// SHA256 implements Digester.
func (r *Reader) SHA256() (sum [sha256.Size]byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ahead != nil && !errors.Is(r.ahead.end, io.EOF) || !r.isSHA || !r.proven {
		return sum, false
	}
	r.sum.Sum(sum[:0])
	return sum, true
}

// Close ends the reading, also one that is waiting in Read. What was not read is not proven.
func (r *Reader) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if r.ahead != nil {
		r.ahead.close()
	}
	r.stream.close()
	return nil
}

var errClosed = errors.New("read from a closed body")

package httpx

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// RoundTrip makes a function a transport.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// ErrTooLong says that an answer which is read into memory is longer than is reasonable.
var ErrTooLong = errors.New("the answer is too long")

// ErrStalled says that the other side stopped sending, or taking, within a body.
var ErrStalled = errors.New("the connection stalled")

// maxError bounds the text of an error answer.
const maxError = 1 << 20

// Bounded ends the reading of an answer with ErrTooLong after limit bytes where the request asks for JSON by alt=json, as
// Google's clients do for everything that they read into memory, and cuts error answers short. Of both, NoNulls reads the JSON.
func Bounded(next http.RoundTripper, limit int64) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		if res.StatusCode >= 400 || r.URL.Query().Get("alt") == "json" {
			bound(res, limit)
			res.Body = limited{NoNulls(res.Body), res.Body}
		}
		return res, nil
	})
}

// AllBounded does what Bounded does with every answer, and leaves nulls alone.
func AllBounded(next http.RoundTripper, limit int64) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := next.RoundTrip(r)
		if err == nil {
			bound(res, limit)
		}
		return res, err
	})
}

func bound(res *http.Response, limit int64) {
	if res.StatusCode >= 400 {
		res.Body = limited{io.LimitReader(res.Body, maxError), res.Body}
		return
	}
	res.Body = limited{&cutReader{res.Body, limit}, res.Body}
}

type limited struct {
	io.Reader
	io.Closer
}

type cutReader struct {
	r    io.Reader
	left int64
}

func (c *cutReader) Read(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		return int(c.left), ErrTooLong
	}
	c.left -= int64(n)
	return n, err
}

// Stalling ends an exchange with ErrStalled when nothing of the answer's body arrives for the given time during one Read,
// or nothing of the request's body is taken between two.
func Stalling(next http.RoundTripper, silence time.Duration) http.RoundTripper {
	return RoundTrip(func(r *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithCancelCause(r.Context())
		r = r.WithContext(ctx)
		if r.Body != nil && r.Body != http.NoBody && !inMemory(r) {
			u := &stallUpload{ReadCloser: r.Body, silence: silence}
			u.timer = time.AfterFunc(silence, func() { cancel(ErrStalled) })
			u.timer.Stop() // the way to a connection has bounds of its own
			r.Body = u
		}
		res, err := next.RoundTrip(r)
		if err != nil {
			if errors.Is(context.Cause(ctx), ErrStalled) {
				err = ErrStalled
			}
			cancel(nil)
			return nil, err
		}
		b := &stallBody{ReadCloser: res.Body, silence: silence, ctx: ctx, cancel: cancel}
		b.timer = time.AfterFunc(silence, func() { cancel(ErrStalled) })
		b.timer.Stop()
		res.Body = b
		return res, nil
	})
}

// inMemory reports whether the request's body is small and lies in memory. net/http then sends it in one packet with the
// head, which it would not know of a wrapped one, and the system's buffers take it whole.
func inMemory(r *http.Request) bool { return r.GetBody != nil && r.ContentLength <= 64<<10 }

// stallUpload is the body of a request whose reader, the transport, may not pause for long before its end.
type stallUpload struct {
	io.ReadCloser
	silence time.Duration
	timer   *time.Timer
	closed  atomic.Bool // the transport may close the body while it reads
}

func (u *stallUpload) Read(p []byte) (int, error) {
	u.timer.Stop()
	n, err := u.ReadCloser.Read(p)
	if err == nil {
		u.timer.Reset(u.silence)
	}
	if u.closed.Load() {
		u.timer.Stop()
	}
	return n, err
}

func (u *stallUpload) Close() error {
	u.closed.Store(true)
	u.timer.Stop()
	return u.ReadCloser.Close()
}

type stallBody struct {
	io.ReadCloser
	silence time.Duration
	timer   *time.Timer
	ctx     context.Context // only asked for the cause of its end
	cancel  context.CancelCauseFunc
	once    sync.Once
}

func (b *stallBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.silence)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	if err != nil && err != io.EOF && errors.Is(context.Cause(b.ctx), ErrStalled) {
		err = ErrStalled
	}
	return n, err
}

func (b *stallBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() { b.timer.Stop(); b.cancel(nil) })
	return err
}

package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
)

const (
	// maxStalls bounds the resumptions in a row that bring less than progress; a longer step starts the count anew.
	maxStalls = 8
	progress  = 1 << 20
	// maxPause is the longest pause that is spent with a half-read body; a server that asks for more gets it from the
	// engine, which starts the body anew.
	maxPause = time.Minute
	// maxEmpty bounds reads in a row that return neither bytes nor an error.
	maxEmpty = 100
)

// resume replaces the stream that ended with cause by one that starts where it broke off.
func (r *Reader) resume(cause error) error {
	r.stream.close()
	if r.got-r.resumedAt >= progress {
		r.stalls = 0
	}
	r.resumedAt = r.got
	var asked time.Duration
	for {
		if err := r.mayResume(cause); err != nil {
			return err
		}
		if err := pause(r.ctx, max(asked, backoff(r.stalls))); err != nil {
			return err
		}
		r.stalls++
		s, err := r.connect()
		if err == nil {
			r.stream = s
			return nil
		}
		f := fault.Of(err)
		if f.Action != fault.Retry || f.After > maxPause {
			return err
		}
		cause, asked = err, f.After
	}
}

func (r *Reader) mayResume(cause error) error {
	if fault.Cancelled(r.ctx) {
		return context.Cause(r.ctx)
	}
	if r.opts.Once || r.stalls >= maxStalls {
		if errors.Is(cause, io.EOF) {
			cause = io.ErrUnexpectedEOF
		}
		return fault.New(fault.Retry, fault.SourceBrokenBody, "the body broke off after %d of %s bytes: %w", r.got, size(r.want.Size), cause)
	}
	return nil
}

func size(n int64) string {
	if n < 0 {
		return "unknown"
	}
	return fmt.Sprint(n)
}

// connect opens a stream at the first byte that is missing.
func (r *Reader) connect() (*stream, error) {
	ctx, cancel := context.WithCancel(r.ctx)
	body, at, err := r.open(ctx, r.got)
	if err != nil {
		cancel()
		return nil, err
	}
	s := &stream{body: body, cancel: cancel}
	if at < 0 || at > r.got {
		s.close()
		return nil, fault.New(fault.Retry, fault.SourceBrokenBody, "asked for the bytes from %d, got those from %d", r.got, at)
	}
	if err := s.skip(r.got - at); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// backoff is the pause before a resumption: none at first.
func backoff(stalls int) time.Duration {
	if stalls == 0 {
		return 0
	}
	return 250 * time.Millisecond << (stalls - 1)
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

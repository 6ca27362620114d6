package verify

import (
	"context"
	"sync"
)

const (
	// large is the size from which a body is read ahead.
	large = 4 << 20
	// pieces is how many windows one body reads ahead.
	pieces = 4
)

// ahead receives and hashes a large body in a goroutine of its own, while its consumer sends what came before.
type ahead struct {
	full chan piece
	free chan *[window]byte
	// ctx ends when the consumer gives up.
	ctx  context.Context
	over sync.WaitGroup

	current piece
	rest    []byte // of current
	end     error  // what ended the body, once everything before it was handed out
}

// piece is a part of the body, or its end.
type piece struct {
	buf *[window]byte
	n   int
	err error
}

func startAhead(ctx context.Context, next func([]byte) (int, error)) *ahead {
	a := &ahead{full: make(chan piece, pieces), free: make(chan *[window]byte, pieces), ctx: ctx}
	for range pieces {
		a.free <- windows.Get().(*[window]byte)
	}
	a.over.Go(func() { a.fill(next) })
	return a
}

// fill receives until the end, or until the consumer gives up.
func (a *ahead) fill(next func([]byte) (int, error)) {
	for {
		var p piece
		select {
		case p.buf = <-a.free:
		case <-a.ctx.Done():
			return
		}
		p.n, p.err = next(p.buf[:])
		a.full <- p // there is room for all pieces
		if p.err != nil {
			return
		}
	}
}

// take makes the next piece the current one.
func (a *ahead) take() error {
	if a.end != nil {
		return a.end
	}
	a.recycle()
	select {
	case a.current = <-a.full:
	case <-a.ctx.Done():
		a.end = context.Cause(a.ctx)
		return a.end
	}
	a.rest = a.current.buf[:a.current.n]
	if a.end = a.current.err; len(a.rest) == 0 {
		return a.end
	}
	return nil
}

func (a *ahead) recycle() {
	if a.current.buf != nil {
		a.free <- a.current.buf
		a.current.buf, a.rest = nil, nil
	}
}

func (a *ahead) read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if err := a.take(); err != nil {
			return 0, err
		}
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close waits for the goroutine, which ends when the reading's context does, and gives the buffers back.
func (a *ahead) close() {
	a.over.Wait()
	a.recycle()
	close(a.full)
	for p := range a.full {
		windows.Put(p.buf)
	}
	close(a.free)
	for buf := range a.free {
		windows.Put(buf)
	}
}

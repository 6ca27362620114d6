package sinktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync/atomic"
	"testing"

	"codeberg.org/repatriate/repatriate/sinks"
)

// body returns the item's body, or nil where its kind has none.
func body[T sinks.Content](item *sinks.Item[T]) *sinks.Body {
	switch c := any(&item.Content).(type) {
	case *sinks.File:
		return &c.Body
	case *sinks.Message:
		return &c.Body
	default:
		return nil
	}
}

// Bytes returns a body that holds data, with its length.
func Bytes(version string, data []byte) sinks.Body {
	return sinks.Body{
		Version: version,
		Size:    int64(len(data)),
		Open:    func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
	}
}

// Digest returns what BodyDigest returns for a body that holds data.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// BodyDigest reads the body once and returns the hex SHA-256 of it.
func BodyDigest(tb testing.TB, b sinks.Body) string {
	tb.Helper()
	r, err := b.Open(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	return ReaderDigest(tb, r)
}

// ReaderDigest reads r to its end and returns the hex SHA-256 of it.
func ReaderDigest(tb testing.TB, r io.Reader) string {
	tb.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		tb.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Pattern returns a body of head followed by lines up to size bytes. The lines end in CRLF and do not repeat, and no
// more than one of them is ever in memory.
func Pattern(version string, head []byte, size int64) sinks.Body {
	return sinks.Body{
		Version: version,
		Size:    size,
		Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(io.LimitReader(io.MultiReader(bytes.NewReader(head), &lines{}), size)), nil
		},
	}
}

// lineLength includes the line's end.
const lineLength = 64

// lines yields numbered lines for ever.
type lines struct {
	n    uint64
	line [lineLength]byte
	rest []byte
}

func (l *lines) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(l.rest) == 0 {
			l.next()
		}
		c := copy(p[n:], l.rest)
		l.rest = l.rest[c:]
		n += c
	}
	return n, nil
}

// next fills the line with what follows from its number alone.
func (l *lines) next() {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	l.n++
	x := l.n
	for i := range l.line[:lineLength-2] {
		x = x*6364136223846793005 + 1442695040888963407
		l.line[i] = letters[x>>58]
	}
	l.line[lineLength-2], l.line[lineLength-1] = '\r', '\n'
	l.rest = l.line[:]
}

// opens counts how often a body was opened and closed.
type opens struct{ opened, closed atomic.Int32 }

// watched returns the item with a body whose uses are counted, and whose reader is what wrap makes of it (nil: itself).
func watched[T sinks.Content](item sinks.Item[T], wrap func(context.Context, io.Reader) io.Reader) (sinks.Item[T], *opens) {
	o := new(opens)
	b := body(&item)
	if b == nil {
		return item, o
	}
	open := b.Open
	b.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := open(ctx)
		if err != nil {
			return nil, err
		}
		o.opened.Add(1)
		w := &watchedReader{Reader: r, inner: r, o: o}
		if wrap != nil {
			w.Reader = wrap(ctx, r)
		}
		return w, nil
	}
	return item, o
}

type watchedReader struct {
	io.Reader
	inner  io.Closer
	o      *opens
	closed atomic.Bool
}

func (w *watchedReader) Close() error {
	if w.closed.CompareAndSwap(false, true) {
		w.o.closed.Add(1)
	}
	return w.inner.Close()
}

// allClosed checks that who opened the body closed it.
func (o *opens) allClosed(t *testing.T) {
	t.Helper()
	if a, b := o.opened.Load(), o.closed.Load(); a != b {
		t.Errorf("the body was opened %d times and closed %d times", a, b)
	}
}

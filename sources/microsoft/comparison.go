package microsoft

import (
	"context"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/internal/quickxor"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sources"
)

// comparison notes whether the bytes of a body are those that are stated, without making a failure of it.
type comparison struct {
	want    verify.Want
	open    func(context.Context) (io.ReadCloser, error)
	differs atomic.Bool
}

// how says what the comparison found.
func (c *comparison) how() string {
	if c.differs.Load() {
		return sources.Rewritten
	}
	return ""
}

// Open starts the body.
func (c *comparison) Open(ctx context.Context) (io.ReadCloser, error) {
	r, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	digester, _ := r.(verify.Digester) // always: nothing else is computed where nothing is wanted
	return &compared{ReadCloser: r, Digester: digester, with: c, sum: quickxor.New()}, nil
}

type compared struct {
	io.ReadCloser
	verify.Digester
	with *comparison
	sum  hash.Hash
	n    int64
}

func (c *compared) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_, _ = c.sum.Write(p[:n])
	c.n += int64(n)
	if errors.Is(err, io.EOF) {
		c.with.differs.Store(c.with.want.Size >= 0 && c.n != c.with.want.Size ||
			c.with.want.QuickXor != "" && hex.EncodeToString(c.sum.Sum(nil)) != c.with.want.QuickXor)
	}
	return n, err
}

package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/sinks"
)

// seen is what was observed of a body that went by. An HTTP client may still be reading when its answer is there, hence
// the lock.
type seen struct {
	mu     sync.Mutex
	n      int64
	digest string
	whole  bool
}

// last returns size and digest of the last reading that came to its end.
func (s *seen) last() (n int64, digest string, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n, s.digest, s.whole
}

// watch makes the content's body report what is read of it.
func watch[T sinks.Content](content *T, c *Counters) *seen {
	s := new(seen)
	var body *sinks.Body
	switch v := any(content).(type) {
	case *sinks.File:
		body = &v.Body
	case *sinks.Message:
		body = &v.Body
	}
	if body == nil || body.Open == nil {
		return s
	}
	open := body.Open
	body.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := open(ctx)
		if err != nil {
			return nil, err
		}
		w := &watched{ReadCloser: r, seen: s, counters: c}
		if w.digester, _ = r.(verify.Digester); w.digester == nil {
			w.hash = sha256.New()
		}
		return w, nil
	}
	return s
}

// watched counts and hashes what goes by, where the body beneath has not hashed it already.
type watched struct {
	io.ReadCloser
	seen     *seen
	counters *Counters
	digester verify.Digester
	hash     hash.Hash
	n        int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.n += int64(n)
	w.counters.Flowed.Add(int64(n))
	if w.hash != nil {
		w.hash.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		w.ended()
	}
	return n, err
}

func (w *watched) ended() {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	w.seen.n, w.seen.whole, w.seen.digest = w.n, true, ""
	if w.hash != nil {
		w.seen.digest = digestOf(w.hash.Sum(nil))
	} else if sum, ok := w.digester.SHA256(); ok {
		w.seen.digest = digestOf(sum[:])
	}
}

func digestOf(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

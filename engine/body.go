package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/verify"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
)

// seen is what was observed of a body that went by. An HTTP client may still be reading when its answer is there, hence
// the lock.
type seen struct {
	mu     sync.Mutex
	n      int64
	digest string
	whole  bool
	// stated is the body as its source describes it, without Open; its Size is -1 if there is none.
	stated sinks.Body
}

// note writes into the record what is known of the body on the target. One that lay there already, as an interrupted
// run left it, need not have been read: then what the source states of it counts.
func (s *seen) note(rec *checkpoint.Record, written sinks.Receipt) {
	n, digest, whole := s.last()
	switch {
	case whole:
		rec.Bytes, rec.Digest = n, digest
	case written.BodyVersion != rec.BodyVersion && s.stated.Size >= 0:
		rec.Bytes, rec.Digest = s.stated.Size, ""
		if s.stated.SHA256 != "" {
			rec.Digest = digestPrefix + s.stated.SHA256
		}
	}
}

// losses returns what only reading the body could show. A body that lies on the target already and was not read again keeps what
// was found then.
func (s *seen) losses(rec checkpoint.Record, written sinks.Receipt) []sinks.Loss {
	_, _, whole := s.last()
	if whole && s.stated.Differs != nil {
		if reason := mapping.BodyLoss(s.stated.Differs()); reason != "" {
			return []sinks.Loss{{Reason: reason}}
		}
	}
	if whole || written.BodyVersion != rec.BodyVersion {
		return nil
	}
	var kept []sinks.Loss
	for _, l := range rec.Losses {
		if mapping.IsBodyLoss(l.Reason) {
			kept = append(kept, sinks.Loss{Reason: l.Reason})
		}
	}
	return kept
}

// last returns size and digest of the last reading that came to its end.
func (s *seen) last() (n int64, digest string, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n, s.digest, s.whole
}

// watch makes the content's body report what is read of it, and keep to the options' pace.
func watch[T sinks.Content](content *T, o Options) *seen {
	s := &seen{stated: sinks.Body{Size: -1}}
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
	s.stated = *body
	s.stated.Open = nil
	open := body.Open
	body.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := open(ctx)
		if err != nil {
			return nil, err
		}
		w := &watched{ReadCloser: r, seen: s, counters: o.Counters, paced: o.Pace.Reader(ctx, r)}
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
	paced    io.Reader // of the ReadCloser
	seen     *seen
	counters *Counters
	digester verify.Digester
	hash     hash.Hash
	n        int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.paced.Read(p)
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

// digestPrefix stands before a SHA-256 in a record.
const digestPrefix = "sha256:"

func digestOf(sum []byte) string { return digestPrefix + hex.EncodeToString(sum) }

// Package simtest ties the suite of all sources to the simulated providers.
package simtest

import (
	"crypto/sha256"
	"io"
	"net/http"
	"sync/atomic"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/sources/sourcetest"
)

// kinds are the suite's names of faults in the simulators' words.
var kinds = map[string]string{sourcetest.Reset: "reset", sourcetest.Truncated: "truncate", sourcetest.Short: "length", sourcetest.Stuck: "slow"}

// Control lets the suite decide on faults, and remembers what the provider holds. The zero Control is ready.
type Control struct {
	// Unannounced are the methods whose answers tell no length beforehand, so that a short one is a cut one.
	Unannounced string

	inject atomic.Pointer[func(int) (sourcetest.Fault, bool)]
	n      atomic.Int64
	held   map[string]string
}

// Hook is a cloudsim.Behaviour's.
func (c *Control) Hook(_ *http.Request, name string) (cloudsim.Fault, bool) {
	f := c.inject.Load()
	if f == nil || *f == nil || name == "token" {
		return cloudsim.Fault{}, false
	}
	wanted, ok := (*f)(int(c.n.Add(1)))
	kind := wanted.Kind
	if kind == sourcetest.Short && name == c.Unannounced {
		kind = sourcetest.Truncated
	}
	if k, named := kinds[kind]; named {
		kind = k
	}
	return cloudsim.Fault{Kind: kind, Reason: wanted.Reason, RetryAfter: wanted.RetryAfter}, ok
}

// Inject is a sourcetest.Collection's.
func (c *Control) Inject(f func(int) (sourcetest.Fault, bool)) {
	c.n.Store(0)
	c.inject.Store(&f)
}

// Hold notes an item and its body, nil for one that has none, and returns its id.
func (c *Control) Hold(id string, raw []byte) string {
	if c.held == nil {
		c.held = map[string]string{}
	}
	c.held[id] = ""
	if raw != nil {
		sum := sha256.Sum256(raw)
		c.held[id] = sourcetest.Digest(sum[:])
	}
	return id
}

// Drop forgets an item.
func (c *Control) Drop(id string) { delete(c.held, id) }

// Held returns the digests of all bodies by their items.
func (c *Control) Held() map[string]string { return c.held }

// Big returns a body that is never in memory at once; it is read through watch.
func Big(size int64, watch func(io.Reader) io.Reader) cloudsim.Content { return pattern{size, watch} }

type pattern struct {
	size  int64
	watch func(io.Reader) io.Reader
}

func (p pattern) Size() int64 { return p.size }

func (p pattern) Open(offset int64) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(p.watch(lines{}), p.size-offset)), nil
}

// lines reads as the same line again and again.
type lines struct{}

func (lines) Read(b []byte) (int, error) {
	const line = "Subject: 56 bytes that are a header and a body as well.\r\n"
	if len(b) < len(line) {
		return copy(b, line), nil
	}
	n := 0
	for n+len(line) <= len(b) {
		n += copy(b[n:], line)
	}
	return n, nil
}

// Package pace bounds how many bytes pass in a second, over everything that shares one Pace.
package pace

import (
	"context"
	"io"

	"golang.org/x/time/rate"
)

// Pace is a number of bytes per second. It is safe for concurrent use; a nil Pace bounds nothing.
type Pace struct{ limiter *rate.Limiter }

// Bounds of what may pass at once: what a second brings divided by perSecond, so that many readers get on side by side.
const (
	leastBurst = 4 << 10
	mostBurst  = 256 << 10
	perSecond  = 20
)

// New returns a pace of so many bytes per second; nil, which bounds nothing, if that is zero or less.
func New(bytesPerSecond int64) *Pace {
	if bytesPerSecond <= 0 {
		return nil
	}
	burst := min(max(bytesPerSecond/perSecond, leastBurst), mostBurst)
	return &Pace{rate.NewLimiter(rate.Limit(bytesPerSecond), int(burst))}
}

// Reader returns a reader of r that keeps to the pace. Who waits for its turn when ctx ends gets the context's error.
func (p *Pace) Reader(ctx context.Context, r io.Reader) io.Reader {
	if p == nil {
		return r
	}
	return &reader{ctx: ctx, r: r, limiter: p.limiter, most: min(p.limiter.Burst(), mostOwed)}
}

// mostOwed is what a reader may have read before it waits. Who reads in small pieces, as lists are read, then waits less often among
// many that read large ones.
const mostOwed = 16 << 10

type reader struct {
	ctx        context.Context
	r          io.Reader
	limiter    *rate.Limiter
	most, owed int
}

// Read waits after it has read, since only then it is known how much there is.
func (r *reader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b[:min(len(b), max(1, r.limiter.Burst()-r.owed))])
	if r.owed += n; r.owed >= r.most || err != nil && r.owed > 0 {
		if wait := r.limiter.WaitN(r.ctx, r.owed); wait != nil {
			return 0, wait
		}
		r.owed = 0
	}
	return n, err
}

package preflight

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/pause"
)

// Plan is everything that is looked at.
type Plan struct {
	// Shared are the checks that concern everybody: the provider, each server. Those of one side are made in their order.
	Shared []Check
	// Accounts are looked at afterwards, Parallel of them at once; Count is their number.
	Accounts iter.Seq[Account]
	Count    int
	Parallel int
}

// Run makes all checks. The error is the context's.
func (p Plan) Run(ctx context.Context) (*Report, error) {
	r := newReport(p.Count)
	idle := p.shared(ctx, r)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, p.Parallel))
	for a := range p.Accounts {
		if gctx.Err() != nil {
			break
		}
		g.Go(func() error {
			look(gctx, r, a, idle)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return r, err
	}
	return r, ctx.Err()
}

// idle are the kinds of each side at which it makes no sense to look any more; the kind "" stands for all.
type idle map[Side]map[string]bool

func (i idle) add(c Check) {
	if i[c.Side] == nil {
		i[c.Side] = map[string]bool{}
	}
	for _, k := range c.Kinds {
		i[c.Side][k] = true
	}
	if len(c.Kinds) == 0 {
		i[c.Side][""] = true
	}
}

// of reports whether nothing of the check can be found out.
func (i idle) of(c Check) bool {
	if i[c.Side][""] {
		return true
	}
	return len(c.Kinds) > 0 && !slices.ContainsFunc(c.Kinds, func(k string) bool { return !i[c.Side][k] })
}

// shared makes the shared checks: those of one side in their order, both sides side by side.
func (p Plan) shared(ctx context.Context, r *Report) idle {
	sides := []Side{Source, Target}
	found := make([]idle, len(sides))
	var all sync.WaitGroup
	for i, side := range sides {
		all.Go(func() { found[i] = p.sharedOf(ctx, r, side) })
	}
	all.Wait()
	return idle{Source: found[0][Source], Target: found[1][Target]}
}

func (p Plan) sharedOf(ctx context.Context, r *Report, side Side) idle {
	out := idle{}
	for _, c := range p.Shared {
		if c.Side != side || out.of(c) {
			continue
		}
		l := run(ctx, c)
		if ctx.Err() != nil {
			return out
		}
		r.add(Account{}, c, l)
		if l.failed() {
			out.add(c)
		}
	}
	return out
}

// tries is how often a check is made that a busy server puts off, and longestPause what it may ask for.
const (
	tries        = 4
	longestPause = time.Minute
)

func run(ctx context.Context, c Check) *Log {
	for try := 1; ; try++ {
		l := new(Log)
		err := c.Probe(ctx, l)
		if err == nil {
			return l
		}
		f := fault.Of(err)
		if try == tries || !busy(f) || f.After > longestPause || pause.For(ctx, max(f.After, time.Second)) != nil {
			l.Fail(err)
			return l
		}
	}
}

// busy reports whether an error says nothing but that somebody is busy at the moment.
func busy(f *fault.Error) bool {
	return f.Action == fault.Retry && slices.Contains([]fault.Reason{fault.SourceThrottled, fault.TargetThrottled, fault.TargetLocked}, f.Reason)
}

// look makes an account's checks and compares what is to be moved with the room for it.
func look(ctx context.Context, r *Report, a Account, shared idle) {
	own := idle{}
	used, room := map[string]int64{}, map[string]int64{}
	done := 0
	for _, c := range a.Checks {
		if shared.of(c) || own.of(c) || ctx.Err() != nil {
			continue
		}
		l := run(ctx, c)
		if ctx.Err() != nil {
			return
		}
		done++
		r.add(a, c, l)
		if l.failed() {
			own.add(c)
		}
		used[c.kind()] += l.used
		room[c.kind()] += l.room
	}
	if done == 0 && len(a.Checks) > 0 {
		r.passedOver()
	}
	for kind, bytes := range used {
		if room[kind] > 0 && bytes > room[kind]-1 {
			tight := &Log{}
			tight.Refuse(fault.TargetQuota, fmt.Sprintf("the source holds %s, and the target has room for %s", size(bytes), size(room[kind]-1)),
				"raise the account's quota on the target")
			r.add(a, Check{Side: Target, Kinds: []string{kind}}, tight)
		}
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	const step = 1000
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	v, i := float64(n), 0
	for ; v >= step && i < len(units)-1; i++ {
		v /= step
	}
	if i == 0 {
		return fmt.Sprintf("%d bytes", n)
	}
	return fmt.Sprintf("%.1f %s", v, units[i])
}

package preflight

import (
	"context"
	"fmt"
	"iter"
	"maps"
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
	out, all := idle{}, said{}
	defer func() { r.add(Account{}, all) }()
	for _, c := range p.Shared {
		if c.Side != side || out.of(c) {
			continue
		}
		l := run(ctx, c)
		if ctx.Err() != nil {
			return out
		}
		all.take(c, l)
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
	own, all, bytes := idle{}, said{}, room{}
	done := 0
	for _, c := range a.Checks {
		if shared.of(c) || own.of(c) || ctx.Err() != nil {
			continue
		}
		if all.refuses(c) {
			own.add(c)
			continue
		}
		l := run(ctx, c)
		if ctx.Err() != nil {
			return
		}
		done++
		all.take(c, l)
		if l.failed() {
			own.add(c)
		}
		bytes.take(c, l)
	}
	if done == 0 && len(a.Checks) > 0 {
		r.passedOver()
	}
	bytes.compare(&all)
	r.add(a, all)
}

// room is what the source holds of each kind, and what the target has left for it, plus one.
type room map[string][2]int64

func (r room) take(c Check, l *Log) {
	for _, k := range c.kind() {
		r[k] = [2]int64{r[k][0] + l.used, r[k][1] + l.room}
	}
}

// compare notes of which kinds there is more than fits.
func (r room) compare(all *said) {
	for _, kind := range slices.Sorted(maps.Keys(r)) {
		if used, left := r[kind][0], r[kind][1]-1; left >= 0 && used > left {
			tight := &Log{}
			tight.Refuse(fault.TargetQuota, fmt.Sprintf("the source holds %s, and the target has room for %s", size(used), size(left)),
				"raise the account's quota on the target")
			all.take(Check{Side: Target, Kinds: []string{kind}}, tight)
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

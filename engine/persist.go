package engine

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
)

// maxPause is the longest pause that the engine makes of its own; a server may ask for more.
const maxPause = time.Minute

// longestWait is the longest pause that is waited for; who is asked for a longer one parks the task.
const longestWait = time.Hour

// maxThrottled bounds how often one call may be throttled before it counts as failed.
const maxThrottled = 200

// persist is Persist with the engine's options.
func (p *pass[S, T]) persist(ctx context.Context, what string, f func() error) error {
	return Persist(ctx, p.o, what, f)
}

// Persist calls f until it succeeds, its fault asks for something else than a retry, or the options' attempts are used
// up. Being throttled is no attempt in vain: it slows the work down and fails nothing. Who opens what an engine needs
// is as patient with it as the engine.
func Persist(ctx context.Context, o Options, what string, f func() error) error {
	o = o.withDefaults()
	pause, tries, throttled := o.Pause, 0, 0
	for {
		err := f()
		if err == nil || fault.Cancelled(ctx) {
			return err
		}
		m := fault.Of(err)
		if m.Action != fault.Retry {
			return err
		}
		if m.After > longestWait {
			return fault.New(fault.FailTask, m.Reason, "asked to come back in %v: %w", m.After.Round(time.Minute), err).WithAfter(m.After)
		}
		if isThrottle(m.Reason) && throttled < maxThrottled {
			throttled++
		} else if tries++; tries >= o.Attempts {
			return err
		}
		wait := max(jitter(pause), m.After)
		if m.After > 0 && isThrottle(m.Reason) {
			wait = m.After // who says when to come back means it
		} else {
			pause = min(2*pause, maxPause)
		}
		o.Log.Debug("trying again", "what", what, "reason", m.Reason, "attempt", tries, "after", wait)
		if name := waitName(m.Reason); name != "" {
			meter.Wait(ctx, name, time.Now().Add(wait))
		}
		if err := o.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func isThrottle(r fault.Reason) bool {
	return r == fault.SourceThrottled || r == fault.TargetThrottled
}

// jitter returns between half of d and d, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

// waitName says for people what a retry waits for; empty where the budget of a quota tells it with the quota's name.
func waitName(r fault.Reason) string {
	switch r {
	case fault.SourceThrottled:
		return ""
	case fault.TargetThrottled:
		return "the target asked for a pause"
	}
	switch side, _, _ := strings.Cut(string(r), "."); side {
	case "source":
		return "the provider is not answering"
	case "target":
		return "the target is not answering"
	}
	return "another try"
}

// sleep returns nil when d has passed, before ctx ended and before the work was told to end.
func (o Options) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-o.Drain:
		return ErrDrained
	case <-ctx.Done():
		return ctx.Err()
	}
}

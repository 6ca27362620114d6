package main

import (
	"context"
	"slices"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// sendCanary proves, before the first event is written, that an event with a guest is imported in silence: with two
// accounts of the job, one as organizer and one as guest. One that cannot log in is passed over for the next.
func (w *wiring) sendCanary(ctx context.Context) error {
	pair, broken, err := w.canaryPair(ctx)
	switch {
	case err != nil:
		return err
	case len(pair) == 2:
		return caldav.Canary(ctx, pair[0], pair[1])
	case broken != nil:
		return fault.New(fault.FailTask, fault.Of(broken).Reason, "the test event that proves that no guest hears of the import needs two accounts that can log in: %w", broken).
			WithHint("mend the account's login on the target, or take it out of the accounts file")
	}
	w.log.Info("one account alone: no guest to prove with that nobody is mailed")
	return nil
}

// mostCanaries bounds how many accounts are asked whether they can log in.
const mostCanaries = 50

// canaryPair returns the first two accounts that can log in, and why another one cannot.
func (w *wiring) canaryPair(ctx context.Context) (pair []caldav.Options, broken, err error) {
	asked := 0
	for _, p := range w.job.People {
		if !slices.Contains(kindsOf(p), "calendar") {
			continue
		}
		if asked++; len(pair) == 2 || asked > mostCanaries {
			break
		}
		o, err := w.caldavOptions(ctx, p, "calendar")
		if err == nil {
			_, err = opened(ctx, w, "log in", func() (bool, error) { return caldav.Schedules(ctx, o) })
		}
		switch {
		case fault.Cancelled(ctx):
			return nil, nil, ctx.Err()
		case err != nil:
			broken = err
		default:
			pair = append(pair, o)
		}
	}
	return pair, broken, nil
}

// canaryFirst is a calendar into which nothing is written, and nothing removed, before the canary has proven that
// nobody hears of it.
type canaryFirst struct {
	keptCalendar
	canary func(ctx context.Context) error
}

// keptCalendar is a calendar in which an event and what the user has in its place can both be kept.
type keptCalendar interface {
	sinks.Sink[sinks.Event]
	sinks.Keeper[sinks.Event]
}

func (s canaryFirst) Put(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Written, error) {
	if err := s.canary(ctx); err != nil {
		return sinks.Written{}, err
	}
	return s.keptCalendar.Put(ctx, item, prev)
}

func (s canaryFirst) Remove(ctx context.Context, prev sinks.Receipt) error {
	if err := s.canary(ctx); err != nil {
		return err
	}
	return s.keptCalendar.Remove(ctx, prev)
}

func (s canaryFirst) Aside(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	if err := s.canary(ctx); err != nil {
		return sinks.Receipt{}, nil, err
	}
	return s.keptCalendar.Aside(ctx, item, prev)
}

// Expect is the calendar's.
func (s canaryFirst) Expect(p sinks.Proof) sinks.Expectation {
	if i, ok := s.keptCalendar.(sinks.Inspector); ok {
		return i.Expect(p)
	}
	return sinks.Expectation{}
}

// onceFor calls f until it succeeds or says that nothing could go on, and gives that answer ever after.
func onceFor(f func(ctx context.Context) error) func(ctx context.Context) error {
	var mu sync.Mutex
	var done bool
	var answer error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if done {
			return answer
		}
		err := f(ctx)
		if err == nil || !fault.Cancelled(ctx) && fault.Of(err).Action == fault.FailTask {
			done, answer = true, err
		}
		return err
	}
}

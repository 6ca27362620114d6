package main

import (
	"context"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// sendCanary proves, before the first event is written, that an event with a guest is imported in silence: with two
// accounts of the job, one as organizer and one as guest.
func (w *wiring) sendCanary(ctx context.Context) error {
	var pair []caldav.Options
	for _, p := range w.job.People {
		if !slices.Contains(p.Kinds, "calendar") || strings.HasPrefix(p.Source, drivePrefix) || len(pair) == 2 {
			continue
		}
		o, err := w.caldavOptions(ctx, p, w.job.Target.Calendar)
		if err != nil {
			return err
		}
		pair = append(pair, o)
	}
	if len(pair) < 2 {
		w.log.Info("one account alone: no guest to prove with that nobody is mailed")
		return nil
	}
	return caldav.Canary(ctx, pair[0], pair[1])
}

// canaryFirst is a calendar into which nothing is written, and nothing removed, before the canary has proven that
// nobody hears of it.
type canaryFirst struct {
	sinks.Sink[sinks.Event]
	canary func(ctx context.Context) error
}

func (s canaryFirst) Put(ctx context.Context, item sinks.Item[sinks.Event], prev sinks.Receipt) (sinks.Written, error) {
	if err := s.canary(ctx); err != nil {
		return sinks.Written{}, err
	}
	return s.Sink.Put(ctx, item, prev)
}

func (s canaryFirst) Remove(ctx context.Context, prev sinks.Receipt) error {
	if err := s.canary(ctx); err != nil {
		return err
	}
	return s.Sink.Remove(ctx, prev)
}

// Expect is the calendar's.
func (s canaryFirst) Expect(p sinks.Proof) sinks.Expectation {
	if i, ok := s.Sink.(sinks.Inspector); ok {
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

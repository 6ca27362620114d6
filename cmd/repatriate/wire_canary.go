package main

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/caldav"
)

// sendCanary proves, before the first event is written, that an event with a guest is imported in silence: with two
// accounts of the job, one as organizer and one as guest. One that cannot log in is passed over for the next.
func (w *wiring) sendCanary(ctx context.Context) error {
	sent, broken, err := canaryAmong(ctx, w.canaryAccounts(ctx), func(organizer, guest caldav.Options) error {
		return caldav.Canary(ctx, organizer, guest)
	})
	switch {
	case sent || err != nil:
		return err
	case broken != nil:
		return fault.New(fault.FailTask, fault.Of(broken).Reason, "the test event that proves that no guest hears of the import needs two accounts that can log in: %w", broken).
			WithHint("mend the account's login on the target, or take it out of the accounts file")
	}
	w.log.Info("one account alone: no guest to prove with that nobody is mailed")
	return nil
}

// mostCanaries bounds how many accounts are asked whether they can log in, and mostPairs how many pairs of them are tried.
const mostCanaries, mostPairs = 50, 5

// canaryAmong sends the canary between the first two accounts that can log in, and says why another one cannot. An account whose calendar
// refuses the event, such as one that may only be read, keeps nobody else back: the next one is the organizer.
func canaryAmong(ctx context.Context, accounts iter.Seq2[caldav.Options, error], send func(organizer, guest caldav.Options) error) (sent bool, broken, refused error) {
	var able []caldav.Options
	for account, err := range accounts {
		switch {
		case fault.Cancelled(ctx):
			return false, nil, ctx.Err()
		case err != nil:
			broken = err
			continue
		}
		if able = append(able, account); len(able) == 1 {
			continue
		}
		last := able[len(able)-2]
		for _, pair := range [][2]caldav.Options{{last, account}, {account, last}} {
			err := send(pair[0], pair[1])
			if err == nil || fault.Cancelled(ctx) || !ofOnePair(err) {
				return err == nil, broken, err
			}
			refused = cmp.Or(refused, err)
		}
		if len(able) > mostPairs {
			break
		}
	}
	if refused != nil && fault.Of(refused).Action != fault.FailTask {
		refused = fault.New(fault.FailTask, fault.Of(refused).Reason, "the test event that proves that no guest hears of the import cannot be written: %w", refused).
			WithHint(cmp.Or(fault.Of(refused).Hint, "let one of the first accounts write to its calendar on the target"))
	}
	return false, broken, refused
}

// ofOnePair reports whether an error says nothing of other accounts: a calendar that refuses the event, or an account without an address.
func ofOnePair(err error) bool {
	f := fault.Of(err)
	return f.Action == fault.FailItem || f.Reason == fault.TargetUnsupported || ofOneAccount(err)
}

// canaryAccounts yields how to reach the accounts that move calendars, or why one cannot log in.
func (w *wiring) canaryAccounts(ctx context.Context) iter.Seq2[caldav.Options, error] {
	return func(yield func(caldav.Options, error) bool) {
		asked := 0
		for _, p := range w.job.People {
			if !slices.Contains(kindsOf(p), "calendar") {
				continue
			}
			if asked++; asked > mostCanaries {
				return
			}
			o, err := w.caldavOptions(ctx, p, "calendar")
			if err == nil {
				_, err = opened(ctx, w, "log in", func() (bool, error) { return caldav.Schedules(ctx, o) })
			}
			if !yield(o, err) {
				return
			}
		}
	}
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

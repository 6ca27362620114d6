package httpx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/meter"
)

// calls runs n callers that each spend units again and again until end, and returns the times at which they went ahead.
func calls(t *testing.T, n int, units float64, end time.Duration, scopes ...*Scope) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), end)
	defer cancel()
	start := time.Now()
	var mu sync.Mutex
	var times []time.Duration
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for Wait(ctx, units, scopes...) == nil {
				mu.Lock()
				times = append(times, time.Since(start))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(times)
	return times
}

// busiest returns the largest number of times within any window of the given length.
func busiest(times []time.Duration, window time.Duration) int {
	most, from := 0, 0
	for to := range times {
		for times[to]-times[from] >= window {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func TestConcurrentCallersNeverExceedTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 6000}, nil)
		times := calls(t, 40, 20, 10*time.Minute, s)
		if got := busiest(times, time.Minute); got > 300 {
			t.Errorf("%d calls of 20 units in a minute of 6000 units", got)
		}
		if got := len(times); got < 2700 || got > 3000 {
			t.Errorf("%d calls in ten minutes, want at least nine tenths of 3000", got)
		}
	})
}

func TestAWideScopeIsSharedByNarrowOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := NewScope(Limit{PerMinute: 600}, nil)
		users := NewScopes(Limit{PerMinute: 240}, nil)
		got := map[string]int{}
		var all []time.Duration
		var mu sync.Mutex
		var wg sync.WaitGroup
		// One user has far more callers than the others and must not get more for that.
		for user, callers := range map[string]int{"a": 50, "b": 2, "c": 2, "d": 2} {
			wg.Go(func() {
				times := calls(t, callers, 1, 10*time.Minute, users.Get(user), project)
				mu.Lock()
				defer mu.Unlock()
				got[user] = len(times)
				all = append(all, times...)
			})
		}
		wg.Wait()
		slices.Sort(all)
		if n := busiest(all, time.Minute); n > 600 {
			t.Errorf("%d units in a minute of 600", n)
		}
		if len(all) < 5400 {
			t.Errorf("%d units in ten minutes of 600", len(all))
		}
		for user, n := range got {
			if n < 1250 || n > 1500 {
				t.Errorf("%s got %d of %d units, want about a quarter", user, n, len(all))
			}
		}
	})
}

func TestASlowUserHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		project := NewScope(Limit{PerMinute: 6000}, nil)
		slow, fast := NewScope(Limit{PerMinute: 6}, nil), NewScope(Limit{PerMinute: 6000}, nil)
		var wg sync.WaitGroup
		wg.Go(func() { calls(t, 20, 1, time.Minute, slow, project) })
		times := calls(t, 20, 1, time.Minute, fast, project)
		wg.Wait()
		if len(times) < 5400 {
			t.Errorf("beside a slow user only %d of 5400 calls", len(times))
		}
	})
}

func TestWaitServesInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 60}, nil)
		must(t, Wait(t.Context(), 6, s))
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				// Every third wants much more than the others and is not overtaken for that.
				must(t, Wait(t.Context(), float64(1+4*(i%3/2)), s))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		wg.Wait()
		if !slices.IsSorted(order) || len(order) != 20 {
			t.Errorf("served in the order %v", order)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 60}, nil)
		must(t, Wait(t.Context(), 6, s))
		s.Refused(t.Context(), time.Now(), time.Hour)
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		results := make(chan string, 2)
		wait := func(name string, ctx context.Context) {
			err := Wait(ctx, 1, s)
			results <- fmt.Sprintf("%s %v", name, errors.Is(err, context.Canceled))
		}
		go wait("first", first)
		synctest.Wait()
		go wait("second", second)
		synctest.Wait()
		start := time.Now()
		cancelSecond()
		if got := <-results; got != "second true" {
			t.Errorf("got %s", got)
		}
		cancelFirst()
		if got := <-results; got != "first true" {
			t.Errorf("got %s", got)
		}
		if d := time.Since(start); d != 0 {
			t.Errorf("waited %v after the cancellation", d)
		}
		// Who gave up left nothing behind: the next one is served when the scope opens.
		must(t, Wait(t.Context(), 1, s))
	})
}

func TestARefusalClosesTheScopeForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(meter.Meter)
		s := NewScope(Limit{PerMinute: 60_000}, m)
		start := time.Now()
		if d := s.Refused(t.Context(), start, 30*time.Second); d != 30*time.Second {
			t.Errorf("pause %v, want 30s", d)
		}
		if d := s.Refused(t.Context(), start.Add(-time.Second), 10*time.Second); d != 30*time.Second {
			t.Errorf("a shorter pause shortened the closing to %v", d)
		}
		times := calls(t, 10, 1, time.Minute, s)
		if len(times) == 0 || times[0] < 30*time.Second || times[0] > 31*time.Second {
			t.Fatalf("went on after %v, want 30s", times[:min(1, len(times))])
		}
		early := busiest(times[:slices.IndexFunc(times, func(d time.Duration) bool { return d > 31*time.Second })], time.Minute)
		if early > 600 {
			t.Errorf("%d calls in the first second after the closing, want about half of the full pace of 900", early)
		}
		if m.Throttled() < 30*time.Second {
			t.Errorf("%v of throttled time were counted", m.Throttled())
		}
	})
}

// TestServedBetweenRefusals: pauses grow with the share of requests that is refused, and not with their number.
func TestServedBetweenRefusals(t *testing.T) {
	for _, c := range []struct {
		served      int // answers after each refusal
		least, most time.Duration
	}{
		{0, 64 * time.Second, 64 * time.Second},
		{servedPerStrike - 1, 32 * time.Second, 64 * time.Second},
		{servedPerStrike, time.Second, 2 * time.Second},
		{20 * servedPerStrike, time.Second, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := NewScope(Limit{}, nil)
			var pause time.Duration
			for range 60 {
				late := time.Now().Add(-time.Millisecond)
				pause = s.Refused(t.Context(), time.Now(), 0)
				for range servedPerStrike {
					s.Served(late) // it was let through before the scope closed
				}
				must(t, Wait(t.Context(), 1, s))
				for range c.served {
					s.Served(time.Now())
				}
			}
			if pause < c.least || pause > c.most {
				t.Errorf("with %d answers between them the pause for a refusal is %v, want %v to %v", c.served, pause, c.least, c.most)
			}
		})
	}
}

func TestRefusalsInARowDoubleThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{}, nil)
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 64, 64} {
			start := time.Now()
			d := s.Refused(t.Context(), start, 0)
			if low, high := want*time.Second, min(want*time.Second+time.Second, backoffMax); d < low || d > high {
				t.Errorf("refusal %d: pause %v, want %v to %v", i, d, low, high)
			}
			// The others that were under way when the scope closed do not count.
			if again := s.Refused(t.Context(), start.Add(-time.Millisecond), 0); again != d {
				t.Errorf("refusal %d: a second one of the same time changed the pause from %v to %v", i, d, again)
			}
			must(t, Wait(t.Context(), 1, s))
			if waited := time.Since(start); waited != d {
				t.Errorf("refusal %d: waited %v, want %v", i, waited, d)
			}
		}
		time.Sleep(2 * backoffMax)
		if d := s.Refused(t.Context(), time.Now(), 0); d > 2*time.Second {
			t.Errorf("after a quiet time the pause is %v again, want about a second", d)
		}
	})
}

func TestThePaceComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 600}, nil)
		for range 6 {
			s.Refused(t.Context(), time.Now(), time.Second)
			time.Sleep(time.Second)
		}
		first := len(calls(t, 4, 1, 4*time.Second, s))
		if first < 3 || first > 15 {
			t.Errorf("%d calls in the first four seconds after many refusals, want a fraction of 36", first)
		}
		time.Sleep(2 * time.Minute)
		must(t, Wait(t.Context(), 60, s))
		if n := len(calls(t, 4, 1, time.Minute, s)); n < 530 {
			t.Errorf("%d calls in a minute long after the refusals, want the full pace of 540", n)
		}
	})
}

func TestTheDayEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerDay: 100, DayStart: 8 * time.Hour}, nil)
		// The bubble's clock starts at midnight UTC, eight hours before the day of the quota begins.
		for range 10 {
			must(t, Wait(t.Context(), 10, s))
		}
		var parked *ParkedError
		if err := Wait(t.Context(), 1, s); !errors.As(err, &parked) || time.Until(parked.Until) != 8*time.Hour {
			t.Fatalf("got %v, want a parked scope for 8 hours", err)
		}
		time.Sleep(8 * time.Hour)
		must(t, Wait(t.Context(), 1, s))
		s.Spend(99)
		if err := Wait(t.Context(), 1, s); !errors.As(err, &parked) || time.Until(parked.Until) != 24*time.Hour {
			t.Fatalf("got %v, want a parked scope for a day", err)
		}
	})
}

func TestParkEndsTheDayByTheProvidersWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 60}, nil)
		until := s.Park()
		var parked *ParkedError
		if err := Wait(t.Context(), 1, s); !errors.As(err, &parked) || !parked.Until.Equal(until) {
			t.Fatalf("got %v, want parked until %v", err, until)
		}
		time.Sleep(time.Until(until))
		must(t, Wait(t.Context(), 1, s))
	})
}

func TestACallAboveTheBurstGoesAndIsPaidBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{PerMinute: 600}, nil)
		start := time.Now()
		must(t, Wait(t.Context(), 150, s))
		if d := time.Since(start); d != 0 {
			t.Errorf("waited %v with a full burst", d)
		}
		must(t, Wait(t.Context(), 1, s))
		if d := time.Since(start); d < 12*time.Second || d > 13*time.Second {
			t.Errorf("went on after %v, want 121 units at 9.5 a second", d)
		}
	})
}

func TestScopesForgetTheIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScopes(Limit{PerMinute: 600}, nil)
		busy := s.Get("busy")
		for i := range 10 * sweepFrom {
			if i%sweepFrom == 0 {
				time.Sleep(2 * backoffMax)
				must(t, Wait(t.Context(), 1, busy))
			}
			s.Get(fmt.Sprint(i))
		}
		if n := len(s.byKey); n > 2*sweepFrom {
			t.Errorf("%d scopes are kept", n)
		}
		if s.Get("busy") != busy {
			t.Error("a scope in use was forgotten")
		}
	})
}

func BenchmarkWait(b *testing.B) {
	project, user := NewScope(Limit{PerMinute: 1e15}, nil), NewScope(Limit{PerMinute: 1e15}, nil)
	for b.Loop() {
		if err := Wait(b.Context(), 1, user, project); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAScopeThatClosesWhileAnotherIsWaitedForCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user, project := NewScope(Limit{PerMinute: 600}, nil), NewScope(Limit{PerMinute: 600}, nil)
		start := time.Now()
		project.Refused(t.Context(), start, 30*time.Second)
		done := make(chan time.Duration)
		go func() {
			must(t, Wait(t.Context(), 1, user, project))
			done <- time.Since(start)
		}()
		synctest.Wait() // ready in its own scope, it waits for the project's
		user.Refused(t.Context(), time.Now(), time.Minute)
		if d := <-done; d < time.Minute {
			t.Errorf("went ahead after %v although its own scope is closed for a minute", d)
		}
	})
}

func TestALongPauseParksTheScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScope(Limit{}, nil)
		begin := time.Now()
		s.Refused(t.Context(), begin, 5*time.Hour)
		var parked *ParkedError
		if err := Wait(t.Context(), 1, s); !errors.As(err, &parked) || !parked.Until.Equal(begin.Add(5*time.Hour)) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(4 * time.Hour)
		if err := Wait(t.Context(), 1, s); err != nil || time.Since(begin) < 5*time.Hour {
			t.Errorf("in the last hour: %v after %v", err, time.Since(begin))
		}
	})
}

func TestALongWindowLosesLessToBursts(t *testing.T) {
	for name, l := range map[string]Limit{"a minute": {PerMinute: 600}, "ten minutes": {PerMinute: 600, Window: 10 * time.Minute},
		"a fast clock": {PerMinute: 10, Window: 10 * time.Minute, Clock: 60}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := NewScope(l, nil)
				times := calls(t, 40, 1, 20*time.Minute, s)
				window := max(l.Window, time.Minute)
				most := int(l.PerMinute * max(1, l.Clock) * window.Minutes())
				if l.Clock > 0 {
					window = time.Duration(float64(window) / l.Clock)
					most = int(l.PerMinute * l.Window.Minutes())
				}
				if got := busiest(times, window); got > most {
					t.Errorf("%d calls in %v, allowed are %d", got, window, most)
				}
				if got, full := len(times), 20*600; float64(got) < float64(full)*0.94 {
					t.Errorf("%d calls of %d", got, full)
				}
			})
		})
	}
}

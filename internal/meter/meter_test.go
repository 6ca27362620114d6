package meter_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/meter"
)

// TestRoundTrip is the mean of answers, once there are enough of them.
func TestRoundTrip(t *testing.T) {
	var m meter.Meter
	for i := range 20 {
		if got := m.RoundTrip(); got != 0 {
			t.Errorf("%v after %d answers", got, i)
		}
		m.Answered(time.Duration(i+1) * time.Millisecond)
	}
	if got := m.RoundTrip(); got != 10500*time.Microsecond {
		t.Errorf("%v, want the mean of 1 to 20 ms", got)
	}
	(*meter.Meter)(nil).Answered(time.Second)
	if got := (*meter.Meter)(nil).RoundTrip(); got != 0 {
		t.Errorf("no meter measured %v", got)
	}
}

func TestThrottledTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m meter.Meter
		m.Throttle("a", time.Now(), 10*time.Second)
		if got := m.Throttled(); got != 0 {
			t.Errorf("%v at the beginning", got)
		}
		time.Sleep(4 * time.Second)
		m.Throttle("b", time.Now(), 8*time.Second) // overlaps: until second 12
		m.Throttle("b", time.Now(), time.Second)   // within what is closed already
		if got := m.Throttled(); got != 4*time.Second {
			t.Errorf("%v after four seconds", got)
		}
		time.Sleep(time.Minute)
		if got := m.Throttled(); got != 12*time.Second {
			t.Errorf("%v in all, want 12 s", got)
		}
		if got := m.ByScope(); got["a"] != 10*time.Second || got["b"] != 8*time.Second || len(got) != 2 {
			t.Errorf("by scope: %v", got)
		}
	})
}

func TestNilMeterDoesNothing(t *testing.T) {
	var m *meter.Meter
	m.Request(1)
	m.Throttle("a", time.Now(), time.Second)
	if m.Requests() != 0 || m.Throttled() != 0 || !m.ThrottledUntil().IsZero() {
		t.Error("a nil meter counts")
	}
}

func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w meter.Waits
		now := time.Now()
		if name, until := w.Longest(now); name != "" || !until.IsZero() {
			t.Errorf("nothing is waited for, but %q until %v", name, until)
		}
		ctx := w.With(t.Context())
		meter.Wait(ctx, "Gmail, per user", now.Add(time.Minute))
		meter.Wait(ctx, "Gmail, per user", now.Add(time.Second)) // shorter than what is known
		meter.Wait(ctx, "the target", now.Add(2*time.Second))
		meter.Wait(t.Context(), "somebody else", now.Add(time.Hour))
		if name, until := w.Longest(now); name != "Gmail, per user" || until != now.Add(time.Minute) {
			t.Errorf("%q until %v", name, until)
		}
		time.Sleep(time.Minute)
		if name, _ := w.Longest(time.Now()); name != "" {
			t.Errorf("%q is still waited for", name)
		}
		// However many names there are, few are kept, and the newest is known once others are over.
		for i := range 1000 {
			meter.Wait(ctx, fmt.Sprint(i), time.Now().Add(time.Second))
		}
		time.Sleep(time.Second)
		meter.Wait(ctx, "new", time.Now().Add(time.Second))
		if name, _ := w.Longest(time.Now()); name != "new" {
			t.Errorf("%q is waited for", name)
		}
	})
}

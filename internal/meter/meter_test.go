package meter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/meter"
)

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

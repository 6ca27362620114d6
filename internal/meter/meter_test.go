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
		m.Throttle(time.Now(), 10*time.Second)
		if got := m.Throttled(); got != 0 {
			t.Errorf("%v at the beginning", got)
		}
		time.Sleep(4 * time.Second)
		m.Throttle(time.Now(), 8*time.Second) // overlaps: until second 12
		m.Throttle(time.Now(), time.Second)   // within what is closed already
		if got := m.Throttled(); got != 4*time.Second {
			t.Errorf("%v after four seconds", got)
		}
		time.Sleep(time.Minute)
		if got := m.Throttled(); got != 12*time.Second {
			t.Errorf("%v in all, want 12 s", got)
		}
	})
}

func TestNilMeterDoesNothing(t *testing.T) {
	var m *meter.Meter
	m.Request(1)
	m.Throttle(time.Now(), time.Second)
	if m.Requests() != 0 || m.Throttled() != 0 || !m.ThrottledUntil().IsZero() {
		t.Error("a nil meter counts")
	}
}

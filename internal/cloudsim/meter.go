package cloudsim

import (
	"sync"
	"time"
)

// Window is a quota: at most Max units in each stretch of the given length, for all who share the key. Max 0 is no limit.
type Window struct {
	Key    string
	Length time.Duration
	Max    int
}

// Meter counts what was spent in windows that begin at fixed moments of its clock. It is safe for concurrent use.
type Meter struct {
	started time.Time
	speed   float64

	mu    sync.Mutex
	spent map[string]spending
}

type spending struct {
	window int64 // its number since the start
	units  int
}

// NewMeter returns a meter whose clock runs speed times as fast as the real one: at 60, a minute lasts a second. 0 means 1.
func NewMeter(speed float64) *Meter {
	if speed == 0 {
		speed = 1
	}
	return &Meter{started: time.Now(), speed: speed, spent: map[string]spending{}}
}

// Spend takes units from all windows. If one of them would be exceeded, it takes none, and returns the index of that window and
// how long it lasts in real time.
func (m *Meter) Spend(units int, windows ...Window) (refused int, left time.Duration, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	passed := time.Duration(float64(time.Since(m.started)) * m.speed)
	for i, w := range windows {
		now := int64(passed / w.Length)
		if w.Max > 0 && m.in(w, now).units+units > w.Max {
			rest := time.Duration(now+1)*w.Length - passed
			return i, time.Duration(float64(rest) / m.speed), false
		}
	}
	for _, w := range windows {
		s := m.in(w, int64(passed/w.Length))
		s.units += units
		m.spent[w.Key] = s
	}
	return 0, 0, true
}

// in returns what was spent in the window of that number.
func (m *Meter) in(w Window, number int64) spending {
	if s := m.spent[w.Key]; s.window == number {
		return s
	}
	return spending{window: number}
}

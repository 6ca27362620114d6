package httpx

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/pause"
)

// Limit is a quota in the provider's own units. The zero Limit allows everything.
type Limit struct {
	// Name is what people call the scope, such as "Gmail, per user".
	Name string
	// PerMinute is the number of units in a minute; zero: no limit. No Window, zero for a minute, sees more than its share.
	PerMinute float64
	Window    time.Duration
	// PerDay is the number of units in a day that begins DayStart after midnight UTC; zero: no limit.
	PerDay   float64
	DayStart time.Duration
	// Clock says how many times as fast the provider's minutes pass, for simulations; zero: as fast as ours.
	Clock float64
}

// burstShare is the part of a minute's quota that may be spent at once. The rest of a window is spread over it, so that no window
// ever sees more than its quota. What is kept back for bursts is lost to the pace: a twentieth at most.
const burstShare = 0.05

// Burst is what a Scope lets through at once when it was idle.
func (l Limit) Burst() float64 { return l.PerMinute * burstShare }

// Rate is the full pace of a Scope in units per second, on our clock; zero: no limit.
func (l Limit) Rate() float64 {
	minutes := max(1, l.Window.Minutes())
	return l.PerMinute * (1 - burstShare/minutes) / 60 * l.clock()
}

// Stated is what the provider states, in units per second on our clock; zero: no limit.
func (l Limit) Stated() float64 { return l.PerMinute / 60 * l.clock() }

func (l Limit) clock() float64 {
	if l.Clock <= 0 {
		return 1
	}
	return l.Clock
}

// Back-off without a Retry-After, as Google describes it (developers.google.com/workspace/drive/api/guides/limits):
// min(2^n s + up to 1 s at random, 64 s).
const (
	backoffFirst  = time.Second
	backoffMax    = 64 * time.Second
	backoffJitter = time.Second
)

// After a refusal a scope goes on at half of its pace, at an eighth in the worst case, and wins paceRegain of the
// full pace back in each second that it is open.
const (
	paceLeast  = 1.0 / 8
	paceRegain = 1.0 / 64
)

// strikesMost is how often a pause is doubled: until it is backoffMax.
const strikesMost = 6

// servedPerStrike is how many answers make up for one refusal: where less than one in so many is refused, the pauses stay short.
const servedPerStrike = 8

// longestWait is the longest pause that is worth waiting for; a longer one parks.
const longestWait = time.Hour

// ParkedError says that a quota of the day is used up, or that the other side asked for a pause of more than an hour.
type ParkedError struct {
	// Until is when the next day of the quota begins, or the pause ends.
	Until time.Time
}

func (e *ParkedError) Error() string {
	return fmt.Sprintf("the quota is used up until %s", e.Until.UTC().Format(time.RFC3339))
}

// Scope is the budget of one user, project or application at a provider, shared by everything in this process that
// draws on it. It is safe for concurrent use. What is spent in a day is forgotten when the process ends.
type Scope struct {
	limit Limit
	meter *meter.Meter
	// turn is held by whoever is first in line. Goroutines that block on a channel are served in their order of
	// arrival, and a newcomer cannot overtake because the channel stays full while somebody waits.
	turn chan struct{}

	mu      sync.Mutex
	tokens  float64   // may be negative after a call that costs more than a burst
	counted time.Time // when tokens and pace were last brought up to date
	pace    float64   // part of the full rate that is in force
	closed  time.Time // until when
	shut    time.Time // when a refusal last closed the scope
	strikes int       // refusals, less those that answers made up for
	served  int       // answers that made up for none yet
	spent   float64   // units of the day that ends at dayEnd
	dayEnd  time.Time
	parked  time.Time // until when, by the provider's word
}

// NewScope returns a scope with a full burst. Times in which it holds somebody back go to m, which may be nil.
func NewScope(l Limit, m *meter.Meter) *Scope {
	return &Scope{limit: l, meter: m, turn: make(chan struct{}, 1), tokens: l.Burst(), pace: 1, counted: time.Now()}
}

// Limit is the quota by which the scope is kept.
func (s *Scope) Limit() Limit { return s.limit }

// Wait takes units out of all scopes at the same moment, as soon as each of them has them, first come first served.
// Scopes must stand in the same order in all calls, the narrow ones (a user) before the wide ones (a project): only
// who could go ahead in the narrow scope stands in line at the wide one. The error is the context's, or a ParkedError.
func Wait(ctx context.Context, units float64, scopes ...*Scope) error {
	for {
		ok, err := wait(ctx, units, scopes, 0)
		if ok || err != nil {
			return err
		}
	}
}

// wait stands in line at scopes[i:] and takes from all scopes once it is first everywhere. It returns false if a scope
// that was ready before is not any more.
func wait(ctx context.Context, units float64, scopes []*Scope, i int) (bool, error) {
	if i == len(scopes) {
		return take(time.Now(), units, scopes)
	}
	s := scopes[i]
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { <-s.turn }()
	if err := s.ready(ctx, units); err != nil {
		return false, err
	}
	return wait(ctx, units, scopes, i+1)
}

// ready returns when the scope has the units.
func (s *Scope) ready(ctx context.Context, units float64) error {
	for {
		now := time.Now()
		s.mu.Lock()
		d, err := s.delay(now, units)
		s.mu.Unlock()
		if err != nil || d <= 0 {
			return firstError(err, ctx.Err())
		}
		s.meter.Throttle(s.limit.Name, now, d)
		meter.Wait(ctx, s.limit.Name, now.Add(d))
		if err := pause.For(ctx, d); err != nil {
			return err
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func take(now time.Time, units float64, scopes []*Scope) (bool, error) {
	for _, s := range scopes {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	for _, s := range scopes {
		if d, err := s.delay(now, units); err != nil || d > 0 {
			return false, err
		}
	}
	for _, s := range scopes {
		s.spent += units
		if s.limit.PerMinute > 0 {
			s.tokens -= units
		}
	}
	return true, nil
}

// delay returns how long to wait for the units at least. The caller holds mu.
func (s *Scope) delay(now time.Time, units float64) (time.Duration, error) {
	s.refill(now)
	if until := s.parkedUntil(now, units); !until.IsZero() {
		return 0, &ParkedError{Until: until}
	}
	if d := s.closed.Sub(now); d > longestWait {
		return 0, &ParkedError{Until: s.closed}
	} else if d > 0 {
		return d, nil
	}
	if s.limit.PerMinute <= 0 {
		return 0, nil
	}
	// What costs more than a burst goes when the burst is full, and leaves a debt.
	missing := min(units, s.limit.Burst()) - s.tokens
	if missing <= 1e-9 {
		return 0, nil
	}
	return max(time.Duration(missing/(s.limit.Rate()*s.pace)*float64(time.Second)), time.Microsecond), nil
}

// refill brings tokens and pace to now. Nothing is earned while the scope is closed.
func (s *Scope) refill(now time.Time) {
	from := s.counted
	if s.closed.After(from) {
		from = s.closed
	}
	s.counted = now
	d := now.Sub(from).Seconds()
	if d <= 0 {
		return
	}
	s.tokens = min(s.tokens+s.limit.Rate()*s.pace*d, s.limit.Burst())
	s.pace = min(1, s.pace+paceRegain*d)
}

func (s *Scope) parkedUntil(now time.Time, units float64) time.Time {
	if s.parked.After(now) {
		return s.parked
	}
	if !now.Before(s.dayEnd) {
		s.spent, s.dayEnd = 0, s.limit.NextDay(now)
	}
	if s.limit.PerDay > 0 && s.spent+units > s.limit.PerDay {
		return s.dayEnd
	}
	return time.Time{}
}

// NextDay returns the first beginning of a day of the quota after now.
func (l Limit) NextDay(now time.Time) time.Time {
	return now.Add(-l.DayStart).UTC().Truncate(24 * time.Hour).Add(24*time.Hour + l.DayStart)
}

// Spend counts units that were used already, without waiting; they count against the day only.
func (s *Scope) Spend(units float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parkedUntil(time.Now(), 0)
	s.spent += units
}

// Refused closes the scope for everybody, because a request that began at start was refused for its rate. after is the pause
// that the answer asked for, zero if none: then the pause doubles with each refusal that no answers made up for, see Served. It
// returns the pause from now on. Requests that were on their way when the scope was closed do not count as refused once more.
func (s *Scope) Refused(ctx context.Context, start time.Time, after time.Duration) time.Duration {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { meter.Wait(ctx, s.limit.Name, s.closed) }()
	s.refill(now)
	if !start.Before(s.shut) {
		after = max(after, s.strike(now, after))
	}
	if until := now.Add(after); until.After(s.closed) {
		s.closed = until
		s.meter.Throttle(s.limit.Name, now, after)
	}
	return max(0, s.closed.Sub(now))
}

// Served notes that a request which began at start was let through. Thereby pauses do not grow where a request is refused now and then.
func (s *Scope) Served(start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.strikes == 0 || start.Before(s.shut) {
		return
	}
	if s.served++; s.served == servedPerStrike {
		s.served, s.strikes = 0, s.strikes-1
	}
}

// strike notes a fresh refusal and returns the pause for it where none was asked for.
func (s *Scope) strike(now time.Time, after time.Duration) time.Duration {
	if now.Sub(s.closed) > backoffMax {
		s.strikes = 0
	}
	pause := after
	if after <= 0 {
		pause = min(backoffFirst<<s.strikes+rand.N(backoffJitter), backoffMax)
	}
	s.strikes = min(s.strikes+1, strikesMost)
	s.shut = now
	s.tokens = min(s.tokens, 0)
	s.pace = max(paceLeast, s.pace/2)
	return pause
}

// Park ends the day of the scope: Wait returns a ParkedError until the next day begins. It returns that moment.
func (s *Scope) Park() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = s.limit.NextDay(time.Now())
	return s.parked
}

// idle reports whether the scope has nothing left to remember.
func (s *Scope) idle(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refill(now)
	return s.tokens >= s.limit.Burst() && s.pace >= 1 && len(s.turn) == 0 &&
		now.Sub(s.closed) > backoffMax && !s.parked.After(now) && (s.limit.PerDay <= 0 || s.spent == 0)
}

// Scopes holds one scope of the same limit for each key, such as each user. It forgets those that are idle.
type Scopes struct {
	limit Limit
	meter *meter.Meter

	mu    sync.Mutex
	byKey map[string]*Scope
	sweep int // size at which to look for idle scopes
}

// sweepFrom is the number of scopes that are kept without asking whether they are needed.
const sweepFrom = 1024

// NewScopes returns an empty set.
func NewScopes(l Limit, m *meter.Meter) *Scopes {
	return &Scopes{limit: l, meter: m, byKey: map[string]*Scope{}, sweep: sweepFrom}
}

// Get returns the scope of the key.
func (s *Scopes) Get(key string) *Scope {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sc, ok := s.byKey[key]; ok {
		return sc
	}
	if len(s.byKey) >= s.sweep {
		s.dropIdle(time.Now())
	}
	sc := NewScope(s.limit, s.meter)
	s.byKey[key] = sc
	return sc
}

func (s *Scopes) dropIdle(now time.Time) {
	for key, sc := range s.byKey {
		if sc.idle(now) {
			delete(s.byKey, key)
		}
	}
	s.sweep = max(sweepFrom, 2*len(s.byKey))
}

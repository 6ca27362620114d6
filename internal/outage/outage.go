// Package outage tells a server that is gone from an account that is refused.
//
// When the tasks of several accounts in a row stop because a side does not answer, or gives out no token, a Guard looks at that side by
// itself, without any account. Only what is wrong then is wrong for everybody: the rest of the accounts is left alone instead of failing
// one after the other. What is wrong with single accounts stops no other account, however many they are.
package outage

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

// Place is what all accounts use alike: the provider, or the target of a kind.
type Place struct {
	Side preflight.Side
	Kind string // empty for the provider
}

// placesOf are what something of a kind needs.
func placesOf(kind string) []Place {
	return []Place{{Side: preflight.Source}, {preflight.Target, kind}}
}

// inARow is how many accounts have to stop before a place is looked at.
const inARow = 3

// patience are the pauses before a place is looked at again that was of use before: half an hour in all, which servers take that are
// restarted or brought up to date.
var patience = []time.Duration{
	time.Minute, time.Minute, 2 * time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute, 10 * time.Minute,
}

// Guard keeps accounts from what cannot succeed. It is safe for concurrent use. A nil Guard lets everything pass.
type Guard struct {
	// Look looks at a place without any account's credentials. It returns what is wrong with it for everybody, or nil. The account is
	// one of those that stopped; its name is for addresses.
	Look func(ctx context.Context, p Place, account string) *preflight.Finding
	// Answered reports whether a place was of use since the run began; may be nil. Such a place is waited for.
	Answered func(p Place) bool
	// Tell is told what is wrong with a place and when it is looked at again: the zero time if it is given up. Nothing is wrong any more
	// if the finding is nil. May be nil.
	Tell func(p Place, f *preflight.Finding, again time.Time)

	mu     sync.Mutex
	drain  <-chan struct{}
	places map[Place]*state
}

type state struct {
	vain     []string           // accounts that stopped in a row, up to inARow
	answered bool               // a task came to its end here
	looking  chan struct{}      // closed at the end of the look that is under way; nil if none is
	wrong    *preflight.Finding // for everybody; nil: the place may be used
	missed   map[string]bool    // accounts that were left alone
}

// Gone is a place that was given up.
type Gone struct {
	Place Place
	preflight.Finding
	// Missed are the accounts of which something was left alone, in alphabetical order.
	Missed []string
}

// Begin forgets everything, for a run that ends early when drain is closed.
func (g *Guard) Begin(drain <-chan struct{}) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drain, g.places = drain, map[Place]*state{}
}

// Pass reports whether something of a kind of an account may be begun. It waits while a place is being looked at.
func (g *Guard) Pass(ctx context.Context, account, kind string) bool {
	if g == nil {
		return true
	}
	for _, p := range placesOf(kind) {
		if wrong := g.settled(ctx, p, account); wrong || ctx.Err() != nil {
			return false
		}
	}
	return true
}

// settled waits for the look that is under way, if one is, and reports whether the place was given up. An account that misses something
// by that is noted; empty: none does.
func (g *Guard) settled(ctx context.Context, p Place, missing string) (gone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.at(p)
	for s.looking != nil && ctx.Err() == nil {
		g.await(ctx, s.looking)
	}
	if s.wrong != nil && missing != "" {
		s.missed[missing] = true
	}
	return s.wrong != nil
}

// await waits without holding the lock.
func (g *Guard) await(ctx context.Context, end <-chan struct{}) {
	g.mu.Unlock()
	defer g.mu.Lock()
	select {
	case <-end:
	case <-ctx.Done():
	}
}

// at returns the state of a place. The lock is held.
func (g *Guard) at(p Place) *state {
	if g.places == nil {
		g.places = map[Place]*state{}
	}
	s := g.places[p]
	if s == nil {
		s = &state{missed: map[string]bool{}}
		g.places[p] = s
	}
	return s
}

// Ended takes note of how something of a kind of an account ended, and looks at the place if it has to. It returns when that is known.
func (g *Guard) Ended(ctx context.Context, account, kind string, err error) {
	if g == nil || ctx.Err() != nil {
		return
	}
	var p Place
	switch suspect(err) {
	case preflight.Source:
		p = Place{Side: preflight.Source}
	case preflight.Target:
		p = Place{preflight.Target, kind}
	default:
		g.alone(kind, err == nil)
		return
	}
	if end := g.suspected(p, account); end != nil {
		wrong := g.look(ctx, p, account)
		g.mu.Lock()
		defer g.mu.Unlock()
		s := g.at(p)
		s.wrong, s.looking, s.vain = wrong, nil, nil
		close(end)
		return
	}
	g.settled(ctx, p, "")
}

// suspect returns the side of which an error may say that it is of no use to anybody; empty if it says so of none.
func suspect(err error) preflight.Side {
	if err == nil {
		return ""
	}
	switch fault.Of(err).Reason {
	case fault.SourceUnavailable, fault.SourceAuth:
		return preflight.Source
	case fault.TargetUnavailable:
		return preflight.Target
	}
	return ""
}

// ForEverybody reports whether a reason may be one that concerns whoever asks, and not an account.
func ForEverybody(r fault.Reason) bool { return suspect(fault.New(fault.FailTask, r, "")) != "" }

// alone notes that what ended says nothing of others than its account; well, that it came to a good end.
func (g *Guard) alone(kind string, well bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range placesOf(kind) {
		s := g.at(p)
		s.vain, s.answered = nil, s.answered || well
	}
}

// suspected notes that an account stopped at a place. It returns a channel if the caller has to look at it, and to close that afterwards.
func (g *Guard) suspected(p Place, account string) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.at(p)
	if s.looking != nil || s.wrong != nil {
		return nil
	}
	if !slices.Contains(s.vain, account) {
		s.vain = append(s.vain, account)
	}
	if len(s.vain) < inARow {
		return nil
	}
	s.looking = make(chan struct{})
	return s.looking
}

// look returns what is wrong with a place for everybody, after all patience with one that was of use before. It returns nil if that cannot
// be told, since the run ends.
func (g *Guard) look(ctx context.Context, p Place, account string) *preflight.Finding {
	for try := 0; ; try++ {
		f := g.Look(ctx, p, account)
		switch {
		case ctx.Err() != nil:
			return nil
		case f == nil:
			if try > 0 {
				g.tell(p, nil, time.Time{})
			}
			return nil
		case try == len(patience) || !passing(f) || !g.wasOfUse(p):
			g.tell(p, f, time.Time{})
			return f
		}
		again := time.Now().Add(patience[try])
		g.tell(p, f, again)
		meter.Wait(ctx, "the "+nameOf(p.Side)+", which cannot be reached", again)
		if !g.wait(ctx, patience[try]) {
			return nil
		}
	}
}

// passing reports whether what is wrong may pass by itself.
func passing(f *preflight.Finding) bool { return strings.HasSuffix(string(f.Reason), ".unavailable") }

func nameOf(side preflight.Side) string {
	if side == preflight.Source {
		return "provider"
	}
	return "target"
}

func (g *Guard) wasOfUse(p Place) bool {
	g.mu.Lock()
	answered := g.at(p).answered
	g.mu.Unlock()
	return answered || g.Answered != nil && g.Answered(p)
}

func (g *Guard) tell(p Place, f *preflight.Finding, again time.Time) {
	if g.Tell != nil {
		g.Tell(p, f, again)
	}
}

// wait reports whether d passed before the run ends.
func (g *Guard) wait(ctx context.Context, d time.Duration) bool {
	g.mu.Lock()
	drain := g.drain
	g.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-drain:
	case <-ctx.Done():
	}
	return false
}

// Gone returns the places that were given up, by side and kind.
func (g *Guard) Gone() (out []Gone) {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for p, s := range g.places {
		if s.wrong == nil {
			continue
		}
		gone := Gone{Place: p, Finding: *s.wrong}
		for account := range s.missed {
			gone.Missed = append(gone.Missed, account)
		}
		slices.Sort(gone.Missed)
		out = append(out, gone)
	}
	slices.SortFunc(out, func(a, b Gone) int {
		return cmp.Or(strings.Compare(string(a.Place.Side), string(b.Place.Side)), strings.Compare(a.Place.Kind, b.Place.Kind))
	})
	return out
}

package outage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

var (
	silent  = fault.New(fault.Retry, fault.TargetUnavailable, "connection refused")
	dumb    = fault.New(fault.Retry, fault.SourceUnavailable, "no such host")
	noToken = fault.New(fault.FailTask, fault.SourceAuth, "the secret has expired")
	refused = fault.New(fault.FailTask, fault.TargetAuth, "wrong password")
)

// looks counts what a guard looks at. Nothing is found but what is said.
type looks struct {
	at    []outage.Place
	found []*preflight.Finding // one after the other; the last one again and again
}

func (l *looks) look(_ context.Context, p outage.Place, _ string) *preflight.Finding {
	l.at = append(l.at, p)
	if len(l.found) == 0 {
		return nil
	}
	f := l.found[min(len(l.at), len(l.found))-1]
	return f
}

func gone(r fault.Reason) *preflight.Finding {
	return &preflight.Finding{Level: preflight.Error, Reason: r, What: "it is gone", Do: "bring it back"}
}

// TestWhenAPlaceIsLookedAt lets accounts end one after the other. Only what may be everybody's trouble, of several accounts in a row, has
// the place looked at.
func TestWhenAPlaceIsLookedAt(t *testing.T) {
	type end struct {
		account, kind string
		err           error
	}
	target := func(kind string) outage.Place { return outage.Place{Side: preflight.Target, Kind: kind} }
	for _, c := range []struct {
		name string
		ends []end
		want []outage.Place
	}{
		{"two of three", []end{{"a", "mail", silent}, {"b", "mail", silent}}, nil},
		{"three in a row", []end{{"a", "mail", silent}, {"b", "mail", silent}, {"c", "mail", silent}}, []outage.Place{target("mail")}},
		{"three calendars of one account", []end{{"a", "calendar", silent}, {"a", "calendar", silent}, {"a", "calendar", silent}}, nil},
		{"one good end among them", []end{{"a", "mail", silent}, {"b", "mail", silent}, {"c", "mail", nil}, {"d", "mail", silent}}, nil},
		{"a login refused among them", []end{{"a", "mail", silent}, {"b", "mail", silent}, {"c", "mail", refused}, {"d", "mail", silent}}, nil},
		{"other kinds are other servers", []end{{"a", "mail", silent}, {"b", "files", silent}, {"c", "tasks", silent}}, nil},
		{"the provider is one for all kinds", []end{{"a", "mail", dumb}, {"b", "files", noToken}, {"c", "tasks", dumb}}, []outage.Place{{Side: preflight.Source}}},
		{"logins alone", []end{{"a", "mail", refused}, {"b", "mail", refused}, {"c", "mail", refused}}, nil},
		{"what nobody knows", []end{{"a", "mail", errors.New("?")}, {"b", "mail", errors.New("?")}, {"c", "mail", errors.New("?")}}, nil},
	} {
		l := new(looks)
		g := &outage.Guard{Look: l.look}
		for _, e := range c.ends {
			g.Ended(t.Context(), e.account, e.kind, e.err)
		}
		if !slices.Equal(l.at, c.want) {
			t.Errorf("%s: looked at %v, want %v", c.name, l.at, c.want)
		}
		if !g.Pass(t.Context(), "z", "mail") || len(g.Gone()) > 0 {
			t.Errorf("%s: a place in which nothing was found is closed: %v", c.name, g.Gone())
		}
	}
}

// fails lets a kind of three accounts end with an error.
func fails(ctx context.Context, g *outage.Guard, kind string, err error) {
	for _, account := range []string{"a", "b", "c"} {
		g.Ended(ctx, account, kind, err)
	}
}

func TestGoneForEverybody(t *testing.T) {
	l := &looks{found: []*preflight.Finding{gone(fault.TargetUnavailable)}}
	g := &outage.Guard{Look: l.look}
	fails(t.Context(), g, "mail", silent)
	for _, account := range []string{"e", "d", "d"} {
		if g.Pass(t.Context(), account, "mail") {
			t.Errorf("%s may begin", account)
		}
	}
	if !g.Pass(t.Context(), "d", "files") {
		t.Error("another server is closed as well")
	}
	out := g.Gone()
	if len(out) != 1 || out[0].What != "it is gone" || fmt.Sprint(out[0].Missed) != "[d e]" || out[0].Place.Kind != "mail" {
		t.Errorf("%+v", out)
	}
	if g.Begin(nil); !g.Pass(t.Context(), "d", "mail") {
		t.Error("another run begins with what the last one found")
	}
}

// TestWaitedFor has a server that was of use go away. It is looked at again until it is back, and nobody begins meanwhile.
func TestWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := gone(fault.TargetUnavailable)
		l := &looks{found: []*preflight.Finding{wrong, wrong, nil}}
		var told []bool
		g := &outage.Guard{Look: l.look, Tell: func(_ outage.Place, f *preflight.Finding, again time.Time) {
			told = append(told, f != nil && again.After(time.Now()))
		}}
		g.Ended(t.Context(), "z", "mail", nil)
		passed := make(chan bool)
		go fails(t.Context(), g, "mail", silent)
		synctest.Wait()
		go func() { passed <- g.Pass(t.Context(), "d", "mail") }()
		synctest.Wait()
		select {
		case <-passed:
			t.Fatal("an account begins while the server is waited for")
		default:
		}
		if !<-passed || len(l.at) != 3 || len(g.Gone()) > 0 || fmt.Sprint(told) != "[true true false]" {
			t.Errorf("looked %d times, told %v, gone: %v", len(l.at), told, g.Gone())
		}
	})
}

// TestPatienceEnds has servers stay away: one that was of use before is waited for half an hour, others not at all, nor is a token that is
// refused.
func TestPatienceEnds(t *testing.T) {
	for _, c := range []struct {
		name    string
		reason  fault.Reason
		of      bool
		err     error
		waits   time.Duration
		looking int
	}{
		{"was of use", fault.TargetUnavailable, true, silent, 30 * time.Minute, 9},
		{"never answered", fault.TargetUnavailable, false, silent, 0, 1},
		{"no token", fault.SourceAuth, true, noToken, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &looks{found: []*preflight.Finding{gone(c.reason)}}
				g := &outage.Guard{Look: l.look, Answered: func(outage.Place) bool { return c.of }}
				begun := time.Now()
				fails(t.Context(), g, "mail", c.err)
				if took := time.Since(begun); took != c.waits || len(l.at) != c.looking || len(g.Gone()) != 1 {
					t.Errorf("waited %v and looked %d times, gone: %v", took, len(l.at), g.Gone())
				}
			})
		})
	}
}

// TestTheEndOfARunEndsWaiting closes the window, and interrupts the run, while a server is waited for.
func TestTheEndOfARunEndsWaiting(t *testing.T) {
	for _, name := range []string{"window", "interrupt"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &looks{found: []*preflight.Finding{gone(fault.TargetUnavailable)}}
				g := &outage.Guard{Look: l.look, Answered: func(outage.Place) bool { return true }}
				drain := make(chan struct{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				g.Begin(drain)
				ended := make(chan struct{})
				go func() { fails(ctx, g, "mail", silent); close(ended) }()
				synctest.Wait()
				if name == "window" {
					close(drain)
				} else {
					cancel()
				}
				synctest.Wait()
				select {
				case <-ended:
				default:
					t.Error("it goes on waiting")
				}
				if len(g.Gone()) > 0 {
					t.Errorf("given up: %v", g.Gone())
				}
			})
		})
	}
}

func TestNobodyGuards(t *testing.T) {
	var g *outage.Guard
	g.Begin(nil)
	fails(t.Context(), g, "mail", silent)
	if !g.Pass(t.Context(), "d", "mail") || g.Gone() != nil {
		t.Error("no guard keeps somebody back")
	}
}

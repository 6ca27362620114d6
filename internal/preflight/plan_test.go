package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"codeberg.org/repatriate/repatriate/fault"
)

func says(found ...Finding) Probe {
	return func(_ context.Context, l *Log) error {
		l.found = append(l.found, found...)
		return nil
	}
}

func fails(r fault.Reason, text string) Probe {
	return func(context.Context, *Log) error {
		return fault.New(fault.FailTask, r, "%s", text).WithHint("do " + text)
	}
}

func run1(t *testing.T, p Plan, accounts ...Account) *Report {
	t.Helper()
	p.Accounts, p.Count, p.Parallel = slices.Values(accounts), len(accounts), 4
	r, err := p.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheSameIsSaidOnce(t *testing.T) {
	var all []Account
	for i := range 40 {
		name := fmt.Sprintf("user%d@example.org", i)
		all = append(all, Account{Name: name, Also: []string{fmt.Sprintf("u%d", i)}, Checks: []Check{
			{Side: Source, Kinds: []string{"mail"}, Probe: fails(fault.SourceScopeMissing, "no token for "+name)},
			{Side: Target, Kinds: []string{"mail"}, Probe: fails(fault.TargetAuth, fmt.Sprintf("/home/u%d/ of users", i))},
		}})
	}
	r := run1(t, Plan{}, all...)
	groups := r.Groups()
	if len(groups) != 2 {
		t.Fatalf("%d groups", len(groups))
	}
	for i, want := range []string{"no token for ACCOUNT", "/home/ACCOUNT/ of users"} {
		if g := groups[i]; g.What != want || g.Accounts != 40 || len(g.Named) != maxNamed || g.Do != "do "+want {
			t.Errorf("got %+v, want %q of 40", g, want)
		}
	}
	if s := r.Summary(); s.Cannot != 40 || s.Ready != 0 || r.ExitCode() != 4 {
		t.Errorf("%+v, exit code %d", s, r.ExitCode())
	}
}

// What concerns one account alone is said with its name.
func TestOneAccountKeepsItsName(t *testing.T) {
	r := run1(t, Plan{}, Account{Name: "ada@example.org", Also: []string{"ada"}, Checks: []Check{{Side: Target, Probe: fails(fault.TargetInvalid, "/files/ada/ of adam")}}})
	for range 2 {
		if g := r.Groups(); len(g) != 1 || g[0].What != "/files/ada/ of adam" || g[0].Do != "do /files/ada/ of adam" {
			t.Errorf("got %+v", g)
		}
	}
}

func TestExitCodes(t *testing.T) {
	fine := Check{Side: Target, Kinds: []string{"files"}, Probe: says(Finding{What: "fine"})}
	warn := Check{Side: Target, Kinds: []string{"files"}, Probe: says(Finding{Level: Warning, What: "hm"})}
	bad := Check{Side: Target, Kinds: []string{"files"}, Probe: says(Finding{Level: Error, What: "no"})}
	good, worried, lost := Account{Name: "a", Checks: []Check{fine}}, Account{Name: "b", Checks: []Check{warn}}, Account{Name: "c", Checks: []Check{bad}}
	for name, c := range map[string]struct {
		plan     Plan
		accounts []Account
		code     int
	}{
		"nothing":             {Plan{}, []Account{good}, 0},
		"warnings":            {Plan{Shared: []Check{warn}}, []Account{good, worried}, 0},
		"some":                {Plan{}, []Account{good, worried, lost}, 3},
		"all":                 {Plan{}, []Account{lost}, 4},
		"a target refuses":    {Plan{Shared: []Check{bad}}, []Account{good, worried}, 4},
		"the provider does":   {Plan{Shared: []Check{{Side: Source, Probe: bad.Probe}}}, []Account{good}, 4},
		"nobody to look at":   {Plan{}, nil, 0},
		"an unknown trouble":  {Plan{}, []Account{good, {Name: "x", Checks: []Check{{Side: Source, Probe: func(context.Context, *Log) error { return errors.New("boom") }}}}}, 3},
		"both sides, one bad": {Plan{Shared: []Check{fine, warn}}, []Account{good, lost}, 3},
	} {
		if got := run1(t, c.plan, c.accounts...).ExitCode(); got != c.code {
			t.Errorf("%s: exit code %d, want %d", name, got, c.code)
		}
	}
}

// What an earlier check made idle is not looked at: not on that side, not for those kinds, and everything else is.
func TestIdleChecks(t *testing.T) {
	var looked [6]atomic.Int32
	count := func(i int) Probe {
		return func(context.Context, *Log) error { looked[i].Add(1); return nil }
	}
	r := run1(t, Plan{Shared: []Check{
		{Side: Target, Kinds: []string{"files", "calendar"}, Probe: fails(fault.TargetUnavailable, "no server")},
		{Side: Target, Kinds: []string{"calendar"}, Probe: count(0)},
		{Side: Source, Probe: count(1)},
	}}, Account{Name: "a", Checks: []Check{
		{Side: Target, Kinds: []string{"files"}, Probe: count(2)},
		{Side: Target, Kinds: []string{"mail"}, Probe: count(3)},
		{Side: Source, Probe: fails(fault.SourceSuspended, "suspended")},
		{Side: Source, Kinds: []string{"mail"}, Probe: count(4)},
	}}, Account{Name: "b", Checks: []Check{
		{Side: Source, Kinds: []string{"mail"}, Probe: count(5)},
	}}, Account{Name: "c", Checks: []Check{
		{Side: Target, Kinds: []string{"files"}, Probe: count(2)},
	}})
	for i, want := range []int32{0, 1, 0, 1, 0, 1} {
		if got := looked[i].Load(); got != want {
			t.Errorf("check %d was made %d times, want %d", i, got, want)
		}
	}
	if s := r.Summary(); s.Skipped != 1 || s.Cannot != 1 || s.Ready != 0 || r.ExitCode() != 4 {
		t.Errorf("%+v", s)
	}
}

func TestRoomIsCompared(t *testing.T) {
	account := func(used, room int64) Account {
		return Account{Name: "a", Checks: []Check{
			{Side: Source, Kinds: []string{"files"}, Probe: func(_ context.Context, l *Log) error { l.Uses(used); return nil }},
			{Side: Target, Kinds: []string{"files"}, Probe: func(_ context.Context, l *Log) error {
				if room >= 0 {
					l.Room(room)
				}
				return nil
			}},
		}}
	}
	for _, c := range []struct {
		used, room int64
		code       int
	}{{1e9, 2e9, 0}, {2e9, 2e9, 0}, {2e9, 2e9 - 1, 4}, {1, 0, 4}, {0, 0, 0}, {1e9, -1, 0}} {
		r := run1(t, Plan{}, account(c.used, c.room))
		if r.ExitCode() != c.code {
			t.Errorf("%d bytes into %d: exit code %d, want %d", c.used, c.room, r.ExitCode(), c.code)
		}
	}
	want := "the source holds 1.5 GB, and the target has room for 200.0 MB"
	if g := run1(t, Plan{}, account(1.5e9, 2e8)).Groups(); len(g) != 1 || g[0].What != want || g[0].Reason != fault.TargetQuota {
		t.Errorf("got %+v", g)
	}
}

// Who is busy is asked again, a few times; nobody else is.
func TestBusyServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			reason      fault.Reason
			busy, tries int
			level       Level
		}{
			{fault.TargetThrottled, 2, 3, OK}, {fault.SourceThrottled, 9, tries, Error}, {fault.TargetUnavailable, 9, 1, Error},
		} {
			asked := 0
			r := run1(t, Plan{}, Account{Name: "a", Checks: []Check{{Side: Target, Probe: func(_ context.Context, l *Log) error {
				l.OK("asked")
				if asked++; asked <= c.busy {
					return fault.New(fault.Retry, c.reason, "busy")
				}
				return nil
			}}}})
			groups := r.Groups()
			if asked != c.tries || groups[0].Level != c.level || len(groups) != 1 && c.level == OK {
				t.Errorf("%s: asked %d times, want %d; %+v", c.reason, asked, c.tries, groups[0])
			}
		}
	})
}

func TestCancelledIsNoFinding(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := Plan{Accounts: slices.Values([]Account{{Name: "a", Checks: []Check{{Side: Source, Probe: func(ctx context.Context, _ *Log) error {
		cancel()
		return ctx.Err()
	}}}}}), Count: 1, Parallel: 1}
	r, err := p.Run(ctx)
	if !errors.Is(err, context.Canceled) || len(r.Groups()) != 0 {
		t.Errorf("%v, %+v", err, r.Groups())
	}
}

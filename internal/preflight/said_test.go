package preflight

import (
	"context"
	"slices"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
)

// TestTheSameOfSeveralKinds: what is the same for several kinds of an account is said once, and accounts stand together whose kinds are
// the same.
func TestTheSameOfSeveralKinds(t *testing.T) {
	check := func(kind, what string) Check {
		return Check{Side: Source, Kinds: []string{kind}, Probe: fails(fault.SourceServiceOff, what)}
	}
	off := func(name string, kinds ...string) Account {
		a := Account{Name: name}
		for _, k := range kinds {
			a.Checks = append(a.Checks, Check{Side: Source, Kinds: []string{k}, Probe: func(context.Context, *Log) error {
				return fault.New(fault.FailTask, fault.SourceServiceOff, "list %s: no mailbox", k).WithHint("leave it out")
			}})
		}
		return a
	}
	r := run1(t, Plan{Shared: []Check{check("files", "off"), check("tasks", "off")}},
		off("ada", "mail", "calendar"), off("ben", "mail", "calendar"), off("eve", "mail"))
	var got []string
	for _, g := range r.Groups() {
		got = append(got, g.What)
		switch g.What {
		case "off":
			if g.Accounts != 0 || !slices.Equal(g.Kinds, []string{"files", "tasks"}) {
				t.Errorf("everybody: %+v", g)
			}
		case "list mail: no mailbox":
			if two := len(g.Kinds) == 2; two != slices.Equal(g.Named, []string{"ada", "ben"}) || !two && !slices.Equal(g.Named, []string{"eve"}) {
				t.Errorf("%q: %q", g.Kinds, g.Named)
			}
		}
	}
	if !slices.Equal(got, []string{"off", "list mail: no mailbox", "list mail: no mailbox"}) {
		t.Errorf("findings: %q", got)
	}
	if s := r.Summary(); s.Errors != 3 || s.Cannot != 3 {
		t.Errorf("%+v", s)
	}
}

// TestARefusedLoginIsTriedOnce: the finding names all kinds that log in so, and other logins are tried.
func TestARefusedLoginIsTriedOnce(t *testing.T) {
	var mu sync.Mutex
	tried := map[string]int{}
	login := func(kind, key string, reason fault.Reason) Check {
		return Check{Side: Target, Kinds: []string{kind}, Login: key, Probe: func(context.Context, *Log) error {
			mu.Lock()
			defer mu.Unlock()
			tried[kind]++
			return fault.New(fault.FailTask, reason, "no %s of %s", reason, key)
		}}
	}
	r := run1(t, Plan{}, Account{Name: "ada", Checks: []Check{
		login("files", "cloud", fault.TargetAuth), login("mail", "post", fault.TargetAuth), login("calendar", "cloud", fault.TargetAuth),
		login("contacts", "cloud", fault.TargetAuth),
	}}, Account{Name: "ben", Checks: []Check{
		login("tasks", "cloud", fault.TargetForbidden), login("tasks", "cloud", fault.TargetAuth),
	}})
	for _, c := range []struct {
		kind  string
		times int
	}{{"files", 1}, {"mail", 1}, {"calendar", 0}, {"contacts", 0}, {"tasks", 1}} {
		if tried[c.kind] != c.times {
			t.Errorf("%s: tried %d times, want %d", c.kind, tried[c.kind], c.times)
		}
	}
	for _, g := range r.Groups() {
		if g.What == "no target.auth of cloud" && !slices.Equal(g.Kinds, []string{"files", "calendar", "contacts"}) {
			t.Errorf("%q: %q", g.What, g.Kinds)
		}
	}
	if n := len(r.Groups()); n != 3 {
		t.Errorf("%d findings, want 3", n)
	}
}

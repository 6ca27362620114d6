package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

func goneTarget(kind, what string, missed ...string) outage.Gone {
	return outage.Gone{Place: outage.Place{Side: preflight.Target, Kind: kind}, Missed: missed,
		Finding: preflight.Finding{Reason: fault.TargetUnavailable, What: what, Do: "start it"}}
}

// TestOneServerOfSeveralKinds: what has one cause is told once, with everybody whom it concerns, and what stopped for another reason beside.
func TestOneServerOfSeveralKinds(t *testing.T) {
	stopped := func(account, kind, why string) checkpoint.Status {
		return checkpoint.Status{Task: checkpoint.Task{Account: account, Kind: kind, Collection: "c"}, Error: why}
	}
	refused := "dial tcp: refused (target.unavailable)"
	r := New("pilot", []checkpoint.Status{
		stopped("ada", "calendar", refused), stopped("ada", "mail", refused), stopped("ben", "contacts", "one item after the other failed, the last with: "+refused),
		stopped("cid", "calendar", "wrong password (target.auth)"),
	})
	r.Missed(Outages([]outage.Gone{
		goneTarget("calendar", "no connection\x1b[2J", "ben", "dora"), goneTarget("contacts", "no connection\x1b[2J", "dora", "eve"), goneTarget("files", "no such name", "eve"),
	}))
	if len(r.Outages) != 2 || fmt.Sprint(r.Outages[0].Kinds, r.Outages[0].Left, r.Outages[1].Kinds) != "[calendar contacts] [ben dora eve] [files]" {
		t.Fatalf("%+v", r.Outages)
	}
	var b strings.Builder
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{
		"The target of calendar, contacts cannot be used by any account: no connection\ufffd[2J (target.unavailable) What to do: start it. " +
			"It stopped 2 collections. Not even begun for it: 2 accounts.",
		"The target of files cannot be used by any account: no such name", "It stopped 0 collections. Not even begun for it: 1 account.",
		"Stopped: ada, mail (c) dial tcp", "Stopped: cid, calendar (c) wrong password",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	if n := strings.Count(text, "Stopped: "); n != 2 || r.ExitCode() != 4 {
		t.Errorf("%d causes beside the outages, exit code %d", n, r.ExitCode())
	}
}

// TestOutagesSayWhatToDo: what was said of this very one, or else what its reason says.
func TestOutagesSayWhatToDo(t *testing.T) {
	for _, c := range []struct{ do, want string }{
		{"start it", "What to do: start it."},
		{"", "What to do: " + Advice("target.unavailable")},
	} {
		r := New("pilot", nil)
		r.Outages = []Outage{{Side: preflight.Target, Kinds: []string{"mail"}, Reason: "target.unavailable", What: "no answer", Do: c.do}}
		var b strings.Builder
		r.WriteOutages(&b)
		if text := strings.Join(strings.Fields(b.String()), " "); !strings.Contains(text, c.want) {
			t.Errorf("%q: no %q in\n%s", c.do, c.want, b.String())
		}
	}
}

func TestARunThatLeftEverybodyHasStopped(t *testing.T) {
	for _, c := range []struct {
		state string
		code  int
	}{{Complete, 4}, {Incomplete, 4}, {Interrupted, 130}} {
		r := New("pilot", nil)
		r.State = c.state
		if r.Missed(Outages([]outage.Gone{goneTarget("mail", "gone", "ada")})); r.ExitCode() != c.code {
			t.Errorf("%s: exit code %d", c.state, r.ExitCode())
		}
	}
	v, u := NewVerification("pilot", 0), Undoing{Outages: Outages([]outage.Gone{goneTarget("mail", "gone", "ada")})}
	if v.Missed(u.Outages); v.ExitCode() != 4 || u.ExitCode() != 4 {
		t.Errorf("verify ends with %d, undo with %d", v.ExitCode(), u.ExitCode())
	}
}

func TestNewsOfOutages(t *testing.T) {
	at := outage.Place{Side: preflight.Target, Kind: "mail"}
	f := &preflight.Finding{What: "no\nconnection"}
	noon := time.Date(2026, 11, 27, 12, 0, 5, 0, time.Local)
	for _, c := range []struct{ got, want string }{
		{OutageNews(at, f, noon), "The target of mail cannot be used by any account: no connection; trying again at 12:00:05"},
		{OutageNews(at, f, time.Time{}), "The target of mail cannot be used by any account: no connection; leaving the others as they are"},
		{OutageNews(outage.Place{Side: preflight.Source}, nil, time.Time{}), "The provider can be used again: going on"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

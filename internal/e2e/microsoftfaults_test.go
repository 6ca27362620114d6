package e2e

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// TestMicrosoftStorm refuses every third request, ends download links, cuts downloads and answers with nothing.
func TestMicrosoftStorm(t *testing.T) {
	s := realServers(t)
	spec := organisation.Spec{Users: 1, Mail: 10, Files: 10, Events: 5, Seed: 6}
	calmData, data := graph.Generate(spec), graph.Generate(spec)
	calm, _ := newTenant(t, calmData, graph.Options{}, s.urls(), graphPeople(t, calmData)...)
	first := calm.run(0)
	want := statesOf(t, s, calm)

	w, provider := newTenant(t, data, graph.Options{LinkLife: 2 * time.Second, TokenLife: 10 * time.Second}, s.urls(), graphPeople(t, data)...)
	w.setHook(storm(provider))
	r := w.run(0)
	if r.report.Totals != first.report.Totals {
		t.Errorf("the ledger is %+v, want %+v", r.report.Totals, first.report.Totals)
	}
	for source, got := range statesOf(t, s, w) {
		compare(t, got, want[source])
	}
	for _, scope := range []string{"Exchange, per mailbox", "SharePoint, the application"} {
		if seconds := r.report.Pass.Throttled[scope]; seconds < 1 {
			t.Errorf("%s was throttled for %.1f s: %v", scope, seconds, r.report.Pass.Throttled)
		}
	}
	t.Logf("%+v", *r.report.Pass)

	// All positions are forgotten: everything is listed anew, and nothing is written again.
	w.setHook(nil)
	data.ExpireTokens()
	settledButListed(t, w.run(0), r)
}

// storm is what goes wrong with requests, by their numbers. Which third of them is refused has no period: an attempt of three requests
// could meet it for ever.
func storm(provider *graph.Server) providerHook {
	var n atomic.Int64
	return func(name string) (cloudsim.Fault, bool) {
		if name == "token" {
			return cloudsim.Fault{}, false
		}
		i := n.Add(1)
		switch {
		case uint32(i)*2654435761>>16%3 == 0:
			return cloudsim.Fault{Kind: "429", RetryAfter: time.Duration(1+i%5) * time.Second}, true
		case i%41 == 1:
			provider.ExpireLinks()
		case i%53 == 1:
			return cloudsim.Fault{Kind: "503"}, true
		case i%37 == 1:
			return cloudsim.Fault{Kind: "truncate"}, true
		case i%59 == 1:
			return cloudsim.Fault{Kind: "reset"}, true
		}
		return cloudsim.Fault{}, false
	}
}

// settledButListed demands that a pass over an unchanged account wrote nothing, whatever it had to list.
func settledButListed(t *testing.T, again, first result) {
	t.Helper()
	if p := *again.report.Pass; p.Written != 0 || p.Removed != 0 || p.Bytes != 0 {
		t.Errorf("a pass over an unchanged account wrote %d and removed %d items", p.Written, p.Removed)
	}
	if again.report.Totals != first.report.Totals {
		t.Errorf("the ledger was %+v and is %+v", first.report.Totals, again.report.Totals)
	}
}

// TestMicrosoftQuotas keeps the quotas of a small tenant, on a clock that runs thirty times as fast, without one refusal.
func TestMicrosoftQuotas(t *testing.T) {
	s := realServers(t)
	quotas := graph.SmallTenant()
	quotas.Speed = 30
	data := graph.Generate(organisation.Spec{Users: 1, Mail: 2000, Files: 2000, Events: 20, MailMin: 500, MailMax: 2000, FileMin: 100, FileMax: 500})
	w, _ := newTenant(t, data, graph.Options{Quotas: quotas}, s.urls(), graphPeople(t, data)...)
	w.source = strings.Replace(w.source, "unlimited: true", "clock: 30", 1)
	w.writeJob()
	r := w.run(0)
	if n := w.provider.Refused(); n != 0 {
		t.Errorf("%d requests were refused", n)
	}
	t.Logf("%+v", *r.report.Pass)
}

// TestMicrosoftConsent takes one permission away, and all tokens in the middle of a run.
func TestMicrosoftConsent(t *testing.T) {
	s := realServers(t)
	data := graph.Generate(organisation.Spec{Users: 1, Mail: 80, Files: 80, Events: 5, Seed: 8})
	without := slices.DeleteFunc(graph.ReadOnlyPermissions(), func(p string) bool { return p == "Mail.Read" })
	w, _ := newTenant(t, data, graph.Options{Permissions: without}, s.urls(), graphPeople(t, data)...)
	r := w.run(4)
	w.stopped(r, w.people[0].source, "mail", "source.scope_missing", "Mail.Read", "consent")
	for _, kind := range []string{"files", "calendar"} {
		if task := r.task(t, w.people[0].source, kind); task.Error != "" || task.Copied+task.CopiedWithLosses == 0 {
			t.Errorf("%s: %+v", kind, task)
		}
	}
	w, provider := newTenant(t, data, graph.Options{}, s.urls(), graphPeople(t, data)...)
	var n atomic.Int64
	w.setHook(func(string) (cloudsim.Fault, bool) {
		// So far apart that no request that the first time refused is still under way the second time: each is sent again once.
		if i := n.Add(1); i == 20 || i == 230 {
			provider.RevokeTokens()
		}
		return cloudsim.Fault{}, false
	})
	if r := w.run(0); r.report.Totals.Failed > 0 || r.report.Totals.Copied < 160 || n.Load() < 230 {
		t.Errorf("%+v after %d requests", r.report.Totals, n.Load())
	}
}

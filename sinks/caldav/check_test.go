package caldav

import (
	"context"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
)

// A check leaves nothing, also where it is cut off, and what an earlier one left goes.
func TestCheckLeavesNothing(t *testing.T) {
	for name, at := range map[string]func(*testing.T) Options{
		"embedded": func(t *testing.T) Options { return options(startEmbedded(t).UserURL("u1"), "u1") },
		"Radicale": func(t *testing.T) Options {
			return options(realserver.Radicale(t, realserver.RadicaleOptions{}).CalendarsURL("u1"), "u1")
		},
		"Cyrus": func(t *testing.T) Options {
			server := realserver.Cyrus(t, realserver.CyrusOptions{Scheduling: true, Accounts: realserver.Accounts{Count: 2}})
			return options(server.CalendarsURL(server.User(1).User), server.User(1).User)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := at(t)
			transport := httpx.NewTransport()
			t.Cleanup(transport.CloseIdleConnections)
			o.RoundTripper = transport
			before := calendarsOf(t, o)
			for _, component := range []string{"VEVENT", "VTODO", "VEVENT"} {
				l := new(preflight.Log)
				if err := Check(t.Context(), o, component, l); err != nil || len(l.Findings()) != 1 {
					t.Fatalf("%s: %+v, %v", component, l.Findings(), err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cut := o
				cut.RoundTripper = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPut {
						defer cancel()
					}
					return transport.RoundTrip(r)
				})
				_ = Check(ctx, cut, component, l)
				cancel()
				if after := calendarsOf(t, o); after != before {
					t.Errorf("%s: %d calendars, %d before", component, after, before)
				}
			}
		})
	}
}

func calendarsOf(t *testing.T, o Options) int {
	t.Helper()
	c, err := o.client()
	if err != nil {
		t.Fatal(err)
	}
	h, err := c.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(h.calendars)
}

func TestCheckOfAnAddressThatIsNone(t *testing.T) {
	server := startEmbedded(t)
	o := options(server.UserURL("u1")+"../../nowhere/", "u1")
	if f := fault.Of(Check(t.Context(), o, "VEVENT", new(preflight.Log))); f.Reason != fault.TargetInvalid || f.Action != fault.FailTask || f.Hint == "" {
		t.Errorf("a home that is not there: %v", f)
	}
}

// TestLimits: how large an object may be is what the calendars say; without one nothing is known.
func TestLimits(t *testing.T) {
	o := options(startEmbedded(t).UserURL("u1"), "u1")
	before := calendarsOf(t, o)
	if got, err := Limits(t.Context(), o); err != nil || got.Room != -1 || (got.Item == 0) != (before == 0) {
		t.Errorf("of %d calendars: %+v, %v", before, got, err)
	}
	o.Collection = sinks.Collection{ID: "work", Name: "Work", Components: []string{"VEVENT"}}
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if got, err := Limits(t.Context(), o); err != nil || got != (preflight.Limits{Room: -1, Item: 10 << 20}) {
		t.Errorf("%+v, %v", got, err)
	}
	o.Password = "wrong"
	if got, err := Limits(t.Context(), o); fault.Of(err).Reason != fault.TargetAuth || got != preflight.NoLimits {
		t.Errorf("with a wrong password: %+v, %v", got, err)
	}
}

package webdav_test

import (
	"context"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks/webdav"
	"codeberg.org/repatriate/repatriate/sinks/webdav/nextcloudtest"
)

// A check leaves nothing, also where it is cut off.
func TestCheckLeavesNothing(t *testing.T) {
	for name, at := range map[string]func(*testing.T) login{
		"Apache": func(t *testing.T) login { return userOf(realserver.Apache(t, realserver.ApacheOptions{})) },
		"Cyrus":  func(t *testing.T) login { return userOf(realserver.Cyrus(t, realserver.CyrusOptions{})) },
		"Nextcloud": func(t *testing.T) login {
			return login{url: nextcloudtest.Start(t, nextcloudtest.Options{}).URL(), user: "u1", password: "secret"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o, other := at(t).account(t)
			transport := httpx.NewTransport()
			t.Cleanup(transport.CloseIdleConnections)
			o.Transport = transport
			empty := func(when string) {
				t.Helper()
				left, err := other.ReadDir("/")
				if err != nil || len(left) > 0 {
					t.Errorf("%s: %v, %v", when, left, err)
				}
			}
			for range 2 {
				l := new(preflight.Log)
				if err := webdav.Check(t.Context(), o, l); err != nil || len(l.Findings()) != 1 {
					t.Fatalf("%+v, %v", l.Findings(), err)
				}
				empty("after a check")
			}
			interrupted := func(when string, before bool) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				cut := o
				cut.Transport = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
					if r.Method != http.MethodPut {
						return transport.RoundTrip(r)
					}
					if before {
						cancel()
						return nil, context.Canceled
					}
					defer cancel()
					return transport.RoundTrip(r)
				})
				_ = webdav.Check(ctx, cut, new(preflight.Log))
				empty(when)
			}
			interrupted("cut off before the file was written", true)
			interrupted("cut off after the file was written", false)
		})
	}
}

func TestCheckOfAnAddressThatIsNone(t *testing.T) {
	server := realserver.Apache(t, realserver.ApacheOptions{})
	l := userOf(server)
	err := webdav.Check(t.Context(), webdav.Options{URL: l.url + "nowhere/", User: l.user, Password: l.password}, new(preflight.Log))
	if f := fault.Of(err); f.Reason != fault.TargetInvalid || f.Action != fault.FailTask || f.Hint == "" {
		t.Errorf("a folder that is not there: %v", err)
	}
}

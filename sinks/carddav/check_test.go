package carddav

import (
	"context"
	"net/http"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// A check leaves nothing, also where it is cut off.
func TestCheckLeavesNothing(t *testing.T) {
	for name, at := range map[string]func(*testing.T) Options{
		"embedded": func(t *testing.T) Options { return options(startEmbedded(t).UserAddressBookURL("u1"), "u1") },
		"Radicale": func(t *testing.T) Options {
			return options(realserver.Radicale(t, realserver.RadicaleOptions{}).AddressBooksURL("u1"), "u1")
		},
		"Cyrus": func(t *testing.T) Options {
			server := realserver.Cyrus(t, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 2}})
			return options(server.AddressBooksURL(server.User(1).User), server.User(1).User)
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := at(t)
			transport := httpx.NewTransport()
			t.Cleanup(transport.CloseIdleConnections)
			o.RoundTripper = transport
			before := booksOf(t, o)
			for range 2 {
				l := new(preflight.Log)
				if err := Check(t.Context(), o, l); err != nil || len(l.Findings()) != 1 {
					t.Fatalf("%+v, %v", l.Findings(), err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cut := o
				cut.RoundTripper = httpx.RoundTrip(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPut {
						defer cancel()
					}
					return transport.RoundTrip(r)
				})
				_ = Check(ctx, cut, l)
				cancel()
				if after := booksOf(t, o); after != before {
					t.Errorf("%d address books, %d before", after, before)
				}
			}
		})
	}
}

func booksOf(t *testing.T, o Options) int {
	t.Helper()
	c, err := newClient(o)
	if err != nil {
		t.Fatal(err)
	}
	books, err := c.list(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(books)
}

func TestCheckSaysWhatKeepsPicturesBack(t *testing.T) {
	server := startEmbedded(t)
	server.LimitCards(100_000)
	l := new(preflight.Log)
	if err := Check(t.Context(), options(server.UserAddressBookURL("u1"), "u1"), l); err != nil {
		t.Fatal(err)
	}
	if found := l.Findings(); len(found) != 2 || found[0].Level != preflight.Warning {
		t.Errorf("cards of 100 kB: %+v", found)
	}
	server.LimitCards(100)
	err := Check(t.Context(), options(server.UserAddressBookURL("u1"), "u1"), new(preflight.Log))
	if f := fault.Of(err); f.Reason != fault.TargetTooBig || f.Action != fault.FailTask {
		t.Errorf("cards of 100 bytes: %v", err)
	}
}

// TestLimits: how large a card may be is what the address books say.
func TestLimits(t *testing.T) {
	o := options(startEmbedded(t).UserAddressBookURL("u1"), "u1")
	before := booksOf(t, o)
	if got, err := Limits(t.Context(), o); err != nil || before == 0 || got != (preflight.Limits{Room: -1, Item: 10 << 20}) {
		t.Errorf("of %d address books: %+v, %v", before, got, err)
	}
	if after := booksOf(t, o); after != before {
		t.Errorf("%d address books after asking, %d before", after, before)
	}
	o.Password = "wrong"
	if got, err := Limits(t.Context(), o); fault.Of(err).Reason != fault.TargetAuth || got != preflight.NoLimits {
		t.Errorf("with a wrong password: %+v, %v", got, err)
	}
}

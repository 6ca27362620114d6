package deltamodel

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

const (
	user  = "dora@example.org"
	admin = "admin@example.org"
	// owner and password are of the account on the target.
	owner, password = "dora", "secret"
)

// object is one thing at the source: what a person sees of it, and the provider's own JSON.
type object struct{ facts, raw string }

// objects are those of a collection by the UID that they have on the target.
type objects map[string]object

// world is an account with things of one kind.
type world interface {
	// collections lists what is moved, by the program's own code.
	collections(ctx context.Context) ([]sources.Collection, error)
	// move makes one pass over a collection.
	move(ctx context.Context, g *rig, c sources.Collection, l checkpoint.Ledger) error
	// edit changes something and says what; empty: there was nothing to change.
	edit(r *rand.Rand) string
	// truth is what the account holds, by collection.
	truth() map[string]objects
	// expire makes the provider forget the cursors that it gave.
	expire()
	// read parses what lies on the target.
	read(body []byte) (facts string, err error)
}

// provider is a simulated provider with a client of it.
type provider struct {
	server  *httptest.Server
	front   *cloudsim.Front
	mangler *mangler
}

func serve(t *testing.T, h http.Handler, front *cloudsim.Front, r *rand.Rand) *provider {
	t.Helper()
	p := &provider{front: front, mangler: &mangler{next: h, r: r}}
	p.server = httptest.NewServer(p.mangler)
	t.Cleanup(func() {
		_ = front.Close()
		p.server.CloseClientConnections()
		p.server.Close()
		for _, problem := range front.Problems() {
			t.Errorf("the provider was asked what it does not know: %s", problem)
		}
	})
	return p
}

// clock is the provider's: each look at it is a little later, and sometimes much.
func clock(seed uint64) func() time.Time {
	r := rand.New(rand.NewPCG(seed, 99))
	now := time.Date(2024, 1, 8, 9, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Duration(1+r.IntN(400)) * time.Millisecond)
		if r.IntN(20) == 0 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Minute)
		}
		return now
	}
}

func startGoogle(t *testing.T, data *gsim.Data, o gsim.Options, wire http.RoundTripper, r *rand.Rand) (*google.Client, *provider) {
	t.Helper()
	server := gsim.New(data, o)
	p := serve(t, server, server.Front, r)
	client, err := google.New(t.Context(), google.Options{
		Credentials: server.KeyFile(p.server.URL + "/"), Admin: admin, Endpoint: p.server.URL + "/", Tier: "unlimited", Transport: wire,
	})
	must(t, err)
	return client, p
}

func startMicrosoft(t *testing.T, data *msim.Data, o msim.Options, wire http.RoundTripper, r *rand.Rand) (*microsoft.Client, *provider) {
	t.Helper()
	server := msim.New(data, o)
	p := serve(t, server, server.Front, r)
	client, err := microsoft.New(microsoft.Options{
		Tenant: data.Domain(), ClientID: msim.ClientID, Secret: msim.Secret, Endpoint: p.server.URL + "/", Login: p.server.URL + "/",
		Unlimited: true, Transport: wire,
	})
	must(t, err)
	return client, p
}

func googleData(t *testing.T, seed uint64) *gsim.Data {
	t.Helper()
	data := gsim.NewData("example.org")
	data.Now = clock(seed)
	must(t, data.AddUser(gsim.User{Email: admin, Admin: true}))
	must(t, data.AddUser(gsim.User{Email: user}))
	return data
}

func microsoftData(t *testing.T, seed uint64) *msim.Data {
	t.Helper()
	data := msim.NewData("example.org")
	data.Now = clock(seed)
	must(t, data.AddUser(msim.User{Email: user, GivenName: "Dora", FamilyName: "Example", TimeZone: "W. Europe Standard Time"}))
	return data
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// done panics on an edit that the simulator refuses: the test made it up wrongly.
func done(err error) {
	if err != nil {
		panic(err)
	}
}

func added(id string, err error) string {
	done(err)
	return id
}

// pick returns one of a list.
func pick[V any](r *rand.Rand, list []V) V { return list[r.IntN(len(list))] }

// word is a title that nothing else has, with what formats have to escape.
func word(r *rand.Rand) string {
	return fmt.Sprintf("%s %d", pick(r, []string{"Plan", "Größe; Maß, Zahl", `back\slash`, "naïve 日本", "a, b; c", "Zeile"}), r.IntN(1e6))
}

// forgetful is a source that forgets its cursor once after it was told to.
type forgetful[S sources.Content] struct {
	sources.Source[S]
	forget *int // calls with a cursor until it happens; below zero: never
}

func (f forgetful[S]) Changes(ctx context.Context, after sources.Cursor) (sources.Page[S], error) {
	if after != "" && *f.forget >= 0 {
		if *f.forget--; *f.forget < 0 {
			return sources.Page[S]{}, fmt.Errorf("forgotten: %w", sources.ErrCursorExpired)
		}
	}
	return f.Source.Changes(ctx, after)
}

// options are the engine's.
func (g *rig) options() engine.Options {
	return engine.Options{InFlight: g.inFlight, Attempts: 2, Pause: time.Millisecond, Propagate: g.propagate, Counters: &g.counters}
}

// lines joins facts to be compared.
func lines(list []string) string { return strings.Join(list, "\n") }

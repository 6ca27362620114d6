package google

import (
	"context"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

const (
	alice = "alice@example.org"
	bob   = "bob@example.org"
)

// organisation returns an organisation of two users; alice is an administrator.
func tenantData(t testing.TB) *sim.Data {
	t.Helper()
	d := sim.NewData("example.org")
	must(t, d.AddUser(sim.User{Email: alice, GivenName: "Alice", FamilyName: "Example", Admin: true}))
	must(t, d.AddUser(sim.User{Email: bob, GivenName: "Bob", FamilyName: "Example"}))
	return d
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// added fails the test unless something was added, and returns its id.
func added(t testing.TB) func(id string, err error) string {
	return func(id string, err error) string {
		t.Helper()
		must(t, err)
		return id
	}
}

// schema is read once: the documents are a megabyte.
var schema = sync.OnceValues(func() (*sim.Schema, error) { return sim.ModuleSchema(context.Background()) })

// simulated serves an organisation and connects to it. The test fails if anything is asked for that Google does not have.
func simulated(t testing.TB, d *sim.Data, o sim.Options) (*Client, *sim.Server) {
	t.Helper()
	var err error
	o.Strict, err = schema()
	must(t, err)
	server := sim.New(d, o)
	h := httptest.NewServer(server)
	transport := httpx.NewTransport()
	c, err := New(t.Context(), Options{Credentials: server.KeyFile(h.URL), Admin: alice, Endpoint: h.URL, Tier: "unlimited", Transport: transport})
	must(t, err)
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		h.Close()
		_ = server.Close()
		for _, p := range server.Problems() {
			t.Error("the simulated provider complains:", p)
		}
	})
	return c, server
}

// pass reads all changes after a cursor. It returns them in their order, and the cursor of the next pass.
func pass[T sources.Content](t testing.TB, s sources.Source[T], after sources.Cursor) ([]sources.Item[T], sources.Cursor) {
	t.Helper()
	var items []sources.Item[T]
	for {
		page, err := s.Changes(t.Context(), after)
		must(t, err)
		items = append(items, page.Items...)
		after = page.Next
		if !page.More {
			return items, after
		}
	}
}

// byTitle finds the last item of a title.
func byTitle[T sources.Content](t testing.TB, items []sources.Item[T], title string) sources.Item[T] {
	t.Helper()
	for _, it := range slices.Backward(items) {
		if it.Title == title {
			return it
		}
	}
	t.Fatalf("no item %q among %d", title, len(items))
	panic("unreachable")
}

func ids[T sources.Content](items []sources.Item[T]) []string {
	var out []string
	for _, it := range items {
		id := it.ID
		if it.Deleted {
			id = "-" + id
		}
		out = append(out, id)
	}
	return out
}

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// graphSchema reads Graph's document, which lies beside the project.
func graphSchema(tb testing.TB) *graph.Schema {
	tb.Helper()
	return value(graph.LoadSchema(sharedData(tb, "specs/oas-graph.json")[0]))(tb)
}

// newTenant starts a Microsoft 365 for the data and writes the files of a job that moves the people to the targets.
func newTenant(tb testing.TB, data *graph.Data, o graph.Options, targets urls, people ...person) (*world, *graph.Server) {
	tb.Helper()
	w := &world{tb: tb, dir: tb.TempDir(), targets: targets, people: people}
	o.Hook = w.ask
	provider := graph.New(data, o)
	w.serve(provider, provider.Front)
	w.write("client-secret", graph.Secret+"\n")
	w.source = fmt.Sprintf("microsoft: {tenant: %q, client_id: %q, secret: \"file:client-secret\", endpoint: %q, login: %q, unlimited: true}",
		data.Domain(), graph.ClientID, w.endpoint, w.endpoint)
	w.writeJob()
	return w, provider
}

// watchedTenant is newTenant with events that count as moments.
func watchedTenant(t *testing.T, s *servers, data *graph.Data, m *moments, people ...person) *world {
	t.Helper()
	w, _ := newTenant(t, data, graph.Options{}, m.watched(t, s), people...)
	w.setHook(func(string) (cloudsim.Fault, bool) {
		m.pass()
		return cloudsim.Fault{}, false
	})
	m.reset()
	return w
}

// graphPeople gives each user of the data a target account of their own.
func graphPeople(t *testing.T, data *graph.Data) (people []person) {
	t.Helper()
	for _, u := range data.Users() {
		people = append(people, person{source: u.Email, target: fresh(t)})
	}
	return people
}

// graphUsers returns a tenant with the given users.
func graphUsers(tb testing.TB, users ...string) *graph.Data {
	tb.Helper()
	data := graph.NewData("example.org")
	for _, u := range users {
		name, _, _ := strings.Cut(u, "@")
		must(tb, data.AddUser(graph.User{Email: u, GivenName: name, FamilyName: "Example", TimeZone: "W. Europe Standard Time"}))
	}
	return data
}

package google_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
	admin "google.golang.org/api/admin/directory/v1"
	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/drive/v3"
	"google.golang.org/api/gmail/v1"
	"google.golang.org/api/option"
	"google.golang.org/api/people/v1"
	"google.golang.org/api/tasks/v1"
)

// clients are Google's own ones, as one user.
type clients struct {
	http     *http.Client
	drive    *drive.Service
	gmail    *gmail.Service
	calendar *calendar.Service
	admin    *admin.Service
	people   *people.Service
	tasks    *tasks.Service
}

// schema is loaded once: the documents are a megabyte.
var schema *sim.Schema

// start serves the organisation and ends with the test, which fails if anybody asked for something unknown.
func start(t *testing.T, data *sim.Data, o sim.Options) (*sim.Server, *httptest.Server) {
	t.Helper()
	if schema == nil {
		var err error
		if schema, err = sim.ModuleSchema(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	o.Strict = schema
	s := sim.New(data, o)
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		s.Close()
		for _, p := range s.Problems() {
			t.Error("problem:", p)
		}
	})
	return s, h
}

func connect(t *testing.T, s *sim.Server, h *httptest.Server, email string) clients {
	t.Helper()
	config, err := google.JWTConfigFromJSON(s.KeyFile(h.URL), sim.ReadOnlyScopes()...)
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = email
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, h.Client())
	opts := func(root string) []option.ClientOption {
		return []option.ClientOption{option.WithHTTPClient(config.Client(ctx)), option.WithEndpoint(h.URL + root)}
	}
	c := clients{http: config.Client(ctx)}
	if c.drive, err = drive.NewService(ctx, opts("/drive/v3/")...); err != nil {
		t.Fatal(err)
	}
	if c.gmail, err = gmail.NewService(ctx, opts("/")...); err != nil {
		t.Fatal(err)
	}
	if c.calendar, err = calendar.NewService(ctx, opts("/calendar/v3/")...); err != nil {
		t.Fatal(err)
	}
	if c.admin, err = admin.NewService(ctx, opts("/")...); err != nil {
		t.Fatal(err)
	}
	if c.people, err = people.NewService(ctx, opts("/")...); err != nil {
		t.Fatal(err)
	}
	if c.tasks, err = tasks.NewService(ctx, opts("/")...); err != nil {
		t.Fatal(err)
	}
	return c
}

package estimate_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	simgoogle "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	simmicrosoft "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

var discard = slog.New(slog.DiscardHandler)

// root is where the provider seems to be; nothing listens there.
const root = "http://127.0.0.1:1/"

// change makes another organisation of a generated one.
type change func(o *organisation.Organisation) (microsoft bool)

// huge gives the first user much more mail than the others have.
func huge(o *organisation.Organisation) bool {
	big := organisation.Generate(organisation.Spec{Users: 1, Mail: 1500, MailMin: 500, MailMax: 1000, Seed: 99})
	o.Users[0].Messages = big.Users[0].Messages
	return false
}

// drives puts the files of users into shared drives, each with its user as the manager.
func drives(o *organisation.Organisation) bool {
	for i, u := range o.Users {
		o.Drives = append(o.Drives, &organisation.SharedDrive{Name: fmt.Sprintf("Drive %d", i+1), Files: u.Files,
			Members: []organisation.Share{{Role: "organizer", Email: u.Email}}})
		u.Files = nil
	}
	return false
}

// sites puts the files of every other user into the library of a site.
func sites(o *organisation.Organisation) bool {
	for i, u := range o.Users {
		if i%2 == 1 {
			o.Drives = append(o.Drives, &organisation.SharedDrive{Name: fmt.Sprintf("Site %d", i+1), Files: u.Files})
			u.Files = nil
		}
	}
	return true
}

func onMicrosoft(*organisation.Organisation) bool { return true }

// shape is an organisation, and how it is moved.
type shape struct {
	name    string
	spec    organisation.Spec
	change  change
	kinds   []string
	world   func() *world
	binding string
	faults  string // of the provider, besides its quotas
}

const (
	near, usual, far = 5 * time.Millisecond, 40 * time.Millisecond, 200 * time.Millisecond
)

func shapes() []shape {
	tiny := func(s organisation.Spec) organisation.Spec {
		s.MailMin, s.MailMax, s.FileMin, s.FileMax = 500, 1000, 100, 500
		return s
	}
	in := func(source, target time.Duration, speed float64, together int) func() *world {
		return func() *world { return newWorld(source, target, speed, together) }
	}
	return []shape{
		{"many small mailboxes", tiny(organisation.Spec{Users: 24, Mail: 100}), nil, kindsOf("mail"), in(usual, near, 0, 4), "Gmail, per user", ""},
		{"one huge mailbox", tiny(organisation.Spec{Users: 6, Mail: 100}), huge, kindsOf("mail"), in(usual, near, 0, 4), "Gmail, per user", ""},
		{"many tiny files", tiny(organisation.Spec{Users: 8, Files: 250}), nil, kindsOf("files"), in(near, near, 0, 8), "Drive, the project", ""},
		{"few large files", organisation.Spec{Users: 4, Files: 8, FileMin: 1 << 20, FileMax: 3 << 20}, nil, kindsOf("files"), in(usual, usual, 500_000, 4), estimate.Bandwidth, ""},
		{"calendars", organisation.Spec{Users: 12, Events: 200}, nil, kindsOf("calendar"), in(usual, far, 0, 4), estimate.Target, ""},
		{"contacts", organisation.Spec{Users: 12, Contacts: 80}, nil, kindsOf("contacts"), in(usual, far, 0, 4), estimate.Target, ""},
		{"shared drives only", tiny(organisation.Spec{Users: 3, Files: 500}), drives, kindsOf("files"), in(near, near, 0, 2), "Drive, per user", ""},
		{"everything", tiny(organisation.Spec{Users: 8, Mail: 200, Files: 100, Events: 100, Contacts: 50, Tasks: 30}), nil, kindsOf(), in(usual, usual, 0, 4), "Gmail, per user", ""},
		{"Microsoft, mail", tiny(organisation.Spec{Users: 6, Mail: 400}), onMicrosoft, kindsOf("mail"), in(usual, near, 0, 4), "Exchange, per mailbox", ""},
		{"Microsoft, OneDrive and SharePoint", tiny(organisation.Spec{Users: 6, Files: 300}), sites, kindsOf("files"), in(usual, near, 0, 4), "SharePoint, the application", ""},
		{"Microsoft, a far provider", tiny(organisation.Spec{Users: 6, Mail: 200, Events: 30, Contacts: 30, Tasks: 30}), onMicrosoft, kindsOf("mail", "calendar", "contacts", "tasks"),
			in(2*far, near, 0, 4), "Exchange, per mailbox, requests at once", ""},
		{"Microsoft, one OneDrive", tiny(organisation.Spec{Users: 1, Files: 1000}), onMicrosoft, kindsOf("files"), in(usual, near, 0, 4), "SharePoint, per drive", ""},
		{"a provider that is busy", tiny(organisation.Spec{Users: 8, Mail: 200}), nil, kindsOf("mail"), in(usual, near, 0, 4), "Gmail, per user",
			"gmail.messages.get:429:0.003,*:503:0.01"}, // refuses each user about once a minute
	}
}

// TestProof moves organisations from the simulated providers under the quotas that these publish, and compares how long that took
// with the estimate. The clock is testing/synctest's: it does not depend on this machine.
func TestProof(t *testing.T) {
	for _, s := range shapes() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, e := s.run(t)
				t.Logf("| %s | %s | %s | %s | %s | %s |", s.name, round(e.Optimistic), round(e.Likely), round(e.Pessimistic), round(took), e.Binding)
				if took < e.Optimistic || took > e.Pessimistic {
					t.Errorf("took %s, which is not between %s and %s (likely %s)", took, e.Optimistic, e.Pessimistic, e.Likely)
				}
				if e.Binding != s.binding {
					t.Errorf("%q is said to bind, want %q: %+v", e.Binding, s.binding, e.Scopes)
				}
			})
		})
	}
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Millisecond) }

func (s shape) run(t *testing.T) (time.Duration, estimate.Estimate) {
	w, o := s.world(), organisation.Generate(s.spec)
	if s.change != nil && s.change(o) {
		return s.moveMicrosoft(t, w, o)
	}
	return s.moveGoogle(t, w, o)
}

func (s shape) moveGoogle(t *testing.T, w *world, o *organisation.Organisation) (time.Duration, estimate.Estimate) {
	data, err := simgoogle.Of(o)
	if err != nil {
		t.Fatal(err)
	}
	server := simgoogle.New(data, simgoogle.Options{Behaviour: s.behaviour(t, w), Quotas: simgoogle.NewQuotas(), TokenLife: 1000 * time.Hour})
	c, err := google.New(t.Context(), google.Options{Credentials: server.KeyFile(root), Admin: o.Users[0].Email, Endpoint: root,
		Transport: w.serve(server)})
	if err != nil {
		t.Fatal(err)
	}
	p := provider{
		files: func(account string) sources.Source[sources.File] {
			if id, shared := sharedDrive(account); shared {
				return google.SharedDrive(c, id, google.DriveOptions{})
			}
			return google.Drive(c, account, google.DriveOptions{})
		},
		mail: func(account string) sources.Source[sources.Message] {
			return google.Mail(c, account, google.MailOptions{})
		},
		calendars: func(ctx context.Context, a string) ([]sources.Collection, error) { return google.Calendars(ctx, c, a) },
		calendar:  func(a, id string) sources.Source[sources.Event] { return google.Calendar(c, a, id) },
		addressBooks: func(context.Context, string) ([]sources.Collection, error) {
			return google.ContactCollections(false), nil
		},
		contacts:  func(a, id string) sources.Source[sources.Contact] { return google.Contacts(c, a, id) },
		taskLists: func(ctx context.Context, a string) ([]sources.Collection, error) { return google.TaskLists(ctx, c, a) },
		tasks:     func(a string, l sources.Collection) sources.Source[sources.Task] { return google.Tasks(c, a, l.ID) },
	}
	people := s.people(o)
	for _, id := range data.SharedDrives() {
		people = append(people, person{"drive:" + id, kindsOf("files")})
	}
	took := w.move(t, p, people)
	return took, s.estimated(t, w, people, c.Prices(), server.Front)
}

func (s shape) behaviour(t *testing.T, w *world) cloudsim.Behaviour {
	b := cloudsim.Behaviour{Latency: w.source}
	if s.faults != "" {
		var err error
		if b.Faults, err = cloudsim.ParseFaults(s.faults); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// inBatches are methods that are called in batches alone, or before the estimate's time.
var inBatches = []string{"token", "users.list", "mailboxSettings.userPurpose", "mailFolders.get", "event.get", "event.attachments", "event.attachment"}

// estimated compares the requests with those that the simulator has counted, too.
func (s shape) estimated(t *testing.T, w *world, people []person, p estimate.Prices, server *cloudsim.Front) estimate.Estimate {
	t.Helper()
	e := estimate.Of(w.all(people), p, w.options())
	made := int64(0)
	counts := server.Counts()
	for name, n := range counts {
		if !slices.Contains(inBatches, name) {
			made += int64(n)
		}
	}
	// How many folders a mailbox has is assumed, which is much of what a small account takes.
	if off := math.Abs(float64(made - e.Requests)); off > 0.1*float64(made)+20*float64(len(people)) {
		t.Errorf("%d requests were made, and %d estimated: %v", made, e.Requests, counts)
	}
	for _, p := range server.Problems() {
		t.Error(p)
	}
	return e
}

func (s shape) people(o *organisation.Organisation) (people []person) {
	for _, u := range o.Users {
		people = append(people, person{u.Email, s.kinds})
	}
	return people
}

func (s shape) moveMicrosoft(t *testing.T, w *world, o *organisation.Organisation) (time.Duration, estimate.Estimate) {
	data, err := simmicrosoft.Of(o)
	if err != nil {
		t.Fatal(err)
	}
	server := simmicrosoft.New(data, simmicrosoft.Options{Behaviour: s.behaviour(t, w), Quotas: simmicrosoft.SmallTenant(),
		TokenLife: 1000 * time.Hour, LinkLife: 1000 * time.Hour})
	c, err := microsoft.New(microsoft.Options{Tenant: data.Domain(), ClientID: simmicrosoft.ClientID, Secret: simmicrosoft.Secret, Endpoint: root,
		Login: root, Transport: w.serve(server)})
	if err != nil {
		t.Fatal(err)
	}
	p := provider{
		files: func(account string) sources.Source[sources.File] {
			if id, shared := sharedDrive(account); shared {
				return microsoft.Library(c, id)
			}
			return microsoft.Drive(c, account)
		},
		mail: func(a string) sources.Source[sources.Message] { return microsoft.Mail(c, a, microsoft.MailOptions{}) },
		calendars: func(ctx context.Context, a string) ([]sources.Collection, error) {
			return microsoft.Calendars(ctx, c, a)
		},
		calendar: func(a, id string) sources.Source[sources.Event] { return microsoft.Calendar(c, a, id) },
		addressBooks: func(ctx context.Context, a string) ([]sources.Collection, error) {
			return microsoft.ContactFolders(ctx, c, a)
		},
		contacts: func(a, id string) sources.Source[sources.Contact] { return microsoft.Contacts(c, a, id) },
		taskLists: func(ctx context.Context, a string) ([]sources.Collection, error) {
			return microsoft.TaskLists(ctx, c, a)
		},
		tasks: func(a string, l sources.Collection) sources.Source[sources.Task] {
			return microsoft.Tasks(c, a, l.ID, l.TimeZone)
		},
	}
	// The library of the official client keeps others waiting on a mutex, which this clock does not see, while it asks for a token.
	for _, err := range c.Accounts(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
	}
	people := s.people(o)
	for _, l := range data.Libraries() {
		people = append(people, person{"drive:" + l.Drive, kindsOf("files")})
	}
	took := w.move(t, p, people)
	return took, s.estimated(t, w, people, c.Prices(), server.Front)
}

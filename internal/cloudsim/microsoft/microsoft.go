// Package microsoft simulates the part of Microsoft 365 that the sources read: users, OneDrive, SharePoint document libraries, mail,
// calendars, contacts and To Do of Microsoft Graph v1.0 at their official paths under one root, the pre-authenticated downloads beside it,
// and the token service. It is what tests, the demo and benchmarks run against.
//
// What a tenant holds is a [Data]; it is loaded with [Load], made of any organisation with [Of], or put together by its methods, and may
// change while it is served. [New] makes an http.Handler of it that answers as Graph does, with its paging, delta tokens that expire,
// throttling and errors, and with faults on demand.
//
// The simulator is strict: a path or query parameter that it does not know is refused and listed by [Server.Problems], and so is a token
// that was sent to a pre-authenticated URL. With [Options.Strict] each answer is checked against an OpenAPI document of Graph.
package microsoft

import (
	"net/http"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Options say how the provider behaves. The zero value is a provider without limits, latency and faults.
type Options struct {
	cloudsim.Behaviour
	Quotas   Quotas
	PageSize int // upper limit of all pages; 0: Graph's own
	// Permissions are the application permissions with an administrator's consent; nil: those of [ReadOnlyPermissions].
	Permissions []string
	// TokenLife is how long an access token is good; 0: an hour. LinkLife is the same for pre-authenticated URLs.
	TokenLife, LinkLife time.Duration
	// Strict checks each answer against the document; see [LoadSchema].
	Strict *Schema
}

// Server is the simulated provider. It is safe for concurrent use. Its methods are counted under names such as users.list,
// driveItem.delta, driveItem.content, download, message.delta, message.get, event.get, contact.delta,
// todoTask.delta, batch and token. The requests within a batch
// are counted by their own names too.
type Server struct {
	*cloudsim.Front
	data    *Data
	options Options
	mux     *http.ServeMux
	quota   *meter

	mu     sync.Mutex
	tokens map[string]time.Time // when they end
	links  map[string]link
}

// New serves the tenant.
func New(data *Data, o Options) *Server {
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.LinkLife == 0 {
		o.LinkLife = time.Hour
	}
	if o.Permissions == nil {
		o.Permissions = ReadOnlyPermissions()
	}
	s := &Server{Front: cloudsim.NewFront(o.Behaviour), data: data, options: o, quota: newMeter(o.Quotas),
		tokens: map[string]time.Time{}, links: map[string]link{}}
	s.mux = s.routes()
	return s
}

// ReadOnlyPermissions are the application permissions that a migration needs.
func ReadOnlyPermissions() []string {
	return []string{"User.Read.All", "MailboxSettings.Read", "Mail.Read", "Calendars.Read", "Contacts.Read", "Tasks.Read.All",
		"Files.Read.All", "Sites.Read.All"}
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Closed() {
		panic(http.ErrAbortHandler)
	}
	s.Delay(r)
	if s.options.Strict == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	recorded := &cloudsim.Recorder{ResponseWriter: w}
	defer func() { s.Report(s.options.Strict.check(r, recorded)...) }()
	s.mux.ServeHTTP(recorded, r)
}

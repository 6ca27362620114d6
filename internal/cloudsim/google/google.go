// Package google simulates the part of Google Workspace that the sources read: the Directory, Drive, Gmail,
// Calendar, People and Tasks APIs at their official paths under one root, and the OAuth token endpoint. It is what tests, the demo and
// benchmarks run against.
//
// What an organisation holds is a [Data]; it is loaded from a directory with [Load], made up with [Generate], or put
// together by its methods, and may change while it is served. [New] makes an http.Handler of it that answers as the
// provider does, with its paging, cursors that expire, quotas and errors, and with faults on demand.
//
// The simulator is strict: a path or query parameter that it does not know is refused with an error that says so and
// is listed by [Server.Problems]. With [Options.Strict] each answer is checked against Google's discovery documents.
package google

import (
	"crypto/rsa"
	"net/http"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Options say how the provider behaves. The zero value is a provider without limits, latency and faults.
type Options struct {
	cloudsim.Behaviour
	Quotas   Quotas
	PageSize int // upper limit of all pages; 0: Google's own
	// ShortPages makes pages of different lengths, and some empty ones before the last, as Google allows itself.
	ShortPages bool
	// ExportLimit is what files.export gives at most; 0: Google's 10 MB.
	ExportLimit int64
	// Scopes are the ones delegated to the service account; nil: those of [ReadOnlyScopes].
	Scopes []string
	// TokenLife is how long an access token is good; 0: an hour.
	TokenLife time.Duration
	// Ahead is by how much the provider's clock is ahead of ours when it looks at assertions and dates its answers.
	Ahead time.Duration
	// Strict checks each answer against the discovery documents; see [LoadSchema].
	Strict *Schema
}

// Server is the simulated provider. It is safe for concurrent use. Its methods are counted under names such as drive.files.list,
// drive.files.get (metadata), drive.files.get.media (content), drive.files.export, drive.exportLinks, gmail.messages.get,
// calendar.events.list, people.connections.list, tasks.tasks.list, contactphotos.get, directory.users.list and token.
type Server struct {
	*cloudsim.Front
	data    *Data
	options Options
	mux     *http.ServeMux
	quota   *meter
	key     func() *rsa.PrivateKey
	buffers sync.Pool // of *encodeBuffers

	mu     sync.Mutex
	tokens map[string]session
}

// New serves the organisation.
func New(data *Data, o Options) *Server {
	if o.ExportLimit == 0 {
		o.ExportLimit = 10 << 20
	}
	if o.TokenLife == 0 {
		o.TokenLife = time.Hour
	}
	if o.Scopes == nil {
		o.Scopes = ReadOnlyScopes()
	}
	s := &Server{Front: cloudsim.NewFront(o.Behaviour), data: data, options: o, quota: newMeter(o.Quotas),
		key: keyOfProcess, tokens: map[string]session{}}
	s.mux = s.routes()
	return s
}

// clock is by which changes are dated, too.
func (s *Server) clock() time.Time {
	s.data.mu.Lock()
	defer s.data.mu.Unlock()
	return s.data.Now()
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Closed() {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Date", s.clock().Add(s.options.Ahead).UTC().Format(http.TimeFormat))
	if s.options.Strict == nil {
		s.mux.ServeHTTP(w, r)
		return
	}
	recorded := &cloudsim.Recorder{ResponseWriter: w}
	defer func() { s.Report(s.options.Strict.check(r, recorded)...) }()
	s.mux.ServeHTTP(recorded, r)
}

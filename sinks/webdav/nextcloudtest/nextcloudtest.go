// Package nextcloudtest is a stand-in for the files side of a Nextcloud, for tests.
//
// It answers as Nextcloud 34 does where the difference matters to a client: statuses, SabreDAV's error bodies, ETags,
// kept times and checksums, forbidden names, chunked upload version 2 and bulk upload. It stores what it is given and
// trusts nothing beyond that; it is no server for real data.
package nextcloudtest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/spool"
)

// Options switch abilities off and set bounds.
type Options struct {
	User, Password string
	NoBulk         bool
	NoChunking     bool
	// Quota is the number of bytes after which the answer is 507; 0 means none.
	Quota int64
	// MaxBody is the largest body of a request, as a proxy may bound it (413); 0 means none.
	MaxBody int64
}

// Server is a running Nextcloud stand-in with one user.
type Server struct {
	opts Options
	http *httptest.Server

	mu       sync.Mutex
	nodes    map[string]*node // by path from the user's root, "" being the root
	uploads  map[string]*upload
	tags     int
	used     int64
	requests []Request
	hook     func(http.ResponseWriter, *http.Request) bool
	spools   []*spool.Spool
}

// Request is one that the server got.
type Request struct {
	Method, Path string
	Header       http.Header
	Bytes        int64 // of the body that were announced
}

// node is a file or, without a body, a folder.
type node struct {
	body     *spool.Spool
	etag     string
	modified time.Time
	checksum string
	locked   bool
}

func (n *node) folder() bool { return n.body == nil }

type upload struct {
	destination string
	chunks      map[string]*spool.Spool
}

// Start starts a server that ends with the test.
func Start(tb testing.TB, opts Options) *Server {
	tb.Helper()
	if opts.User == "" {
		opts.User, opts.Password = "u1", "secret"
	}
	s := &Server{opts: opts, nodes: map[string]*node{"": {etag: `"root"`}}, uploads: map[string]*upload{}}
	s.http = httptest.NewServer(s)
	tb.Cleanup(s.stop)
	return s
}

func (s *Server) stop() {
	s.http.Close()
	for _, b := range s.spools {
		b.Release()
	}
}

// URL is the root of the user's files.
func (s *Server) URL() string { return s.http.URL + filesRoot + s.opts.User + "/" }

// Intercept has f see each request first, until it is replaced. A request that f answers (true) goes no further.
func (s *Server) Intercept(f func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = f
}

// Requests returns what the server was asked since the last call, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.requests
	s.requests = nil
	return r
}

// Checksum returns the oc:checksums of a file, and Modified its time.
func (s *Server) Checksum(path string) string { return s.node(path).checksum }

// Modified returns the time that the server keeps of a file.
func (s *Server) Modified(path string) time.Time { return s.node(path).modified }

// Lock locks a file or unlocks it.
func (s *Server) Lock(path string, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[path].locked = locked
}

func (s *Server) node(path string) node {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.nodes[path]; n != nil {
		return *n
	}
	return node{}
}

// Chunks returns the sizes of the chunks that wait for their assembly, by upload and name.
func (s *Server) Chunks() map[string]map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]map[string]int64)
	for name, u := range s.uploads {
		all[name] = make(map[string]int64)
		for chunk, body := range u.chunks {
			all[name][chunk] = body.Size()
		}
	}
	return all
}

const (
	filesRoot   = "/remote.php/dav/files/"
	uploadsRoot = "/remote.php/dav/uploads/"
	bulkPath    = "/remote.php/dav/bulk"
	ocsPath     = "/ocs/v2.php/cloud/capabilities"
)

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Bytes: r.ContentLength})
	hook := s.hook
	s.mu.Unlock()
	if hook != nil && hook(w, r) {
		return
	}
	s.Serve(w, r)
}

// Serve answers a request without asking what was given to Intercept, which may call it.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != s.opts.User || subtle.ConstantTimeCompare([]byte(password), []byte(s.opts.Password)) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="Nextcloud", charset="UTF-8"`)
		refuse(w, http.StatusUnauthorized, `Sabre\DAV\Exception\NotAuthenticated`, "Username or password was incorrect")
		return
	}
	if s.opts.MaxBody > 0 && r.ContentLength > s.opts.MaxBody {
		http.Error(w, "<html>413 Request Entity Too Large</html>", http.StatusRequestEntityTooLarge)
		return
	}
	s.route(w, r)
}

func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case path == ocsPath:
		s.capabilities(w)
	case path == bulkPath && r.Method == http.MethodPost && !s.opts.NoBulk:
		s.bulk(w, r)
	case strings.HasPrefix(path, filesRoot+s.opts.User+"/"):
		s.files(w, r, strings.Trim(strings.TrimPrefix(path, filesRoot+s.opts.User), "/"))
	case strings.HasPrefix(path, uploadsRoot+s.opts.User+"/") && !s.opts.NoChunking:
		s.chunked(w, r, strings.Trim(strings.TrimPrefix(path, uploadsRoot+s.opts.User), "/"))
	default:
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "no such place")
	}
}

func (s *Server) capabilities(w http.ResponseWriter) {
	dav := map[string]string{}
	if !s.opts.NoChunking {
		dav["chunking"] = "1.0"
	}
	if !s.opts.NoBulk {
		dav["bulkupload"] = "1.0"
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"ocs": map[string]any{
		"meta": map[string]any{"status": "ok", "statuscode": 200},
		"data": map[string]any{"capabilities": map[string]any{"dav": dav}},
	}})
}

// refuse writes an error as SabreDAV does.
func refuse(w http.ResponseWriter, status int, exception, message string) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\">\n"+
		"  <s:exception>%s</s:exception>\n  <s:message>%s</s:message>\n</d:error>\n", escape(exception), escape(message))
}

// destination returns the path from the user's root that the Destination header names.
func (s *Server) destination(r *http.Request) (string, bool) {
	u, err := url.Parse(r.Header.Get("Destination"))
	if err != nil {
		return "", false
	}
	rest, ok := strings.CutPrefix(u.Path, filesRoot+s.opts.User+"/")
	return strings.Trim(rest, "/"), ok
}

// nextTag returns a new ETag. The caller holds the lock.
func (s *Server) nextTag() string {
	s.tags++
	return fmt.Sprintf(`"%032x"`, s.tags)
}

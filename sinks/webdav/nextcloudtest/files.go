package nextcloudtest

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/spool"
)

func (s *Server) files(w http.ResponseWriter, r *http.Request, at string) {
	switch r.Method {
	case "PROPFIND":
		s.propfind(w, r, at)
	case "MKCOL":
		s.mkcol(w, at)
	case http.MethodPut:
		s.put(w, r, at)
	case http.MethodGet, http.MethodHead:
		s.get(w, r, at)
	case http.MethodDelete:
		s.delete(w, r, at)
	case "MOVE":
		s.move(w, r, at)
	case http.MethodOptions:
		w.Header().Set("DAV", "1, 3, extended-mkcol")
	default:
		refuse(w, http.StatusMethodNotAllowed, `Sabre\DAV\Exception\MethodNotAllowed`, "method")
	}
}

func parent(at string) string {
	if dir := path.Dir(at); dir != "." {
		return dir
	}
	return ""
}

// badName returns Nextcloud's answer to names that it forbids.
func badName(at string) (status int, exception, message string) {
	name := path.Base(at)
	lower := strings.ToLower(name)
	const invalid = `OCA\DAV\Connector\Sabre\Exception\InvalidPath`
	switch {
	case lower == ".htaccess":
		return http.StatusInternalServerError, `OCP\Files\ForbiddenException`, "Invalid path: files/" + at
	case strings.Contains(name, `\`):
		return http.StatusBadRequest, invalid, `"\" is not allowed inside a file or folder name.`
	case strings.HasSuffix(lower, ".part"), strings.HasSuffix(lower, ".filepart"):
		return http.StatusBadRequest, invalid, `".part" is a forbidden file type.`
	case len(name) > 250:
		return http.StatusBadRequest, invalid, "Filename is too long"
	}
	return 0, "", ""
}

// precondition checks If-Match and If-None-Match. The caller holds the lock.
func (s *Server) precondition(w http.ResponseWriter, r *http.Request, n *node) bool {
	etag := ""
	if n != nil && !n.folder() {
		etag = n.etag // SabreDAV compares ETags of files alone
	}
	if v := r.Header.Get("If-Match"); v != "" && v != etag {
		refuse(w, http.StatusPreconditionFailed, `Sabre\DAV\Exception\PreconditionFailed`, "An If-Match header was specified, but none of the specified ETags matched.")
		return false
	}
	if v := r.Header.Get("If-None-Match"); v == "*" && n != nil {
		refuse(w, http.StatusPreconditionFailed, `Sabre\DAV\Exception\PreconditionFailed`, "An If-None-Match header was specified, but the ETag matched (or * was specified).")
		return false
	}
	if n != nil && n.locked {
		refuse(w, http.StatusLocked, `Sabre\DAV\Exception\Locked`, "")
		return false
	}
	return true
}

func (s *Server) mkcol(w http.ResponseWriter, at string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, exception, message := badName(at); status != 0 {
		refuse(w, status, exception, message)
		return
	}
	if s.nodes[at] != nil {
		refuse(w, http.StatusMethodNotAllowed, `Sabre\DAV\Exception\MethodNotAllowed`, "The resource you tried to create already exists")
		return
	}
	if p := s.nodes[parent(at)]; p == nil || !p.folder() {
		refuse(w, http.StatusConflict, `Sabre\DAV\Exception\Conflict`, "Parent node does not exist")
		return
	}
	s.nodes[at] = &node{etag: s.nextTag(), modified: time.Now()}
	w.WriteHeader(http.StatusCreated)
}

// receive spools a body. The server keeps nothing of one that breaks off.
func (s *Server) receive(r *http.Request) (*spool.Spool, error) {
	b, err := spool.Read(r.Body, 0, "")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spools = append(s.spools, b)
	return b, nil
}

func (s *Server) put(w http.ResponseWriter, r *http.Request, at string) {
	if !s.mayPut(w, r, at) {
		return
	}
	body, err := s.receive(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "the body broke off")
		return
	}
	if !s.mayPut(w, r, at) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store(w, r.Header, at, body)
}

// mayPut answers what speaks against a PUT.
func (s *Server) mayPut(w http.ResponseWriter, r *http.Request, at string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[at]
	if status, exception, message := badName(at); status != 0 {
		refuse(w, status, exception, message)
		return false
	}
	if !s.precondition(w, r, n) {
		return false
	}
	if n != nil && n.folder() {
		refuse(w, http.StatusConflict, `Sabre\DAV\Exception\Conflict`, "PUT is not allowed on non-files.")
		return false
	}
	if p := s.nodes[parent(at)]; p == nil || !p.folder() {
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "File with name /"+parent(at)+" could not be located")
		return false
	}
	if s.opts.Quota > 0 && s.used+r.ContentLength > s.opts.Quota {
		refuse(w, http.StatusInsufficientStorage, `Sabre\DAV\Exception\InsufficientStorage`, "Insufficient space")
		return false
	}
	return true
}

// store puts the body at the place and writes the answer. The caller holds the lock.
func (s *Server) store(w http.ResponseWriter, h http.Header, at string, body *spool.Spool) {
	status := http.StatusCreated
	if s.nodes[at] != nil {
		status = http.StatusNoContent
	}
	n := &node{body: body, etag: s.nextTag(), modified: time.Now(), checksum: h.Get("OC-Checksum")}
	if t, err := strconv.ParseInt(h.Get("X-OC-Mtime"), 10, 64); err == nil {
		n.modified = time.Unix(t, 0)
		w.Header().Set("X-OC-MTime", "accepted")
	}
	s.nodes[at] = n
	s.used += body.Size()
	w.Header().Set("ETag", n.etag)
	w.Header().Set("OC-ETag", n.etag)
	w.WriteHeader(status)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, at string) {
	s.mu.Lock()
	n := s.nodes[at]
	s.mu.Unlock()
	if n == nil || n.folder() {
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "File with name "+at+" could not be located")
		return
	}
	w.Header().Set("ETag", n.etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(n.body.Size(), 10))
	if body, err := n.body.Open(); err == nil && r.Method == http.MethodGet {
		_, _ = io.Copy(w, body)
	}
}

func (s *Server) delete(w http.ResponseWriter, r *http.Request, at string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[at]
	switch {
	case !s.precondition(w, r, n):
	case n == nil:
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "File with name "+at+" could not be located")
	default:
		for p := range s.nodes {
			if p == at || strings.HasPrefix(p, at+"/") {
				delete(s.nodes, p)
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) move(w http.ResponseWriter, r *http.Request, from string) {
	to, ok := s.destination(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[from]
	switch p := s.nodes[parent(to)]; {
	case !ok:
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "Destination")
	case !s.precondition(w, r, n):
	case n == nil:
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "File with name "+from+" could not be located")
	case p == nil || !p.folder():
		refuse(w, http.StatusConflict, `Sabre\DAV\Exception\Conflict`, "The destination node is not found")
	case s.nodes[to] != nil && r.Header.Get("Overwrite") == "F":
		refuse(w, http.StatusPreconditionFailed, `Sabre\DAV\Exception\PreconditionFailed`, "The destination node already exists, and the overwrite header is set to false")
	default:
		s.rename(from, to)
		n.etag = s.nextTag()
		w.Header().Set("ETag", n.etag)
		w.WriteHeader(http.StatusCreated)
	}
}

// rename moves the node and what is below it. The caller holds the lock.
func (s *Server) rename(from, to string) {
	moved := make(map[string]*node)
	for p, n := range s.nodes {
		if p == from || strings.HasPrefix(p, from+"/") {
			moved[to+strings.TrimPrefix(p, from)] = n
			delete(s.nodes, p)
		}
	}
	for p, n := range moved {
		s.nodes[p] = n
	}
}

func (s *Server) propfind(w http.ResponseWriter, r *http.Request, at string) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[at]
	if n == nil {
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "File with name "+at+" could not be located")
		return
	}
	m := newMultistatus(w)
	defer m.end()
	m.node(filesRoot+s.opts.User+"/", at, n)
	if r.Header.Get("Depth") == "0" {
		return
	}
	for p, child := range s.nodes {
		if p != "" && parent(p) == at {
			m.node(filesRoot+s.opts.User+"/", p, child)
		}
	}
}

// multistatus writes the answer to a PROPFIND.
type multistatus struct{ w io.Writer }

func newMultistatus(w http.ResponseWriter) multistatus {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(http.StatusMultiStatus)
	_, _ = io.WriteString(w, `<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">`)
	return multistatus{w}
}

func (m multistatus) end() { _, _ = io.WriteString(m.w, "</d:multistatus>") }

func (m multistatus) node(root, at string, n *node) {
	href := root + escapePath(at)
	if n.folder() {
		if at != "" {
			href += "/"
		}
		m.response(href, "<d:resourcetype><d:collection/></d:resourcetype>", n.etag, n.modified)
		return
	}
	props := fmt.Sprintf("<d:resourcetype/><d:getcontentlength>%d</d:getcontentlength>", n.body.Size())
	if n.checksum != "" {
		props += "<oc:checksums><oc:checksum>" + escape(n.checksum) + "</oc:checksum></oc:checksums>"
	}
	m.response(href, props, n.etag, n.modified)
}

func (m multistatus) response(href, props, etag string, modified time.Time) {
	fmt.Fprintf(m.w, "<d:response><d:href>%s</d:href><d:propstat><d:prop>%s<d:getetag>%s</d:getetag>"+
		"<d:getlastmodified>%s</d:getlastmodified></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"+
		"<d:propstat><d:prop><oc:unknown/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat></d:response>",
		escape(href), props, escape(etag), modified.UTC().Format(http.TimeFormat))
}

func escapePath(p string) string { return (&url.URL{Path: p}).EscapedPath() }

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic(errors.Join(errors.New("unreachable"), err))
	}
	return b.String()
}

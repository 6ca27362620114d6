package nextcloudtest

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/spool"
)

// chunked serves uploads/USER/NAME and what is in it.
func (s *Server) chunked(w http.ResponseWriter, r *http.Request, at string) {
	name, chunk, inside := strings.Cut(at, "/")
	switch {
	case r.Method == "MKCOL" && !inside:
		s.beginUpload(w, r, name)
	case r.Method == http.MethodPut && inside:
		s.putChunk(w, r, name, chunk)
	case r.Method == "PROPFIND" && !inside:
		s.listChunks(w, r, name)
	case r.Method == http.MethodDelete && !inside:
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.uploads, name)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == "MOVE" && chunk == ".file":
		s.assemble(w, r, name)
	default:
		refuse(w, http.StatusMethodNotAllowed, `Sabre\DAV\Exception\MethodNotAllowed`, "method")
	}
}

func (s *Server) beginUpload(w http.ResponseWriter, r *http.Request, name string) {
	to, ok := s.destination(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok:
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "no Destination: that is version 1")
	case s.uploads[name] != nil:
		refuse(w, http.StatusMethodNotAllowed, `Sabre\DAV\Exception\MethodNotAllowed`, "The resource you tried to create already exists")
	default:
		s.uploads[name] = &upload{destination: to, chunks: map[string]*spool.Spool{}}
		w.WriteHeader(http.StatusCreated)
	}
}

func (s *Server) upload(name string) *upload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uploads[name]
}

func (s *Server) putChunk(w http.ResponseWriter, r *http.Request, name, chunk string) {
	u := s.upload(name)
	to, _ := s.destination(r)
	n, err := strconv.Atoi(chunk)
	switch {
	case u == nil:
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "upload")
		return
	case err != nil || n < 1 || n > 10000 || to != u.destination:
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "chunk number or Destination")
		return
	}
	if total, err := strconv.ParseInt(r.Header.Get("OC-Total-Length"), 10, 64); err == nil && s.opts.Quota > 0 && total > s.opts.Quota {
		refuse(w, http.StatusInsufficientStorage, `Sabre\DAV\Exception\InsufficientStorage`, "Insufficient space")
		return
	}
	body, err := s.receive(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "the body broke off")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u.chunks[chunk] = body
	w.WriteHeader(http.StatusCreated)
}

func (s *Server) listChunks(w http.ResponseWriter, r *http.Request, name string) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[name]
	if u == nil {
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "upload")
		return
	}
	root := uploadsRoot + s.opts.User + "/"
	m := newMultistatus(w)
	defer m.end()
	m.node(root, name, &node{etag: `"x"`, modified: time.Now()})
	for chunk, body := range u.chunks {
		m.node(root, name+"/"+chunk, &node{body: body, etag: `"x"`, modified: time.Now()})
	}
	m.node(root, name+"/.file", &node{body: spool.New(0, ""), etag: `"x"`, modified: time.Now()})
}

func (s *Server) assemble(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.uploads[name]
	to, _ := s.destination(r)
	switch {
	case u == nil:
		refuse(w, http.StatusNotFound, `Sabre\DAV\Exception\NotFound`, "upload")
		return
	case to != u.destination:
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "Destination")
		return
	case s.nodes[to] != nil && r.Header.Get("Overwrite") == "F":
		refuse(w, http.StatusPreconditionFailed, `Sabre\DAV\Exception\PreconditionFailed`, "The destination node already exists")
		return
	case s.nodes[parent(to)] == nil:
		refuse(w, http.StatusConflict, `Sabre\DAV\Exception\Conflict`, "The destination node is not found")
		return
	}
	whole, err := join(u)
	s.spools = append(s.spools, whole)
	if total := r.Header.Get("OC-Total-Length"); err != nil || total != strconv.FormatInt(whole.Size(), 10) {
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "Chunks on server do not sum up to "+total)
		return
	}
	delete(s.uploads, name)
	s.store(w, r.Header, to, whole)
}

// join puts the chunks together in the order of their names, as the server does.
func join(u *upload) (*spool.Spool, error) {
	names := make([]string, 0, len(u.chunks))
	for name := range u.chunks {
		names = append(names, name)
	}
	slices.Sort(names)
	whole := spool.New(0, "")
	for _, name := range names {
		body, err := u.chunks[name].Open()
		if err != nil {
			return whole, err
		}
		if _, err := io.Copy(whole, body); err != nil {
			return whole, err
		}
	}
	return whole, nil
}

// bulk serves POST /remote.php/dav/bulk: files as parts, each with its path, length and digest. It overwrites.
func (s *Server) bulk(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, "Content-Type")
		return
	}
	body := bufio.NewReader(r.Body)
	answer := map[string]any{}
	for {
		more, err := s.part(body, params["boundary"], answer)
		if err != nil {
			refuse(w, http.StatusBadRequest, `Sabre\DAV\Exception\BadRequest`, err.Error())
			return
		}
		if !more {
			break
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

// part reads one part and stores it. It returns false at the closing boundary.
func (s *Server) part(r *bufio.Reader, boundary string, answer map[string]any) (bool, error) {
	line, err := r.ReadString('\n')
	switch {
	case err != nil:
		return false, fmt.Errorf("the body broke off")
	case line == "--"+boundary+"--\r\n":
		return false, nil
	case line != "--"+boundary+"\r\n":
		return false, fmt.Errorf("boundary expected")
	}
	mimeHeader, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return false, fmt.Errorf("part header: %w", err)
	}
	h := http.Header(mimeHeader)
	size, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil || size < 0 || size > 100<<20 {
		return false, fmt.Errorf("the part has no length")
	}
	data := make([]byte, size+2)
	if _, err := io.ReadFull(r, data); err != nil || string(data[size:]) != "\r\n" {
		return false, fmt.Errorf("the part has another length")
	}
	return true, s.storePart(h, data[:size], answer)
}

func (s *Server) storePart(h http.Header, data []byte, answer map[string]any) error {
	sum := md5.Sum(data)
	if h.Get("X-File-MD5") != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("the part has another digest")
	}
	full := h.Get("X-File-Path")
	at := strings.Trim(full, "/")
	body, err := spool.Read(bytes.NewReader(data), 0, "")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spools = append(s.spools, body)
	_, _, bad := badName(at)
	if p := s.nodes[parent(at)]; p == nil || bad != "" {
		answer[full] = map[string]any{"error": true, "message": "File not found: " + at + bad}
		return nil
	}
	s.store(discard{}, h, at, body)
	answer[full] = map[string]any{"error": false, "etag": strings.Trim(s.nodes[at].etag, `"`)}
	return nil
}

// discard takes the answer that a part has no use for.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

package microsoft

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// link is a pre-authenticated URL.
type link struct {
	body cloudsim.Content
	mime string
	etag string
	ends time.Time
}

// rewriting is what SharePoint adds to the files that it rewrites.
const rewriting = "<simulated properties>"

// driveContent answers driveItem.content with a redirect (learn.microsoft.com/graph/api/driveitem-get-content).
func driveContent(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	v, err := c.drive()
	if err != nil {
		return err
	}
	n := v.items[c.r.PathValue("item")]
	switch {
	case n == nil:
		return errItemNotFound()
	case n.Malware:
		return &apiError{status: 403, code: "accessDenied", inner: "malwareDetected", message: "The file is infected."}
	case n.Package != "":
		return &apiError{status: 503, bare: true}
	case n.Content == nil:
		return errBadRequest("You cannot get content for a folder")
	}
	l := link{n.Content, n.MimeType, fmt.Sprintf(`"{%s},%d"`, n.id, n.etag), time.Now().Add(c.options.LinkLife)}
	if n.Rewritten {
		l.body = joined{n.Content, cloudsim.Bytes([]byte(rewriting))}
	}
	key := rand.Text()
	c.mu.Lock()
	c.links[key] = l
	c.mu.Unlock()
	c.w.Header().Set("Location", c.host()+"/_download/"+key)
	c.w.WriteHeader(http.StatusFound)
	return nil
}

// ExpireLinks ends all pre-authenticated URLs that were given so far.
func (s *Server) ExpireLinks() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.links)
}

// serveDownload gives the bytes of a pre-authenticated URL, which must be asked without a token.
func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request) {
	w, _, finish, answered := s.Strike(w, r, "download", refuse)
	if answered {
		return
	}
	defer finish()
	s.mu.Lock()
	l, ok := s.links[r.PathValue("link")]
	s.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "":
		s.Report("download: a token was sent to a pre-authenticated URL")
		writeError(w, &apiError{status: 401, code: "unauthenticated", message: "No token belongs here."})
	case !ok || l.ends.Before(time.Now()):
		writeError(w, &apiError{status: 401, code: "unauthenticated", message: "The link has expired."})
	case r.Header.Get("Range") != "" && r.Header.Get("Accept") == "":
		writeError(w, &apiError{status: 416, code: "invalidRange", message: "The requested range is not satisfiable."})
	default:
		s.send(w, r, l)
	}
}

// send writes a body, or what is left of it from an offset on.
func (s *Server) send(w http.ResponseWriter, r *http.Request, l link) {
	size, from, status := l.body.Size(), int64(0), http.StatusOK
	if asked, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		n, err := strconv.ParseInt(strings.TrimSuffix(asked, "-"), 10, 64)
		if err != nil || n >= size {
			writeError(w, &apiError{status: 416, code: "invalidRange", message: "The requested range is not satisfiable."})
			return
		}
		from, status = n, http.StatusPartialContent
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, size-1, size))
	}
	body, err := l.body.Open(from)
	if err != nil {
		s.Report("download: " + err.Error())
		writeError(w, &apiError{status: 500, code: "generalException", message: err.Error()})
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", l.mime)
	h.Set("Content-Length", strconv.FormatInt(size-from, 10))
	h.Set("ETag", l.etag)
	h.Set("Accept-Ranges", "bytes")
	w.WriteHeader(status)
	_, _ = io.Copy(w, body)
}

// joined is one content after another.
type joined [2]cloudsim.Content

func (j joined) Size() int64 { return j[0].Size() + j[1].Size() }

func (j joined) Open(offset int64) (io.ReadCloser, error) {
	first, err := j[0].Open(min(offset, j[0].Size()))
	if err != nil {
		return nil, err
	}
	second, err := j[1].Open(max(0, offset-j[0].Size()))
	if err != nil {
		first.Close()
		return nil, err
	}
	return &joinedReader{io.MultiReader(first, second), [2]io.Closer{first, second}}, nil
}

type joinedReader struct {
	io.Reader
	parts [2]io.Closer
}

func (r *joinedReader) Close() error {
	_ = r.parts[1].Close()
	return r.parts[0].Close()
}

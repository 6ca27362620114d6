package embedded

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/webdav"
)

// Files is a WebDAV server over a directory. Each user has a tree of their own.
// It keeps X-OC-Mtime and OC-Checksum as Nextcloud does, and refuses a body that
// does not have the checksum that was announced.
type Files struct {
	*httpServer
	// URL is the root of a user's tree, with {user} in the place of the name and
	// a trailing slash.
	URL string

	dir   string
	trees map[string]*tree
}

// StoredFile is a file or folder as it lies on the server.
type StoredFile struct {
	// Path is relative to the user's tree, with "/" between the levels and
	// without one at its ends.
	Path     string
	Folder   bool
	Size     int64
	Modified time.Time
	// Checksum is what the client announced, such as "SHA1:…"; may be empty.
	Checksum string
}

// StartFiles starts a WebDAV server that keeps its files beneath dir.
func StartFiles(dir string, users []User) (*Files, error) {
	passwords, err := accounts(users)
	if err != nil {
		return nil, err
	}
	s := &Files{dir: dir, trees: map[string]*tree{}}
	for _, user := range users {
		if s.trees[user.Name], err = newTree(dir, user.Name); err != nil {
			return nil, err
		}
	}
	if s.httpServer, err = startHTTP(passwords, s); err != nil {
		return nil, err
	}
	s.URL = s.root + "/files/{user}/"
	return s, nil
}

// UserURL is the root of the user's tree.
func (s *Files) UserURL(user string) string { return userURL(s.URL, user) }

// Dir is where the user's tree lies on the disk; it may be read and changed
// there, as a user might do it on the server.
func (s *Files) Dir(user string) string { return s.trees[user].content() }

// ServeHTTP answers a request to /files/USER/….
func (s *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, found := strings.CutPrefix(r.URL.Path, "/files/")
	user, _, _ := strings.Cut(rest, "/")
	t := s.trees[user]
	switch {
	case !found || t == nil:
		http.NotFound(w, r)
	case !mayUse(r, user):
		http.Error(w, "not yours", http.StatusForbidden)
	default:
		t.ServeHTTP(w, r)
	}
}

// List returns all files and folders of the user, in the order of their paths.
func (s *Files) List(user string) ([]StoredFile, error) {
	t := s.trees[user]
	var all []StoredFile
	err := filepath.WalkDir(t.content(), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || name == t.content() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(t.content(), name)
		if err != nil {
			return err
		}
		file := StoredFile{Path: filepath.ToSlash(relative), Folder: entry.IsDir(), Size: info.Size(), Modified: info.ModTime()}
		if file.Folder {
			file.Size = 0
		} else {
			file.Checksum = t.meta("/" + file.Path).checksum()
		}
		all = append(all, file)
		return nil
	})
	return all, err
}

// tree is one user's files: dir/USER/content, their properties in a mirror of it
// under dir/USER/properties, and uploads in progress in dir/USER/uploads.
type tree struct {
	dir     string
	prefix  string
	handler *webdav.Handler
	mutex   sync.RWMutex // held for writing by whatever changes names
}

func newTree(dir, user string) (*tree, error) {
	t := &tree{dir: filepath.Join(dir, user), prefix: "/files/" + user}
	for _, name := range []string{t.content(), t.properties(), t.uploads()} {
		if err := os.MkdirAll(name, 0o755); err != nil {
			return nil, err
		}
	}
	t.handler = &webdav.Handler{Prefix: t.prefix, FileSystem: fileSystem{Dir: webdav.Dir(t.content()), tree: t}, LockSystem: webdav.NewMemLS()}
	return t, nil
}

func (t *tree) content() string    { return filepath.Join(t.dir, "content") }
func (t *tree) properties() string { return filepath.Join(t.dir, "properties") }
func (t *tree) uploads() string    { return filepath.Join(t.dir, "uploads") }

// name is the request's path within the tree.
func (t *tree) name(r *http.Request) string {
	return path.Clean("/" + strings.TrimPrefix(r.URL.Path, t.prefix))
}

// on returns where a path within the tree lies beneath a directory.
func on(dir, name string) string { return filepath.Join(dir, filepath.FromSlash(path.Clean("/"+name))) }

func (t *tree) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.ContainsRune(r.URL.Path, 0) {
		http.Error(w, "NUL in the name", http.StatusBadRequest)
		return
	}
	switch r.Method {
	case http.MethodPut:
		t.put(w, r)
	case http.MethodDelete, "MOVE", "COPY", "MKCOL", "PROPPATCH":
		t.change(w, r)
	default:
		t.handler.ServeHTTP(w, r)
	}
}

// change lets the WebDAV library change something if the preconditions hold,
// which it does not look at itself.
func (t *tree) change(w http.ResponseWriter, r *http.Request) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if !preconditionsHold(r.Header, t.etag(t.name(r))) {
		http.Error(w, "precondition failed", http.StatusPreconditionFailed)
		return
	}
	if r.Method == "MOVE" || r.Method == "COPY" {
		if code := t.moveAllowed(r); code != 0 {
			http.Error(w, r.Method+" "+http.StatusText(code), code)
			return
		}
	}
	t.handler.ServeHTTP(w, r)
}

// moveAllowed returns the status with which a MOVE or COPY is to be refused, or
// 0. RFC 4918 §9.9.4 and §10.6 say it otherwise than the library does: 404 and
// 409 where it says 403, and Overwrite is T by default.
func (t *tree) moveAllowed(r *http.Request) int {
	if r.Header.Get("Overwrite") == "" {
		r.Header.Set("Overwrite", "T")
	}
	destination, err := url.Parse(r.Header.Get("Destination"))
	if err != nil || !strings.HasPrefix(destination.Path, t.prefix+"/") {
		return http.StatusForbidden
	}
	if t.etag(t.name(r)) == "" {
		return http.StatusNotFound
	}
	parent := path.Dir(path.Clean(strings.TrimPrefix(destination.Path, t.prefix)))
	if info, err := os.Stat(on(t.content(), parent)); err != nil || !info.IsDir() {
		return http.StatusConflict
	}
	return 0
}

// etag returns the entity tag of what lies at the path: empty when there is
// nothing, a constant for a folder.
func (t *tree) etag(name string) string {
	info, err := os.Stat(on(t.content(), name))
	switch {
	case err != nil:
		return ""
	case info.IsDir():
		return `"folder"`
	}
	return t.meta(name).etag(info)
}

// status is the HTTP status for an error of the file system.
func status(err error) int {
	switch {
	case err == nil:
		return http.StatusOK
	case errors.Is(err, fs.ErrNotExist):
		return http.StatusConflict // RFC 4918 §9.7.1: an ancestor is missing
	case errors.Is(err, fs.ErrPermission):
		return http.StatusForbidden
	}
	return http.StatusBadRequest
}

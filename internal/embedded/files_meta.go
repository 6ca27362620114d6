package embedded

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/net/webdav"
)

// checksums is the property in which ownCloud and Nextcloud show what was
// announced with OC-Checksum.
var checksums = xml.Name{Space: "http://owncloud.org/ns", Local: "checksums"}

// creationDate is that of the last upload, as on Apache (RFC 4918 §15.1).
var creationDate = xml.Name{Space: "DAV:", Local: "creationdate"}

var checksumElement = regexp.MustCompile(`>([^<]*)</checksum>`)

// meta is what is kept of a file beside its bytes: in the mirror of the tree, so
// that a folder's metadata moves with one rename.
type meta struct {
	// Token is new for each upload, so that two bodies of one size and one
	// modification time have different entity tags.
	Token string `json:"token"`
	// Dead are properties that mean nothing to the server (RFC 4918 §4.1), by
	// space and local name; the values are inner XML.
	Dead map[string]map[string]string `json:"dead,omitempty"`
}

func newMeta(checksum string) meta {
	m := meta{Token: rand.Text()[:12]}
	m.set(creationDate, time.Now().UTC().Format(time.RFC3339))
	if checksum != "" {
		m.set(checksums, `<checksum xmlns="http://owncloud.org/ns">`+html.EscapeString(checksum)+`</checksum>`)
	}
	return m
}

func (m *meta) set(name xml.Name, inner string) {
	if m.Dead == nil {
		m.Dead = map[string]map[string]string{}
	}
	if m.Dead[name.Space] == nil {
		m.Dead[name.Space] = map[string]string{}
	}
	m.Dead[name.Space][name.Local] = inner
}

func (m meta) checksum() string {
	found := checksumElement.FindStringSubmatch(m.Dead[checksums.Space][checksums.Local])
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// etag changes with each upload and with each edit on the disk.
func (m meta) etag(info fs.FileInfo) string {
	return fmt.Sprintf(`"%s-%x-%x"`, m.Token, info.Size(), info.ModTime().UnixNano())
}

// meta returns what is kept of a path; the zero value when nothing is.
func (t *tree) meta(name string) meta {
	var m meta
	text, err := os.ReadFile(on(t.properties(), name))
	if err == nil {
		_ = json.Unmarshal(text, &m) // a broken one is as good as none
	}
	return m
}

func (t *tree) setMeta(name string, m meta) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	file := on(t.properties(), name)
	err = os.WriteFile(file, text, 0o644)
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(filepath.Dir(file), 0o755); err == nil {
			err = os.WriteFile(file, text, 0o644)
		}
	}
	return err
}

// fileSystem is the tree as the WebDAV library wants it.
type fileSystem struct {
	webdav.Dir
	tree *tree
}

// OpenFile opens a file that knows its dead properties and entity tag.
func (s fileSystem) OpenFile(ctx context.Context, name string, flag int, perm os.FileMode) (webdav.File, error) {
	file, err := s.Dir.OpenFile(ctx, name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &openFile{File: file, tree: s.tree, name: name}, nil
}

// Stat returns a FileInfo that knows its entity tag.
func (s fileSystem) Stat(ctx context.Context, name string) (os.FileInfo, error) {
	info, err := s.Dir.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	return fileInfo{FileInfo: info, tree: s.tree, name: name}, nil
}

// RemoveAll removes the properties as well.
func (s fileSystem) RemoveAll(ctx context.Context, name string) error {
	if err := s.Dir.RemoveAll(ctx, name); err != nil {
		return err
	}
	return os.RemoveAll(on(s.tree.properties(), name))
}

// Rename takes the properties along.
func (s fileSystem) Rename(ctx context.Context, oldName, newName string) error {
	if err := s.Dir.Rename(ctx, oldName, newName); err != nil {
		return err
	}
	from, to := on(s.tree.properties(), oldName), on(s.tree.properties(), newName)
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(filepath.Dir(to), 0o755)); err != nil {
		return err
	}
	if err := os.Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil // nothing was kept of it
}

type fileInfo struct {
	os.FileInfo
	tree *tree
	name string
}

// ETag is asked for by the WebDAV library.
func (i fileInfo) ETag(context.Context) (string, error) {
	if i.IsDir() {
		return "", webdav.ErrNotImplemented
	}
	return i.tree.meta(i.name).etag(i.FileInfo), nil
}

type openFile struct {
	webdav.File
	tree *tree
	name string
}

// Stat returns a FileInfo that knows its entity tag.
func (f *openFile) Stat() (os.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	return fileInfo{FileInfo: info, tree: f.tree, name: f.name}, nil
}

// isFolder: folders have no properties of their own, because the mirror has a
// directory in their place.
func (f *openFile) isFolder() bool {
	info, err := f.File.Stat()
	return err != nil || info.IsDir()
}

// DeadProps returns the dead properties (RFC 4918 §4.1).
func (f *openFile) DeadProps() (map[xml.Name]webdav.Property, error) {
	props := map[xml.Name]webdav.Property{}
	if f.isFolder() {
		return props, nil
	}
	for space, values := range f.tree.meta(f.name).Dead {
		for local, inner := range values {
			name := xml.Name{Space: space, Local: local}
			props[name] = webdav.Property{XMLName: name, InnerXML: []byte(inner)}
		}
	}
	return props, nil
}

// Patch changes the dead properties of a file; a folder refuses.
func (f *openFile) Patch(patches []webdav.Proppatch) ([]webdav.Propstat, error) {
	result := webdav.Propstat{Status: http.StatusOK}
	folder := f.isFolder()
	if folder {
		result.Status = http.StatusForbidden
	}
	m := f.tree.meta(f.name)
	m.Dead = maps.Clone(m.Dead)
	for _, patch := range patches {
		for _, property := range patch.Props {
			result.Props = append(result.Props, webdav.Property{XMLName: property.XMLName})
			if patch.Remove {
				delete(m.Dead[property.XMLName.Space], property.XMLName.Local)
			} else {
				m.set(property.XMLName, string(property.InnerXML))
			}
		}
	}
	if folder {
		return []webdav.Propstat{result}, nil
	}
	return []webdav.Propstat{result}, f.tree.setMeta(f.name, m)
}

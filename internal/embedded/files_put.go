package embedded

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/webdav"
)

// put stores a body beside the tree and moves it into its place when it is
// complete, so that an upload that is cut leaves nothing.
func (t *tree) put(w http.ResponseWriter, r *http.Request) {
	name := t.name(r)
	if code := t.putAllowed(r, name); code != 0 {
		http.Error(w, "PUT "+http.StatusText(code), code)
		return
	}
	uploaded, err := t.upload(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer func() { _ = os.Remove(uploaded) }() // nothing to remove once it is in its place
	modified, err := modifiedTime(r)
	if err == nil && !modified.IsZero() {
		err = os.Chtimes(uploaded, modified, modified)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !modified.IsZero() {
		w.Header().Set("X-OC-Mtime", "accepted")
	}
	t.place(w, r, name, uploaded)
}

// putAllowed returns the status with which a PUT is to be refused, or 0.
func (t *tree) putAllowed(r *http.Request, name string) int {
	if r.Header.Get("Content-Range") != "" { // RFC 9110 §14.5: a partial PUT must not be taken for a whole one
		return http.StatusBadRequest
	}
	if info, err := os.Stat(on(t.content(), name)); err == nil && info.IsDir() {
		return http.StatusMethodNotAllowed
	}
	parent, err := os.Stat(on(t.content(), path.Dir(name)))
	if err != nil {
		return status(err)
	}
	if !parent.IsDir() {
		return http.StatusConflict
	}
	if !preconditionsHold(r.Header, t.etag(name)) {
		return http.StatusPreconditionFailed
	}
	return 0
}

// upload stores the request's body and returns the file's name.
func (t *tree) upload(r *http.Request) (name string, err error) {
	file, err := os.CreateTemp(t.uploads(), "put")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	sum, want, err := announcedChecksum(r)
	if err != nil {
		return "", err
	}
	var to io.Writer = file
	if sum != nil {
		to = io.MultiWriter(file, sum)
	}
	if _, err := io.CopyBuffer(to, struct{ io.Reader }{r.Body}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	if sum != nil && hex.EncodeToString(sum.Sum(nil)) != want {
		return "", errors.New("the body does not have the announced checksum")
	}
	return file.Name(), nil
}

// announcedChecksum reads OC-Checksum: an algorithm, a colon and hex digits.
func announcedChecksum(r *http.Request) (hash.Hash, string, error) {
	header := r.Header.Get("OC-Checksum")
	if header == "" {
		return nil, "", nil
	}
	algorithm, digits, found := strings.Cut(header, ":")
	makers := map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "MD5": md5.New}
	maker := makers[strings.ToUpper(algorithm)]
	if !found || maker == nil {
		return nil, "", fmt.Errorf("unknown OC-Checksum %q", header)
	}
	return maker(), strings.ToLower(digits), nil
}

// modifiedTime reads X-OC-Mtime, which is in Unix seconds; zero when there is none.
func modifiedTime(r *http.Request) (time.Time, error) {
	header := r.Header.Get("X-OC-Mtime")
	if header == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(header, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("X-OC-Mtime: %w", err)
	}
	return time.Unix(seconds, 0), nil
}

// place moves the uploaded file to its name and answers. The preconditions are
// looked at again: somebody else may have been faster.
func (t *tree) place(w http.ResponseWriter, r *http.Request, name, uploaded string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	code := t.putAllowed(r, name)
	if code == 0 && t.locked(r, name) {
		code = http.StatusLocked
	}
	if code != 0 {
		http.Error(w, "PUT "+http.StatusText(code), code)
		return
	}
	existed := t.etag(name) != ""
	m := newMeta(r.Header.Get("OC-Checksum"))
	err := t.setMeta(name, m)
	if err == nil {
		err = os.Rename(uploaded, on(t.content(), name))
	}
	if err != nil {
		http.Error(w, err.Error(), status(err))
		return
	}
	w.Header().Set("ETag", t.etag(name))
	if existed {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// locked says whether somebody else's lock (RFC 4918 §6) stands in the way. A
// request that shows a lock's token in its If header is believed.
func (t *tree) locked(r *http.Request, name string) bool {
	if r.Header.Get("If") != "" {
		return false
	}
	now := time.Now()
	token, err := t.handler.LockSystem.Create(now, webdav.LockDetails{Root: name, Duration: -1, ZeroDepth: true})
	if err != nil {
		return true
	}
	return t.handler.LockSystem.Unlock(now, token) != nil
}

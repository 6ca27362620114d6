package embedded

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
)

func (s *Calendar) get(w http.ResponseWriter, r *http.Request, p place) {
	c := s.collectionAt(p)
	if c == nil || c.objects[p.object] == nil {
		http.NotFound(w, r)
		return
	}
	o := c.objects[p.object]
	body, err := os.ReadFile(c.file(p.object))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if r.Header.Get("If-None-Match") != "" && !preconditionsHold(r.Header, o.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", c.flavour.contentType+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("ETag", o.etag)
	w.Header().Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	_, _ = w.Write(body)
}

// put answers PUT of an object (RFC 4791 §5.3.2).
func (s *Calendar) put(w http.ResponseWriter, r *http.Request, p place) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := s.collectionAt(p)
	switch {
	case p.flavour == nil || p.object == "":
		http.Error(w, "objects lie in collections", http.StatusMethodNotAllowed)
		return
	case p.object == "." || p.object == "..":
		http.Error(w, "not a name", http.StatusBadRequest)
		return
	case c == nil:
		http.Error(w, "no such collection", http.StatusConflict)
		return
	case len(body) > s.maxSize(p.flavour):
		refuse(w, http.StatusForbidden, p.flavour.space, "max-resource-size", "")
		return
	case !preconditionsHold(r.Header, c.etag(p.object)):
		http.Error(w, "precondition failed", http.StatusPreconditionFailed)
		return
	}
	parsed, ok := c.check(w, r, p.object, body)
	if !ok {
		return
	}
	existed := c.objects[p.object] != nil
	o, err := c.put(p.object, parsed.uid, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInsufficientStorage)
		return
	}
	s.spy.watch(r, parsed)
	w.Header().Set("ETag", o.etag)
	if existed {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// etag returns the object's entity tag; empty when there is none.
func (c *collection) etag(name string) string {
	if o := c.objects[name]; o != nil {
		return o.etag
	}
	return ""
}

// check refuses an object that must not be stored under the name.
func (c *collection) check(w http.ResponseWriter, r *http.Request, name string, body []byte) (parsed, bool) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != c.flavour.contentType {
		refuse(w, http.StatusForbidden, c.flavour.space, c.flavour.supportedData(), "")
		return parsed{}, false
	}
	p, err := c.flavour.parse(string(body))
	var invalid *invalid
	if errors.As(err, &invalid) {
		refuse(w, http.StatusForbidden, c.flavour.space, invalid.precondition, escape(err.Error()))
		return parsed{}, false
	}
	if c.Components != nil && !slices.Contains(c.Components, p.kind) {
		refuse(w, http.StatusForbidden, nsCal, "supported-calendar-component", "")
		return parsed{}, false
	}
	return p, c.uidFree(w, p.uid, name)
}

// uidFree: no other object of the collection has the UID, and an object never
// changes its own.
func (c *collection) uidFree(w http.ResponseWriter, uid, name string) bool {
	holder := c.uids[uid]
	if o := c.objects[name]; o != nil && o.uid != uid {
		holder = name
	}
	if holder == "" || holder == name && c.objects[name].uid == uid {
		return true
	}
	refuse(w, http.StatusConflict, c.flavour.space, "no-uid-conflict", hrefTo(c.path()+holder))
	return false
}

// delete answers DELETE of an object or a collection.
func (s *Calendar) delete(w http.ResponseWriter, r *http.Request, p place) {
	c := s.collectionAt(p)
	if c == nil || p.object != "" && c.objects[p.object] == nil {
		http.NotFound(w, r)
		return
	}
	var err error
	if p.object == "" {
		for name := range c.objects {
			s.watchDelete(r, c, name)
		}
		delete(s.collections, c.path())
		err = os.RemoveAll(c.dir)
	} else {
		if !preconditionsHold(r.Header, c.etag(p.object)) {
			http.Error(w, "precondition failed", http.StatusPreconditionFailed)
			return
		}
		s.watchDelete(r, c, p.object)
		err = c.remove(p.object)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Calendar) watchDelete(r *http.Request, c *collection, name string) {
	body, err := os.ReadFile(c.file(name))
	if err != nil {
		return
	}
	if p, err := c.flavour.parse(string(body)); err == nil {
		s.spy.watch(r, p)
	}
}

// move answers MOVE of an object within the user's collections of one kind.
func (s *Calendar) move(w http.ResponseWriter, r *http.Request, p place) {
	from := s.collectionAt(p)
	if from == nil || from.objects[p.object] == nil {
		http.NotFound(w, r)
		return
	}
	destination, err := url.Parse(r.Header.Get("Destination"))
	if err != nil {
		http.Error(w, "no Destination", http.StatusBadRequest)
		return
	}
	d, ok := locate(destination.Path)
	to := s.collectionAt(d)
	switch {
	case !ok || d.flavour != p.flavour || d.user != p.user || d.object == "" || d.object == "." || d.object == "..":
		http.Error(w, "not a place for it", http.StatusForbidden)
		return
	case to == nil:
		http.Error(w, "no such collection", http.StatusConflict)
		return
	case !preconditionsHold(r.Header, from.etag(p.object)), r.Header.Get("Overwrite") == "F" && to.objects[d.object] != nil:
		http.Error(w, "precondition failed", http.StatusPreconditionFailed)
		return
	}
	s.moveObject(w, r, from, p.object, to, d.object)
}

func (s *Calendar) moveObject(w http.ResponseWriter, r *http.Request, from *collection, name string, to *collection, newName string) {
	body, err := os.ReadFile(from.file(name))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.Header.Set("Content-Type", from.flavour.contentType)
	o, existed := from.objects[name], to.objects[newName] != nil
	if from == to { // its own UID does not stand in its way
		delete(from.uids, o.uid)
	}
	parsed, ok := to.check(w, r, newName, body)
	if !ok {
		from.uids[o.uid] = name
		return
	}
	if _, err = to.put(newName, parsed.uid, body); err == nil {
		err = from.remove(name)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if existed {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

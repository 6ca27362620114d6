package embedded

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Calendar is a CalDAV (RFC 4791) and CardDAV (RFC 6352) server over a directory.
// It sends no mail: what another server would have sent is in Sent.
type Calendar struct {
	*httpServer
	// URL is a user's calendar home, with {user} in the place of the name and a
	// trailing slash. Discovery (RFC 6764) begins at its root too.
	URL string
	// AddressBookURL is the same for address books.
	AddressBookURL string

	dir   string
	epoch string // distinguishes the sync tokens of two runs

	mutex       sync.Mutex
	maxCard     int                    // bytes
	collections map[string]*collection // by path
	spy         spy
}

// StoredCollection is a calendar or address book as it lies on the server.
type StoredCollection struct {
	// Name is the last segment of its URL.
	Name        string
	DisplayName string
	Color       string // as the client set it, such as #RRGGBB
	Description string
	TimeZone    string // an iCalendar object with a VTIMEZONE
	Components  []string
	Objects     []StoredObject // in the order of their names
}

// StoredObject is an event, to-do or contact as it lies on the server.
type StoredObject struct {
	Name string // last segment of its URL
	UID  string
	ETag string
	Body []byte
}

// StartCalendar starts a CalDAV and CardDAV server that keeps its collections
// beneath dir. A new calendar home is empty, a new address book home has the
// address book "contacts", as Nextcloud's has.
func StartCalendar(dir string, users []User) (*Calendar, error) {
	passwords, err := accounts(users)
	if err != nil {
		return nil, err
	}
	s := &Calendar{dir: dir, epoch: rand.Text()[:8], maxCard: maxObject, collections: map[string]*collection{}}
	for _, user := range users {
		for _, f := range flavours {
			if err := s.load(f, user.Name); err != nil {
				return nil, fmt.Errorf("embedded: %s of %s: %w", f.home, user.Name, err)
			}
		}
	}
	if s.httpServer, err = startHTTP(passwords, s); err != nil {
		return nil, err
	}
	s.URL = s.root + "/calendars/{user}/"
	s.AddressBookURL = s.root + "/addressbooks/{user}/"
	return s, nil
}

func (s *Calendar) load(f *flavour, user string) error {
	home := filepath.Join(s.dir, user, f.home)
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) && f.initial != "" {
		if err := newCollection(f, s.dir, user, f.initial).save(); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(home)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, err := url.PathUnescape(entry.Name())
		if err != nil {
			return err
		}
		c := newCollection(f, s.dir, user, name)
		if err := c.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		} else if err == nil {
			s.collections[c.path()] = c
		}
	}
	return nil
}

// UserURL is the user's calendar home.
func (s *Calendar) UserURL(user string) string { return userURL(s.URL, user) }

// UserAddressBookURL is the user's address book home.
func (s *Calendar) UserAddressBookURL(user string) string { return userURL(s.AddressBookURL, user) }

// LimitCards sets how many bytes a contact may have from now on, at most the
// 10 MiB of the beginning. A larger one is refused with max-resource-size; what
// is stored already stays.
func (s *Calendar) LimitCards(bytes int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.maxCard = min(bytes, maxObject)
}

// maxSize is how many bytes an object may have.
func (s *Calendar) maxSize(f *flavour) int {
	if f.space == nsCard {
		return s.maxCard
	}
	return maxObject
}

// Calendars returns the user's calendars with all objects, in the order of their
// names.
func (s *Calendar) Calendars(user string) ([]StoredCollection, error) {
	return s.stored("calendars", user)
}

// AddressBooks returns the user's address books with all cards, in the order of
// their names.
func (s *Calendar) AddressBooks(user string) ([]StoredCollection, error) {
	return s.stored("addressbooks", user)
}

func (s *Calendar) stored(home, user string) ([]StoredCollection, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var all []StoredCollection
	for _, c := range s.home(home, user) {
		stored := StoredCollection{
			Name: c.name, DisplayName: c.text(nsDAV, "displayname"), Color: c.text(nsApple, "calendar-color"),
			Description: c.text(c.flavour.space, c.flavour.collection+"-description"), TimeZone: c.text(nsCal, "calendar-timezone"),
			Components: slices.Clone(c.Components),
		}
		for _, name := range slices.Sorted(maps.Keys(c.objects)) {
			body, err := os.ReadFile(c.file(name))
			if err != nil {
				return nil, err
			}
			o := c.objects[name]
			stored.Objects = append(stored.Objects, StoredObject{Name: name, UID: o.uid, ETag: o.etag, Body: body})
		}
		all = append(all, stored)
	}
	return all, nil
}

// home returns the collections of a user in the order of their names.
func (s *Calendar) home(home, user string) []*collection {
	var all []*collection
	for _, c := range s.collections {
		if c.flavour.home == home && c.user == user {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *collection) int { return strings.Compare(a.name, b.name) })
	return all
}

// place is what a URL path means.
type place struct {
	flavour    *flavour // nil at the root and for principals
	user       string
	collection string
	object     string
	principal  bool
}

// locate reads a path: /HOME/USER/COLLECTION/OBJECT or /principals/USER, or the
// beginning of one; false when it has another form.
func locate(path string) (place, bool) {
	if path == "/" {
		return place{}, true
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")
	if len(segments) < 2 || len(segments) > 4 || slices.Contains(segments, "") || strings.ContainsRune(path, 0) {
		return place{}, false
	}
	depth := len(segments)
	segments = append(segments, "", "")
	p := place{flavour: flavours[segments[0]], user: segments[1], collection: segments[2], object: segments[3]}
	p.principal = segments[0] == "principals" && depth == 2
	return p, p.principal || p.flavour != nil
}

func (s *Calendar) collectionAt(p place) *collection {
	if p.flavour == nil {
		return nil
	}
	return s.collections["/"+p.flavour.home+"/"+p.user+"/"+p.collection+"/"]
}

// ServeHTTP answers a request. All requests are answered one after the other.
func (s *Calendar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/.well-known/caldav" || r.URL.Path == "/.well-known/carddav" {
		http.Redirect(w, r, "/", http.StatusMovedPermanently)
		return
	}
	p, ok := locate(r.URL.Path)
	_, known := s.passwords[p.user]
	switch {
	case !ok || p.user != "" && !known:
		http.NotFound(w, r)
		return
	case p.user != "" && !mayUse(r, p.user):
		http.Error(w, "not yours", http.StatusForbidden)
		return
	}
	body, err := readBody(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = body
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.Header().Set("DAV", "1, 3, extended-mkcol, calendar-access, addressbook")
	s.dispatch(w, r, p)
}

// readBody reads the body before the lock is taken: a client may be slow.
func readBody(r *http.Request) (*memoryBody, error) {
	b := &memoryBody{}
	_, err := b.ReadFrom(http.MaxBytesReader(nil, r.Body, maxObject+1))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		err = nil // the one byte too many shows
	}
	return b, err
}

// memoryBody is a request's body in memory.
type memoryBody struct{ bytes.Buffer }

// Close is part of io.ReadCloser.
func (*memoryBody) Close() error { return nil }

func (s *Calendar) dispatch(w http.ResponseWriter, r *http.Request, p place) {
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Allow", "OPTIONS, GET, HEAD, PUT, DELETE, MOVE, MKCALENDAR, MKCOL, PROPFIND, PROPPATCH, REPORT")
	case "PROPFIND":
		s.propfind(w, r, p)
	case "PROPPATCH":
		s.proppatch(w, r, p)
	case "MKCALENDAR", "MKCOL":
		s.makeCollection(w, r, p)
	case "REPORT":
		s.report(w, r, p)
	case http.MethodGet, http.MethodHead:
		s.get(w, r, p)
	case http.MethodPut:
		s.put(w, r, p)
	case http.MethodDelete:
		s.delete(w, r, p)
	case "MOVE":
		s.move(w, r, p)
	default:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	}
}

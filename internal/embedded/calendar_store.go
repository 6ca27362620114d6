package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// flavour is what CalDAV and CardDAV do differently.
type flavour struct {
	home        string // first segment of the URL
	space       string // XML namespace
	collection  string // element of DAV:resourcetype
	contentType string
	versions    []string // of contentType that are taken
	data        string   // property that holds an object in reports
	parse       func(string) (parsed, error)
	// components are the kinds of objects of a collection whose client named
	// none; nil where clients cannot choose.
	components []string
	// initial is the collection that a new home has; empty for none.
	initial string
	// matches evaluates the filter of a query.
	matches func(root *component, filter *node) (bool, error)
}

var flavours = map[string]*flavour{
	"calendars": {
		home: "calendars", space: nsCal, collection: "calendar", contentType: "text/calendar", versions: []string{"2.0"},
		data: "calendar-data", parse: parseCalendarObject, components: []string{"VEVENT", "VTODO"}, matches: matchesCalendar,
	},
	"addressbooks": {
		home: "addressbooks", space: nsCard, collection: "addressbook", contentType: "text/vcard", versions: []string{"3.0", "4.0"},
		data: "address-data", parse: parseCard, initial: "contacts", matches: matchesCard,
	},
}

// notHere is the precondition of a collection that has no place where a client
// wants it.
func (f *flavour) notHere() string { return f.collection + "-collection-location-ok" }

// supportedData is the property that lists what objects may be, and the
// precondition that others violate.
func (f *flavour) supportedData() string { return "supported-" + f.data }

// collection is a calendar or address book: dir/collection.json and one file for
// each object in dir/objects.
type collection struct {
	flavour *flavour
	user    string
	name    string
	dir     string

	// Stored are the properties that clients set, by space and local name.
	Stored map[string]map[string]string `json:"properties"`
	// Components are the kinds of a calendar's objects; nil in an address book.
	Components []string `json:"components,omitempty"`

	objects map[string]*object
	uids    map[string]string // an object's name by its UID
	removed map[string]int    // at which change an object went
	change  int               // counts changes since the server started
}

// object is what is kept in memory of a stored object.
type object struct {
	etag     string
	uid      string
	size     int
	modified time.Time
	change   int
}

func newCollection(f *flavour, dir, user, name string) *collection {
	return &collection{
		flavour: f, user: user, name: name, dir: filepath.Join(dir, user, f.home, url.PathEscape(name)),
		Stored: map[string]map[string]string{}, Components: slices.Clone(f.components), objects: map[string]*object{}, uids: map[string]string{}, removed: map[string]int{},
	}
}

// path is the collection's unescaped URL path.
func (c *collection) path() string { return "/" + c.flavour.home + "/" + c.user + "/" + c.name + "/" }

func (c *collection) file(name string) string {
	return filepath.Join(c.dir, "objects", url.PathEscape(name))
}

// load reads what an earlier server left.
func (c *collection) load() error {
	text, err := os.ReadFile(filepath.Join(c.dir, "collection.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(c.dir, "objects"))
	for _, entry := range entries {
		name, unescapeErr := url.PathUnescape(entry.Name())
		body, readErr := os.ReadFile(filepath.Join(c.dir, "objects", entry.Name()))
		info, infoErr := entry.Info()
		p, parseErr := c.flavour.parse(string(body))
		if err := errors.Join(unescapeErr, readErr, infoErr, parseErr); err != nil {
			return fmt.Errorf("%s: %w", entry.Name(), err)
		}
		c.objects[name] = &object{etag: digest(body), uid: p.uid, size: len(body), modified: info.ModTime()}
		c.uids[p.uid] = name
	}
	return err
}

// save writes the collection's own properties.
func (c *collection) save() error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "objects"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(c.dir, "collection.json"), text, 0o644)
}

// put stores an object. A write that fails leaves the former one.
func (c *collection) put(name, uid string, body []byte) (*object, error) {
	temporary := filepath.Join(c.dir, "upload")
	if err := os.WriteFile(temporary, body, 0o644); err != nil {
		return nil, err
	}
	if err := os.Rename(temporary, c.file(name)); err != nil {
		return nil, errors.Join(err, os.Remove(temporary))
	}
	c.change++
	delete(c.removed, name)
	c.uids[uid] = name
	c.objects[name] = &object{etag: digest(body), uid: uid, size: len(body), modified: time.Now(), change: c.change}
	return c.objects[name], nil
}

func (c *collection) remove(name string) error {
	if err := os.Remove(c.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.change++
	if o := c.objects[name]; o != nil && c.uids[o.uid] == name {
		delete(c.uids, o.uid)
	}
	delete(c.objects, name)
	c.removed[name] = c.change
	return nil
}

func (c *collection) set(name xml.Name, inner string) {
	if c.Stored[name.Space] == nil {
		c.Stored[name.Space] = map[string]string{}
	}
	c.Stored[name.Space][name.Local] = inner
}

// digest is an entity tag: the same bytes have the same one, also after a restart.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

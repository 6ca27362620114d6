// Package carddav writes contacts into a CardDAV server (RFC 6352): each as one address object resource, by one conditional request.
//
// Every write may be repeated. A card carries a digest of what was written (the property X-REPATRIATE-DIGEST), so that a card which nobody
// changed since is told from one that its user edited. A picture is part of its card; it is made smaller only where the server takes it in
// no other way.
package carddav

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/meter"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Options say into which account and address book contacts go.
type Options struct {
	// URL is the user's address book home (RFC 6352 §7.1.1), such as https://cloud.example.org/remote.php/dav/addressbooks/users/anna/.
	URL string
	// User and Password log in (HTTP Basic).
	User, Password string
	// RoundTripper carries the requests; nil: one of the sink's own, which Close ends.
	RoundTripper http.RoundTripper
	// Meter counts the requests; may be nil.
	Meter *meter.Meter
	// Collection is the address book. One that is not there is made.
	Collection sinks.Collection
}

// Sink writes into one address book. It implements sinks.Sink[sinks.Contact].
type Sink struct {
	client *client
	store  dav.Store
	book   book
}

var (
	_ sinks.Sink[sinks.Contact] = (*Sink)(nil)
	_ sinks.Inspector           = (*Sink)(nil)
	_ sinks.Clearer             = (*Sink)(nil)
	_ sinks.Recoverer           = (*Sink)(nil)
)

// client speaks with one server as one user.
type client struct{ *dav.Client }

// Open finds the address book in the user's home, or makes it.
func Open(ctx context.Context, o Options) (*Sink, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	b, err := c.provide(ctx, o.Collection)
	if err != nil {
		c.Close()
		return nil, err
	}
	return &Sink{client: c, store: dav.Store{Client: c.Client, Format: format(), Path: b.path}, book: b}, nil
}

func newClient(o Options) (*client, error) {
	d, err := dav.NewClient(dav.Options{
		URL: o.URL, User: o.User, Password: o.Password, RoundTripper: o.RoundTripper, Meter: o.Meter, Protocol: "CardDAV", Collection: "address book",
	})
	return &client{d}, err
}

// AddressBook returns the path of the address book on the server.
func (s *Sink) AddressBook() string { return s.book.path }

// Version4 reports whether the server takes vCards by RFC 6350 only. One that takes both versions keeps those by RFC 2426 as they are
// and converts them for clients that ask; Cyrus and Nextcloud hand out those by RFC 6350 only on demand.
func (s *Sink) Version4() bool { return s.book.version4 }

// Close ends the connections that the sink opened by itself.
func (s *Sink) Close() error {
	s.client.Close()
	return nil
}

// The losses that only the writing shows.
const (
	LossKept         = "contact.kept"           // the target had the contact already; that one stays as it is and stands for the item
	LossRewritten    = "contact.rewritten"      // the server stored another card than it was given
	LossJoined       = "contact.category_comma" // the server parts names of categories at commas; they have another letter there
	LossPhotoSmaller = "contact.photo_smaller"  // the picture was made smaller, since the server takes no card as large
	LossPhotoLeft    = "contact.photo_left"     // the picture stays behind: the server takes none as large, or it is no picture
)

// Put implements sinks.Sink.
func (s *Sink) Put(ctx context.Context, item sinks.Item[sinks.Contact], prev sinks.Receipt) (sinks.Written, error) {
	version := dav.DigestOf(append(item.Content.Data[:len(item.Content.Data):len(item.Content.Data)], item.Content.Photo.Version...))
	if s.store.Current(version, prev) {
		return s.store.Standing(prev), nil
	}
	picture, losses, err := readPhoto(ctx, item.Content.Photo)
	if err != nil {
		return sinks.Written{}, err
	}
	room := s.book.room(len(item.Content.Data))
	for {
		data, smaller, fits := withPhoto(item.Content.Data, picture, room)
		if !fits {
			data, picture = item.Content.Data, nil
			losses = []sinks.Loss{{Reason: LossPhotoLeft, Detail: "the server takes no card as large"}}
		} else if smaller {
			losses = []sinks.Loss{{Reason: LossPhotoSmaller}}
		}
		written, err := s.store.Put(ctx, dav.Item{ID: item.ID, Again: item.Again, Data: data, Version: version, Losses: losses}, prev)
		if err != nil && fault.Of(err).Reason == fault.TargetTooBig && picture != nil {
			room = min(room, len(data)-len(item.Content.Data)) / 2 // the server has a limit that it does not tell
			continue
		}
		return written, err
	}
}

// Remove implements sinks.Sink.
func (s *Sink) Remove(ctx context.Context, prev sinks.Receipt) error {
	return s.store.Remove(ctx, prev)
}

// Recover implements sinks.Recoverer.
func (s *Sink) Recover(ctx context.Context, id string, p sinks.Proof) ([]sinks.Receipt, error) {
	return s.store.Recover(ctx, id, p)
}

// List implements sinks.Inspector.
func (s *Sink) List(ctx context.Context, place string) iter.Seq2[sinks.Object, error] {
	return s.store.List(ctx, place)
}

// Read implements sinks.Inspector.
func (s *Sink) Read(ctx context.Context, o sinks.Object) (sinks.Object, error) {
	return s.store.Read(ctx, o)
}

// Expect implements sinks.Inspector.
func (s *Sink) Expect(p sinks.Proof) sinks.Expectation { return dav.Expect(p) }

// Compare implements sinks.Inspector.
func (s *Sink) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict { return dav.Compare(o, p) }

// Clear implements sinks.Clearer: the address book is removed if this program made it and nothing lies in it.
func (s *Sink) Clear(ctx context.Context, _ []string) ([]string, error) { return s.store.Clear(ctx) }

// book is an address book of the user's home.
type book struct {
	path     string
	version4 bool
	most     int // octets of a card; 0: the server does not say
}

// maxCard bounds a card where the server does not say how large one may be.
const maxCard = 10_000_000

// room is how many octets of a card are left for the picture.
func (b book) room(used int) int {
	const slack = 512 // for the digest, and for what servers count beside the card
	most := b.most
	if most <= 0 || most > maxCard {
		most = maxCard
	}
	return most - used - slack
}

const homeProperties = `<propfind xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><prop><resourcetype/><displayname/>` +
	`<C:supported-address-data/><C:max-resource-size/></prop></propfind>`

// provide returns the address book for a collection, and makes it if it is not there.
func (c *client) provide(ctx context.Context, wanted sinks.Collection) (book, error) {
	books, err := c.list(ctx)
	if err != nil {
		return book{}, err
	}
	own := dav.Canonical(c.Home) + dav.CollectionName(wanted.ID) + "/"
	if b, ok := choose(books, own, wanted.Primary); ok {
		return b, nil
	}
	if err := c.make(ctx, own, wanted); err != nil {
		return book{}, err
	}
	if books, err = c.list(ctx); err != nil {
		return book{}, err
	}
	if b, ok := choose(books, own, false); ok {
		return b, nil
	}
	return book{}, fault.New(fault.FailTask, fault.TargetConflict, "make address book: the server does not list it at %s", own).
		WithHint("something that is no address book has its name, or it lies in the trash bin of the target: empty that")
}

// choose returns what an earlier pass made, or for the main address book the default one of the target, by the names of Nextcloud and Cyrus.
func choose(books []book, own string, primary bool) (book, bool) {
	names := []string{own}
	if primary {
		names = append(names, "/contacts/", "/Default/")
	}
	for _, name := range names {
		if i := slices.IndexFunc(books, func(b book) bool { return strings.HasSuffix(b.path, name) }); i >= 0 {
			return books[i], true
		}
	}
	return book{}, false
}

// list reads the user's home.
func (c *client) list(ctx context.Context) ([]book, error) {
	var books []book
	err := c.Multistatus(ctx, "PROPFIND", c.Home.EscapedPath(), "1", homeProperties, func(r dav.Response) error {
		p := r.Found()
		path, err := c.Path(r.Href)
		if err != nil || p.ResourceType.AddressBook == nil {
			return nil // one strange href does not hide the others
		}
		b := book{path: strings.TrimSuffix(path, "/") + "/"}
		b.most, _ = strconv.Atoi(strings.TrimSpace(p.MaxCard))
		b.version4 = takes(p.CardTypes, "4.0") && !takes(p.CardTypes, "3.0")
		books = append(books, b)
		return nil
	})
	if absent := dav.Absent(err, "address book home", "target.contacts.carddav"); absent != nil {
		return nil, absent
	}
	return books, err
}

func takes(types []dav.CardType, version string) bool {
	return slices.ContainsFunc(types, func(t dav.CardType) bool { return t.MediaType == "text/vcard" && t.Version == version })
}

// make makes an address book by an extended MKCOL (RFC 5689, RFC 6352 §6.3.1).
func (c *client) make(ctx context.Context, path string, wanted sinks.Collection) error {
	a, err := c.Do(ctx, "MKCOL", path, http.Header{"Content-Type": {"application/xml; charset=utf-8"}}, []byte(mkcol(wanted)))
	switch {
	case err != nil:
		return err
	case a.OK(), a.Status == http.StatusMethodNotAllowed, a.XML.Has("resource-must-be-null"):
		return nil // provide looks at what is there
	}
	f := fault.Of(c.Fault(a)).WithHint("")
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusForbidden {
		f.Action = fault.FailTask
		f.Hint = "on Nextcloud: occ config:app:set dav rateLimitAddressBookCreation and maximumAdressbooks, for the time of the migration"
	}
	if f.Action == fault.FailItem {
		f.Action = fault.FailTask
	}
	return f
}

func mkcol(wanted sinks.Collection) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav"><D:set><D:prop>` +
		`<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>`)
	if wanted.Name != "" {
		b.WriteString("<D:displayname>" + dav.Escaped(wanted.Name) + "</D:displayname>")
	}
	if wanted.Description != "" {
		b.WriteString("<C:addressbook-description>" + dav.Escaped(wanted.Description) + "</C:addressbook-description>")
	}
	b.WriteString("</D:prop></D:set></D:mkcol>")
	return b.String()
}

package microsoft

import (
	"cmp"
	"context"
	"io"
	"net/url"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listContactFolders = method{exchange, "contactFolders.list", 1, "Contacts.Read"}
	getContactFolder   = method{exchange, "contactFolders.get", 1, "Contacts.Read"}
	contactDelta       = method{exchange, "contact.delta", 1, "Contacts.Read"}
	getContact         = method{exchange, "contact.get", 1, "Contacts.Read"}
	contactPhoto       = method{exchange, "contact.photo", 1, "Contacts.Read"}
)

// contactFolder is the part of Graph's contactFolder that is read.
type contactFolder struct {
	ID   string `json:"id"`
	Name string `json:"displayName"`
}

// maxContactFolders bounds how many folders are walked.
const maxContactFolders = 10_000

// ContactFolders returns the contact folders of a mailbox: the default one first, then all others with the names of those that hold
// them. Distribution lists in them are out of Graph's reach.
func ContactFolders(ctx context.Context, c *Client, user string) ([]sources.Collection, error) {
	var main contactFolder
	at := c.path(url.Values{"$select": {"id,displayName"}}, "users", user, "contactFolders", "contacts")
	if err := c.get(ctx, call{method: getContactFolder, of: user, url: at, header: mailHeader}, &main); err != nil {
		return nil, err
	}
	w := contactWalk{client: c, user: user, seen: map[string]bool{main.ID: true}}
	w.found = append(w.found, sources.Collection{ID: main.ID, Name: main.Name, Primary: true})
	if err := w.walk(ctx, "", nil); err != nil {
		return nil, err
	}
	return w.found, nil
}

type contactWalk struct {
	client *Client
	user   string
	seen   map[string]bool
	found  []sources.Collection
}

func (w *contactWalk) walk(ctx context.Context, parent string, path []string) error {
	segments := []string{"users", w.user, "contactFolders"}
	if parent != "" {
		segments = append(segments, parent, "childFolders")
	}
	at := w.client.path(url.Values{"$select": {"id,displayName"}, "$top": {"100"}}, segments...)
	var below []contactFolder
	for f, err := range pages[contactFolder](ctx, w.client, call{method: listContactFolders, of: w.user, url: at, header: mailHeader}) {
		if err != nil {
			return err
		}
		if f.ID != "" && !w.seen[f.ID] && len(w.seen) < maxContactFolders {
			w.seen[f.ID] = true
			below = append(below, f)
		}
	}
	for _, f := range below {
		own := append(path[:len(path):len(path)], f.Name)
		w.found = append(w.found, sources.Collection{ID: f.ID, Name: strings.Join(own, " / ")})
		if err := w.walk(ctx, f.ID, own); err != nil {
			return err
		}
	}
	return nil
}

// Contacts returns the contacts of one folder.
func Contacts(c *Client, user, folder string) sources.Source[sources.Contact] {
	return &contactSource{client: c, user: user, folder: folder}
}

type contactSource struct {
	client       *Client
	user, folder string
}

// contactHeader asks for ids that stay, and for large pages.
var contactHeader = map[string]string{"Prefer": `IdType="ImmutableId", odata.maxpagesize=` + strconv.Itoa(deltaSize)}

// Changes implements sources.Source.
func (s *contactSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.Contact], error) {
	first := s.client.path(nil, "users", s.user, "contactFolders", s.folder, "contacts", "delta")
	values, page, err := deltaPage[contact, sources.Contact](ctx, s.client, call{method: contactDelta, of: s.user, header: contactHeader}, first, after)
	if err != nil {
		return page, err
	}
	for _, v := range values {
		if v.ID == "" {
			return page, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: a contact without an id", contactDelta)
		}
		page.Items = append(page.Items, s.item(v))
	}
	return page, nil
}

// Fetch implements sources.Source.
func (s *contactSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Contact], error) {
	var v contact
	at := s.client.path(nil, "users", s.user, "contactFolders", s.folder, "contacts", id)
	if err := s.client.get(ctx, call{method: getContact, of: s.user, url: at, header: mailHeader}, &v); err != nil {
		return sources.Item[sources.Contact]{}, err
	}
	v.ID = id
	return s.item(v), nil
}

func (s *contactSource) item(v contact) sources.Item[sources.Contact] {
	it := sources.Item[sources.Contact]{ID: v.ID, Version: cmp.Or(v.ChangeKey, v.Modified), Deleted: v.Removed != nil}
	if it.Deleted {
		return it
	}
	it.Content = v.content()
	it.Title, _ = it.Content.Shown()
	it.Content.Photo = &sources.Body{Version: it.Version, Size: -1, Open: func(ctx context.Context) (io.ReadCloser, error) {
		return s.photo(ctx, v.ID)
	}}
	return it
}

// photo opens the picture. That there is none is known only by asking (learn.microsoft.com/graph/api/profilephoto-get): ErrGone.
func (s *contactSource) photo(ctx context.Context, id string) (io.ReadCloser, error) {
	at := s.client.path(nil, "users", s.user, "contactFolders", s.folder, "contacts", id, "photo", "$value")
	res, err := s.client.do(ctx, call{method: contactPhoto, of: s.user, url: at, header: mailHeader, stream: true})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

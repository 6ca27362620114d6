package dav

import (
	"context"
	"iter"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/sinks"
)

// Stored is an object as it lies on the target.
type Stored struct {
	// Receipt holds where it lies and its version there.
	Receipt sinks.Receipt
	UID     string
	Data    []byte
	// Untouched says that it is as this program wrote it.
	Untouched bool
}

// batch is how many objects are read in one request.
const batch = 50

// Objects yields all objects of the collection that can be read. Memory holds their addresses and one batch of them.
func (s *Store) Objects(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		hrefs, err := s.Client.Hrefs(ctx, s.Path)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		for part := range slices.Chunk(hrefs, batch) {
			var objects []Stored
			err := s.multiget(ctx, part, func(_ string, r Response) {
				if o, ok := s.storedOf(r); ok {
					objects = append(objects, o)
				}
			})
			if err != nil {
				yield(Stored{}, err)
				return
			}
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// listing is what a collection holds.
type listing struct {
	name    string // what the user calls the collection
	entries []entry
	others  int // what is no object of the collection: further collections, addresses that are none
}

// entry is an object by its address and version.
type entry struct{ path, etag string }

// listing lists a collection without reading its objects.
func (c *Client) listing(ctx context.Context, collection string) (listing, error) {
	var l listing
	body := `<propfind xmlns="DAV:"><prop><getetag/><displayname/></prop></propfind>`
	err := c.Multistatus(ctx, "PROPFIND", collection, "1", body, func(r Response) error {
		p := r.Found()
		switch path, err := c.Path(r.Href); {
		case err == nil && (path == collection || path+"/" == collection):
			l.name = p.Name
		case err != nil || strings.HasSuffix(path, "/"):
			l.others++
		default:
			l.entries = append(l.entries, entry{path, etagOf(p)})
		}
		return nil
	})
	return l, err
}

// etagOf returns the entity tag of a response, as Answer.etag does.
func etagOf(p Prop) string { return strings.TrimPrefix(strings.TrimSpace(p.ETag), "W/") }

// Hrefs returns the paths of all objects in a collection.
func (c *Client) Hrefs(ctx context.Context, collection string) ([]string, error) {
	l, err := c.listing(ctx, collection)
	list := make([]string, len(l.entries))
	for i, e := range l.entries {
		list[i] = e.path
	}
	return list, err
}

// multiget reads objects (RFC 4791 §7.9, RFC 6352 §8.7) and calls each with the responses that have a path, as they come.
func (s *Store) multiget(ctx context.Context, hrefs []string, each func(path string, r Response)) error {
	var b strings.Builder
	for _, h := range hrefs {
		b.WriteString("<href>" + Escaped(h) + "</href>")
	}
	return s.Client.Multistatus(ctx, "REPORT", s.Path, "0", s.Format.Multiget(b.String()), func(r Response) error {
		if path, err := s.Client.Path(r.Href); err == nil {
			each(path, r)
		}
		return nil
	})
}

func (s *Store) storedOf(r Response) (Stored, bool) {
	p := r.Found()
	path, err := s.Client.Path(r.Href)
	data := s.Format.Data(p)
	if err != nil || data == "" {
		return Stored{}, false
	}
	o := Stored{Receipt: sinks.Receipt{Location: path, Version: etagOf(p)}, Data: []byte(data)}
	if read, err := s.Format.Read(o.Data); err == nil {
		o.UID, o.Untouched = read.UID, read.Untouched()
	}
	return o, true
}

// FindUID returns the paths of the objects of a UID in a collection (RFC 4791 §7.8, RFC 6352 §8.6).
func (s *Store) FindUID(ctx context.Context, collection, uid string) (paths []string, err error) {
	err = s.query(ctx, collection, uid, func(o Stored) {
		if o.UID == uid {
			paths = append(paths, o.Receipt.Location)
		}
	})
	return paths, err
}

// FindPrefix returns the objects of a calendar whose UID begins so, without their data. Servers look for the text anywhere in a UID
// (RFC 4791 §9.7.5); in address books, where it would have to be the whole UID, nothing is found.
func (s *Store) FindPrefix(ctx context.Context, calendar, prefix string) (found []Stored, err error) {
	err = s.query(ctx, calendar, prefix, func(o Stored) {
		if strings.HasPrefix(o.UID, prefix) {
			o.Data = nil
			found = append(found, o)
		}
	})
	return found, err
}

// query calls each with what the server finds by its UID.
func (s *Store) query(ctx context.Context, collection, uid string, each func(Stored)) error {
	return s.Client.Multistatus(ctx, "REPORT", collection, "1", s.Format.Query(Escaped(uid)), func(r Response) error {
		if o, ok := s.storedOf(r); ok {
			each(o)
		}
		return nil
	})
}

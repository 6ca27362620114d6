package dav

import (
	"context"
	"iter"
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

// Objects yields all objects of the collection. Memory holds their addresses and one batch of them.
func (s *Store) Objects(ctx context.Context) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		hrefs, err := s.Client.Hrefs(ctx, s.Path)
		if err != nil {
			yield(Stored{}, err)
			return
		}
		for len(hrefs) > 0 {
			n := min(batch, len(hrefs))
			objects, err := s.multiget(ctx, hrefs[:n])
			if err != nil {
				yield(Stored{}, err)
				return
			}
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
			hrefs = hrefs[n:]
		}
	}
}

// Hrefs returns the paths of all objects in a collection.
func (c *Client) Hrefs(ctx context.Context, collection string) ([]string, error) {
	var list []string
	body := `<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`
	err := c.Multistatus(ctx, "PROPFIND", collection, "1", body, func(r Response) error {
		if path, err := c.Path(r.Href); err == nil && path != collection && path+"/" != collection && !strings.HasSuffix(path, "/") {
			list = append(list, path)
		}
		return nil
	})
	return list, err
}

// multiget reads objects (RFC 4791 §7.9, RFC 6352 §8.7).
func (s *Store) multiget(ctx context.Context, hrefs []string) ([]Stored, error) {
	var b strings.Builder
	for _, h := range hrefs {
		b.WriteString("<href>" + Escaped(h) + "</href>")
	}
	var objects []Stored
	err := s.Client.Multistatus(ctx, "REPORT", s.Path, "0", s.Format.Multiget(b.String()), func(r Response) error {
		if o, ok := s.storedOf(r); ok {
			objects = append(objects, o)
		}
		return nil
	})
	return objects, err
}

func (s *Store) storedOf(r Response) (Stored, bool) {
	p := r.Found()
	path, err := s.Client.Path(r.Href)
	data := s.Format.Data(p)
	if err != nil || data == "" {
		return Stored{}, false
	}
	o := Stored{Receipt: sinks.Receipt{Location: path, Version: strings.TrimPrefix(strings.TrimSpace(p.ETag), "W/")}, Data: []byte(data)}
	if read, err := s.Format.Read(o.Data); err == nil {
		o.UID, o.Untouched = read.UID, read.Untouched()
	}
	return o, true
}

// FindUID returns the paths of the objects of a UID in a collection (RFC 4791 §7.8, RFC 6352 §8.6).
func (s *Store) FindUID(ctx context.Context, collection, uid string) ([]string, error) {
	var paths []string
	err := s.Client.Multistatus(ctx, "REPORT", collection, "1", s.Format.Query(Escaped(uid)), func(r Response) error {
		if o, ok := s.storedOf(r); ok && o.UID == uid {
			paths = append(paths, o.Receipt.Location)
		}
		return nil
	})
	return paths, err
}

package carddav

import (
	"context"

	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// Usual returns the path of the address book into which Open has Options.Collection written, if the user has one that serves: what was made
// for it, or the main one, whether the collection is Primary or not. It makes nothing; an empty path says that there is none.
func Usual(ctx context.Context, o Options) (string, error) {
	c, err := newClient(o)
	if err != nil {
		return "", err
	}
	defer c.Close()
	books, err := c.list(ctx)
	if err != nil {
		return "", err
	}
	b, _ := choose(books, dav.Canonical(c.Home)+dav.CollectionName(o.Collection.ID)+"/", true)
	return b.path, nil
}

// At returns the sink of an address book whose path on the server is known; an empty path is that of the address book which Open makes for
// Options.Collection. It asks for nothing and makes nothing, nor does it know the server's limits.
func At(o Options, path string) (*Sink, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = dav.Canonical(c.Home) + dav.CollectionName(o.Collection.ID) + "/"
	}
	return &Sink{client: c, store: dav.Store{Client: c.Client, Format: format(), Path: path}, book: book{path: path}}, nil
}

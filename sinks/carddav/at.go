package carddav

import "codeberg.org/repatriate/repatriate/sinks/internal/dav"

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

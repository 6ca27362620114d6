package carddav

import "codeberg.org/repatriate/repatriate/sinks/internal/dav"

// At returns the sink of an address book whose path on the server is known. It asks for nothing and makes nothing, nor does it know the
// server's limits; Options.Collection is not looked at.
func At(o Options, path string) (*Sink, error) {
	c, err := newClient(o)
	if err != nil {
		return nil, err
	}
	return &Sink{client: c, store: dav.Store{Client: c.Client, Format: format(), Path: path}, book: book{path: path}}, nil
}

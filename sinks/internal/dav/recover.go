package dav

import (
	"context"

	"codeberg.org/repatriate/repatriate/sinks"
)

// Recover implements sinks.Recoverer. An object's name is made from the item's id, and the digest in it tells that nobody changed it since
// this program wrote it. Everything else is left alone.
func (s *Store) Recover(ctx context.Context, id string, p sinks.Proof) ([]sinks.Receipt, error) {
	if !p.Receipt.IsZero() {
		return nil, nil // Remove knows what became of such an object by its digest
	}
	for n := 0; n <= mostAside; n++ {
		name := id
		if n > 0 {
			name = numbered(id, oursAside, n) // as Beside does it
		}
		href := s.Path + s.Format.ObjectName(name)
		current, etag, err := s.get(ctx, href)
		switch {
		case isGone(err) && n > 0:
			return nil, nil
		case isGone(err):
		case err != nil:
			return nil, err
		case current.Untouched() && etag != "":
			return []sinks.Receipt{{Location: href, Version: etag}}, nil
		}
	}
	return nil, nil
}

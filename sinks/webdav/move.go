package webdav

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"codeberg.org/repatriate/repatriate/sinks"
)

// relocate moves a file to its new place and then brings its body up to date.
func (s *Sink) relocate(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	from := sinks.LocationPath(prev.Location)
	if err := checkPath(from); err != nil {
		return sinks.Written{}, err
	}
	moved, err := s.moveFile(ctx, item, from, prev)
	if errors.Is(err, errNotFound) {
		return s.relocated(ctx, item, prev)
	}
	if err != nil {
		return sinks.Written{}, err
	}
	return s.settle(ctx, item, moved)
}

// settle writes the body at the new place if it changed as well.
func (s *Sink) settle(ctx context.Context, item sinks.Item[sinks.File], moved sinks.Receipt) (sinks.Written, error) {
	if moved.BodyVersion == item.Content.Body.Version && moved.BodyVersion != "" {
		return sinks.Written{Receipt: moved}, nil
	}
	w, err := s.replace(ctx, item, moved)
	w.Unchanged = false
	return w, err
}

// moveFile returns the receipt at the new place, with the body version of the old one, or errNotFound if the file is not
// where it was.
func (s *Sink) moveFile(ctx context.Context, item sinks.Item[sinks.File], from []string, prev sinks.Receipt) (sinks.Receipt, error) {
	if isStrong(prev.Version) {
		a, err := s.move(ctx, s.dav.resource(from), item.Content.Path, condition{etag: prev.Version}, false)
		if err != nil {
			return sinks.Receipt{}, err
		}
		if a.status != http.StatusPreconditionFailed {
			return s.moved(ctx, item, prev, a)
		}
		// The file was changed, its ETag is weak for the moment, or the new place is taken: the next look tells.
	}
	found, err := s.dav.stat(ctx, s.dav.resource(from))
	switch {
	case err != nil:
		return sinks.Receipt{}, err
	case !unchanged(found, prev):
		return sinks.Receipt{}, conflict("the file was changed on the target since it was written, and is left at its old place")
	}
	a, err := s.move(ctx, s.dav.resource(from), item.Content.Path, condition{etag: found.etag}, false)
	if err != nil {
		return sinks.Receipt{}, err
	}
	return s.moved(ctx, item, prev, a)
}

// moved reads the answer to a MOVE.
func (s *Sink) moved(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt, a *answer) (sinks.Receipt, error) {
	switch {
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		return sinks.Receipt{}, errNotFound
	case a.status == http.StatusPreconditionFailed:
		return sinks.Receipt{}, conflict("something else lies at the new place on the target")
	case !a.ok():
		return sinks.Receipt{}, s.dav.fault("MOVE", a)
	}
	at := prev
	at.Location = sinks.PathLocation(item.Content.Path)
	if at.Version = cleanETag(a.header.Get("ETag")); at.Version != "" {
		return at, nil
	}
	found, err := s.dav.stat(ctx, s.dav.resource(item.Content.Path))
	if err != nil {
		return sinks.Receipt{}, err
	}
	at.Version = found.etag
	return at, nil
}

// relocated looks for the file at its new place when it is gone from the old one: an earlier attempt may have moved it.
func (s *Sink) relocated(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	found, err := s.dav.stat(ctx, s.dav.resource(item.Content.Path))
	switch {
	case errors.Is(err, errNotFound):
		return sinks.Written{}, conflict("the file was removed or moved on the target")
	case err != nil:
		return sinks.Written{}, err
	}
	moved := prev
	moved.Location = sinks.PathLocation(item.Content.Path)
	if sameFile(found, prev) {
		moved.Version = found.etag
		return s.settle(ctx, item, moved)
	}
	p, err := s.prepare(ctx, item.Content.Body)
	if err != nil {
		return sinks.Written{}, err
	}
	defer p.release()
	return s.adopt(ctx, item, p, found, true)
}

// sameFile reports whether what lies at the new place is what the receipt describes at the old one. A move changes the
// ETag on some servers, and neither size nor time on any.
func sameFile(found resource, prev sinks.Receipt) bool {
	if unchanged(found, prev) {
		return true
	}
	prev.Version = ""
	return unchanged(found, prev)
}

// move sends a MOVE that overwrites nothing (RFC 4918 §9.9).
func (s *Sink) move(ctx context.Context, from *url.URL, to []string, only condition, folder bool) (*answer, error) {
	destination := s.dav.resource(to)
	if folder {
		destination = s.dav.collection(to)
	}
	header := only.header(from)
	header.Set("Destination", destination.String())
	header.Set("Overwrite", "F")
	return s.dav.do(ctx, request{method: "MOVE", url: from, header: header, what: "MOVE"})
}

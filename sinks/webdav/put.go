package webdav

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Put makes the account hold the file or folder; see sinks.Sink. Its parent lies there already.
func (s *Sink) Put(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	if err := ctx.Err(); err != nil {
		return sinks.Written{}, err
	}
	if err := checkPath(item.Content.Path); err != nil {
		return sinks.Written{}, err
	}
	w, err := s.put(ctx, item, prev)
	if err != nil && ctx.Err() != nil {
		// Whatever broke, it broke because the caller gave up.
		return sinks.Written{}, fmt.Errorf("writing a file: %w", ctx.Err())
	}
	moves := prev.Location != "" // mod_dav answers 500 to a MOVE into a folder that is not there
	if isStatus(err, http.StatusNotFound) || isStatus(err, http.StatusConflict) || moves && isStatus(err, http.StatusInternalServerError) {
		err = s.withParent(ctx, item.Content.Path, err)
	}
	return w, err
}

// withParent tells a missing folder from a place that is taken: servers answer 404 or 409 to the one and some 409 to the
// other, and only a place that is taken is the user's decision.
func (s *Sink) withParent(ctx context.Context, path []string, refused error) error {
	parent := path[:len(path)-1]
	if len(parent) == 0 {
		return refused
	}
	if _, err := s.dav.stat(ctx, s.dav.collection(parent)); !errors.Is(err, errNotFound) {
		return refused
	}
	return fault.New(fault.FailItem, fault.TargetNoParent, "the folder is not there: %w", refused).
		WithHint("make the folder on the target again, where the file's folder was, then run retry")
}

func (s *Sink) put(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	place := sinks.PathLocation(item.Content.Path)
	if item.Content.Folder {
		return s.putFolder(ctx, item, prev)
	}
	switch {
	case prev.Location == "":
		return s.create(ctx, item)
	case prev.Location != place:
		return s.relocate(ctx, item, prev)
	case prev.BodyVersion == item.Content.Body.Version && prev.BodyVersion != "":
		return sinks.Written{Receipt: prev, Unchanged: true}, nil
	default:
		return s.replace(ctx, item, prev)
	}
}

// create writes a file where nothing lies yet.
func (s *Sink) create(ctx context.Context, item sinks.Item[sinks.File]) (sinks.Written, error) {
	p, err := s.prepare(ctx, item.Content.Body)
	if err != nil {
		return sinks.Written{}, err
	}
	defer p.release()
	if item.Again || s.chunks(p) {
		// A look is cheaper than a body that would be refused.
		found, err := s.dav.stat(ctx, s.dav.resource(item.Content.Path))
		switch {
		case err == nil:
			return s.adopt(ctx, item, p, found, true)
		case !errors.Is(err, errNotFound):
			return sinks.Written{}, err
		}
	}
	if s.bulk != nil && s.bulk.takes(item, p) {
		if w, done, err := s.bulk.put(ctx, item, p); done {
			return w, err
		}
	}
	return s.send(ctx, item, p, onlyNew, true)
}

// condition says what has to lie at the place for a write to be done.
type condition struct {
	isNew bool
	etag  string // what lies there has it; empty: it was looked at, and the server has no ETags
}

var onlyNew = condition{isNew: true}

// header returns the condition on the resource at u as headers. If-Match compares strongly, so that a weak ETag needs the
// If header, which mod_dav compares weakly (RFC 4918 §10.4.4). It is tagged with the resource, because mod_dav holds an
// untagged one against the parent as well and answers 424.
func (c condition) header(u *url.URL) http.Header {
	switch {
	case c.isNew:
		return http.Header{"If-None-Match": {"*"}}
	case isStrong(c.etag):
		return http.Header{"If-Match": {c.etag}}
	case c.etag != "":
		return http.Header{"If": {"<" + u.String() + "> ([" + c.etag + "])"}}
	default:
		return http.Header{}
	}
}

// send writes the body, in chunks if it is large, and adopts what lies there already if it is the same; before is adopt's.
func (s *Sink) send(ctx context.Context, item sinks.Item[sinks.File], p *payload, only condition, before bool) (sinks.Written, error) {
	var w sinks.Written
	var err error
	if s.chunks(p) {
		w.Receipt, err = s.putChunks(ctx, item, p, only)
	} else {
		w.Receipt, err = s.putWhole(ctx, item.Content, p, only)
		if s.cloud != nil && s.cloud.chunking && p.size > 1<<20 && isStatus(err, http.StatusRequestEntityTooLarge) {
			// A proxy's limit is no limit of the file.
			w.Receipt, err = s.putChunks(ctx, item, p, only)
		}
	}
	if isStatus(err, http.StatusPreconditionFailed) {
		found, statErr := s.dav.stat(ctx, s.dav.resource(item.Content.Path))
		switch {
		case errors.Is(statErr, errNotFound):
			return sinks.Written{}, conflict("the file was removed or moved on the target")
		case statErr != nil:
			return sinks.Written{}, statErr
		}
		return s.adopt(ctx, item, p, found, before)
	}
	return w, err
}

func isStatus(err error, status int) bool {
	var e *statusError
	return errors.As(err, &e) && e.status == status
}

// putWhole sends the file in one request.
func (s *Sink) putWhole(ctx context.Context, f sinks.File, p *payload, only condition) (sinks.Receipt, error) {
	const what = "PUT"
	u := s.dav.resource(f.Path)
	header := only.header(u)
	addFileHeaders(header, f, p)
	start := time.Now()
	var a *answer
	err := p.withReader(ctx, func(ctx context.Context, r *exact) (err error) {
		if p.size == 0 {
			// net/http does not read an empty body, and it has to prove its emptiness all the same.
			if _, err := r.Read(make([]byte, 1)); r.broken() != nil {
				return err
			}
		}
		a, err = s.dav.do(ctx, request{method: http.MethodPut, url: u, header: header, body: r, size: p.size, what: what})
		return err
	})
	switch {
	case err != nil:
		return sinks.Receipt{}, err
	case !a.ok():
		return sinks.Receipt{}, s.dav.fault(what, a)
	}
	receipt := fileReceipt(f, p, a, start)
	if p.size == 0 {
		return receipt, s.checkEmpty(ctx, f.Path, receipt)
	}
	return receipt, nil
}

// checkEmpty looks at an empty file that was just written. Cyrus 3.6 stores the body of the connection's last request
// in its place; what is not empty is taken away again, since it may be anybody's.
func (s *Sink) checkEmpty(ctx context.Context, path []string, at sinks.Receipt) error {
	found, err := s.dav.stat(ctx, s.dav.resource(path))
	switch {
	case errors.Is(err, errNotFound):
		return unavailable("an empty file is not there after it was written")
	case err != nil || found.size <= 0:
		return err
	}
	if sameETag(found.etag, at.Version) {
		if err := s.deleted(s.delete(ctx, path, condition{etag: found.etag})); err != nil {
			return err
		}
	}
	return fault.New(fault.FailItem, fault.TargetHashMismatch, "the target holds %d bytes in place of an empty file", found.size)
}

// addFileHeaders adds what Nextcloud, ownCloud and OpenCloud keep of a file and other servers ignore.
func addFileHeaders(h http.Header, f sinks.File, p *payload) {
	if t := f.Modified.Unix(); !f.Modified.IsZero() && t > 0 {
		h.Set("X-OC-Mtime", strconv.FormatInt(t, 10))
	}
	if t := f.Created.Unix(); !f.Created.IsZero() && t > 0 {
		h.Set("X-OC-CTime", strconv.FormatInt(t, 10))
	}
	if sum := p.checksum(); sum != "" {
		h.Set("OC-Checksum", sum)
	}
	if t, params, err := mime.ParseMediaType(f.MediaType); err == nil {
		if clean := mime.FormatMediaType(t, params); clean != "" {
			h.Set("Content-Type", clean)
		}
	}
}

// replace writes the file's new body over the one that the receipt describes.
func (s *Sink) replace(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	p, err := s.prepare(ctx, item.Content.Body)
	if err != nil {
		return sinks.Written{}, err
	}
	defer p.release()
	if isStrong(prev.Version) && !item.Again && !s.chunks(p) {
		w, err := s.replaceMatching(ctx, item, p, prev)
		return w, err
	}
	return s.replaceCompared(ctx, item, p, prev)
}

// replaceMatching leaves the comparison to the server.
func (s *Sink) replaceMatching(ctx context.Context, item sinks.Item[sinks.File], p *payload, prev sinks.Receipt) (sinks.Written, error) {
	receipt, err := s.putWhole(ctx, item.Content, p, condition{etag: prev.Version})
	if isStatus(err, http.StatusPreconditionFailed) || (s.cloud != nil && isStatus(err, http.StatusRequestEntityTooLarge)) {
		// Apache refuses its own ETag within a second of the last change, as it is weak for that long.
		return s.replaceCompared(ctx, item, p, prev)
	}
	if isStatus(err, http.StatusNotFound) {
		return sinks.Written{}, conflict("the file was removed or moved on the target")
	}
	return sinks.Written{Receipt: receipt}, err
}

// replaceCompared looks at what lies there, and then writes on the condition that it still does.
func (s *Sink) replaceCompared(ctx context.Context, item sinks.Item[sinks.File], p *payload, prev sinks.Receipt) (sinks.Written, error) {
	found, err := s.dav.stat(ctx, s.dav.resource(item.Content.Path))
	switch {
	case errors.Is(err, errNotFound):
		return sinks.Written{}, conflict("the file was removed or moved on the target")
	case err != nil:
		return sinks.Written{}, err
	case !unchanged(found, prev):
		return s.adopt(ctx, item, p, found, receiptState(prev).foreign())
	}
	return s.send(ctx, item, p, condition{etag: found.etag}, receiptState(prev).foreign())
}

// adopt takes what lies at the place for the item if it holds the same bytes; otherwise it is the user's. before says that it may have
// been there before this program came.
func (s *Sink) adopt(ctx context.Context, item sinks.Item[sinks.File], p *payload, found resource, before bool) (sinks.Written, error) {
	same, err := s.holds(ctx, item, p, found)
	switch {
	case err != nil:
		return sinks.Written{}, err
	case !same:
		return sinks.Written{}, conflict("another file or folder lies at the place on the target, or the file was changed there")
	}
	w := sinks.Written{Receipt: foundReceipt(item.Content, found, before), Unchanged: true}
	if p.spooled {
		// What lies there is an earlier reading of a document that is converted anew each time, and may have other bytes.
		o, err := s.Read(ctx, sinks.Object{Location: w.Receipt.Location, Size: found.size})
		if err != nil {
			return sinks.Written{}, err
		}
		w.Digest = o.Digest
	}
	return w, nil
}

// Remove takes the file or the empty folder away; see sinks.Sink.
func (s *Sink) Remove(ctx context.Context, prev sinks.Receipt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := sinks.LocationPath(prev.Location)
	if err := checkPath(path); err != nil {
		return err
	}
	if receiptState(prev).Folder {
		return s.removeFolder(ctx, path)
	}
	return s.removeFile(ctx, path, prev)
}

func (s *Sink) removeFile(ctx context.Context, path []string, prev sinks.Receipt) error {
	if isStrong(prev.Version) {
		a, err := s.delete(ctx, path, condition{etag: prev.Version})
		if err != nil || a.status != http.StatusPreconditionFailed {
			return s.deleted(a, err)
		}
	}
	found, err := s.dav.stat(ctx, s.dav.resource(path))
	switch {
	case errors.Is(err, errNotFound):
		return nil
	case err != nil:
		return err
	case !unchanged(found, prev):
		return conflict("the file was changed on the target since it was written")
	}
	return s.deleted(s.delete(ctx, path, condition{etag: found.etag}))
}

func (s *Sink) delete(ctx context.Context, path []string, only condition) (*answer, error) {
	u := s.dav.resource(path)
	return s.dav.do(ctx, request{method: http.MethodDelete, url: u, header: only.header(u), what: "DELETE"})
}

func (s *Sink) deleted(a *answer, err error) error {
	switch {
	case err != nil:
		return err
	case a.ok(), a.status == http.StatusNotFound, a.status == http.StatusGone:
		return nil
	case a.status == http.StatusMultiStatus:
		return fault.New(fault.FailItem, fault.TargetConflict, "DELETE: the target removed it in part only")
	default:
		return s.dav.fault("DELETE", a)
	}
}

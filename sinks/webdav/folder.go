package webdav

import (
	"context"
	"errors"
	"net/http"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// putFolder makes or moves a folder. A folder has no content of its own: one that is there already serves as well.
func (s *Sink) putFolder(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	w := sinks.Written{Receipt: folderReceipt(item.Content, receiptState(prev).foreign())}
	switch {
	case prev.Location == "":
	case prev.Location == w.Receipt.Location:
		w.Unchanged = true
		return w, nil
	default:
		moved, err := s.moveFolder(ctx, item.Content.Path, prev)
		if err != nil || moved {
			return w, err
		}
		// The user took it away. Its children need it all the same, and it overwrites nothing.
	}
	made, err := s.makeFolder(ctx, item.Content.Path)
	return sinks.Written{Receipt: folderReceipt(item.Content, !made), Unchanged: !made}, err
}

// makeFolder returns false if the folder was there.
func (s *Sink) makeFolder(ctx context.Context, path []string) (bool, error) {
	u := s.dav.collection(path)
	a, err := s.dav.do(ctx, request{method: "MKCOL", url: u, what: "MKCOL"})
	switch {
	case err != nil:
		return false, err
	case a.ok():
		if s.bulk != nil {
			s.bulk.fresh(path)
		}
		return true, nil
	case a.status == http.StatusMethodNotAllowed, a.status == http.StatusForbidden, a.status == http.StatusBadRequest:
		// By RFC 4918 §9.3.1 an existing resource is a 405. Cyrus answers 403 with resource-must-be-null, and Apache 400
		// where a file lies, as a file has nothing behind a slash.
		return false, s.checkFolder(ctx, path, s.dav.fault("MKCOL", a))
	default:
		return false, s.dav.fault("MKCOL", a)
	}
}

// checkFolder returns nil if a folder lies at the path, and refused if nothing does.
func (s *Sink) checkFolder(ctx context.Context, path []string, refused error) error {
	found, err := s.look(ctx, path)
	switch {
	case errors.Is(err, errNotFound):
		return refused
	case err != nil:
		return err
	case !found.collection:
		return conflict("a file lies on the target where the folder is to be")
	}
	return nil
}

func movedToSlash(err error) bool {
	var e *statusError
	return errors.As(err, &e) && e.status/100 == 3
}

// moveFolder returns false if the folder is neither at the old place nor at the new one.
func (s *Sink) moveFolder(ctx context.Context, to []string, prev sinks.Receipt) (bool, error) {
	from := sinks.LocationPath(prev.Location)
	if err := checkPath(from); err != nil {
		return false, err
	}
	a, err := s.move(ctx, s.dav.collection(from), to, condition{}, true)
	switch {
	case err != nil:
		return false, err
	case a.ok():
		return true, nil
	case a.status == http.StatusNotFound, a.status == http.StatusGone:
		err := s.checkFolder(ctx, to, errNotFound)
		if errors.Is(err, errNotFound) {
			return false, nil
		}
		return err == nil, err
	case a.status == http.StatusPreconditionFailed:
		return false, conflict("something else lies at the folder's new place on the target")
	case a.status == http.StatusMultiStatus:
		return false, fault.New(fault.Retry, fault.TargetConflict, "MOVE: the target moved the folder in part only")
	default:
		return false, s.dav.fault("MOVE", a)
	}
}

// removeFolder removes an empty folder. A DELETE takes all that is in it (RFC 4918 §9.6.1) and knows no condition of
// being empty, so that the look before it is what there is.
func (s *Sink) removeFolder(ctx context.Context, path []string) error {
	u := s.dav.collection(path)
	err := s.dav.list(ctx, u, func(resource) error {
		return conflict("the folder on the target is not empty")
	})
	switch {
	case errors.Is(err, errNotFound):
		return nil
	case err != nil:
		return err
	}
	if err := s.checkFolder(ctx, path, errNotFound); err != nil {
		if errors.Is(err, errNotFound) {
			return nil
		}
		return err
	}
	if s.bulk != nil {
		s.bulk.forget(path)
	}
	return s.deleted(s.dav.do(ctx, request{method: http.MethodDelete, url: u, what: "DELETE"}))
}

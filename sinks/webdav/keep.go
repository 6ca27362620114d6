package webdav

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"codeberg.org/repatriate/repatriate/internal/filename"
	"codeberg.org/repatriate/repatriate/sinks"
)

// LossAside is the loss of a file or folder whose place the target's user had: what lay there has another name now.
const LossAside = "file.conflict_aside"

var _ sinks.Keeper[sinks.File] = (*Sink)(nil)

// mostNames bounds how many names are tried for something of the user's.
const mostNames = 100

// Beside implements sinks.Keeper.
func (s *Sink) Beside(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Receipt, error) {
	next, found, err := s.inTheWay(ctx, item.Content, prev)
	if err == nil && found != nil {
		err = sinks.ErrTaken
	}
	return next, err
}

// Aside implements sinks.Keeper by one MOVE, which changes no byte and overwrites nothing.
func (s *Sink) Aside(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Receipt, *sinks.Loss, error) {
	next, found, err := s.inTheWay(ctx, item.Content, prev)
	if err != nil {
		return next, nil, err
	}
	var to []string
	switch {
	case found != nil:
		to, err = s.moveAside(ctx, item.Content.Path, *found)
	case item.Again && next.IsZero():
		// The answer to a MOVE may have got lost, which leaves the place free.
		to, err = s.latestAside(ctx, item.Content)
	}
	if err != nil || to == nil {
		return next, nil, err
	}
	detail := "the user of the target had something else in its place; that lies at " + strconv.Quote(sinks.PathLocation(to)) + " now"
	return next, &sinks.Loss{Reason: LossAside, Detail: detail}, nil
}

// inTheWay returns what lies in the item's place, and nil if nothing does or if that is for the next Put to tell. next is prev as long
// as the item lies unchanged where it was, from where it can be moved; otherwise what lay there is not ours any more.
func (s *Sink) inTheWay(ctx context.Context, f sinks.File, prev sinks.Receipt) (next sinks.Receipt, found *resource, err error) {
	if err := checkPath(f.Path); err != nil {
		return next, nil, err
	}
	if prev.Location != "" && prev.Location != sinks.PathLocation(f.Path) {
		intact, err := s.intact(ctx, prev)
		if err != nil || !intact {
			return next, nil, err
		}
		next = prev
	}
	r, err := s.look(ctx, f.Path)
	switch {
	case errors.Is(err, errNotFound):
		return next, nil, nil
	case err != nil:
		return next, nil, err
	}
	return next, &r, nil
}

// intact reports whether what the receipt describes lies where it was, unchanged.
func (s *Sink) intact(ctx context.Context, prev sinks.Receipt) (bool, error) {
	path := sinks.LocationPath(prev.Location)
	if err := checkPath(path); err != nil {
		return false, err
	}
	found, err := s.look(ctx, path)
	switch {
	case errors.Is(err, errNotFound):
		return false, nil
	case err != nil:
		return false, err
	case receiptState(prev).Folder:
		return found.collection, nil
	}
	return unchanged(found, prev), nil
}

// look returns what lies at the path, be it a file or a folder.
func (s *Sink) look(ctx context.Context, path []string) (resource, error) {
	found, err := s.dav.stat(ctx, s.dav.resource(path))
	if err != nil && movedToSlash(err) {
		// mod_dir redirects a folder without its slash; the folder is there.
		return s.dav.stat(ctx, s.dav.collection(path))
	}
	return found, err
}

// moveAside moves what was found at the path, as long as it is as it was found; nil if it is gone.
func (s *Sink) moveAside(ctx context.Context, path []string, found resource) ([]string, error) {
	number := 1
	for range mostNames {
		to := asidePath(path, found.collection, number)
		u, only := s.dav.resource(path), condition{etag: found.etag}
		if found.collection {
			u, only = s.dav.collection(path), condition{} // no name within a folder depends on its ETag
		}
		a, err := s.move(ctx, u, to, only, found.collection)
		switch {
		case err != nil:
			return nil, err
		case a.ok():
			s.forgetFolder(path)
			return to, nil
		case a.status == http.StatusNotFound, a.status == http.StatusGone:
			return nil, nil
		case a.status != http.StatusPreconditionFailed:
			return nil, s.dav.fault("MOVE", a)
		}
		// The name is taken, or the user has just changed what lies there.
		if _, err := s.look(ctx, to); err == nil {
			number++
		} else if !errors.Is(err, errNotFound) {
			return nil, err
		}
		found, err = s.look(ctx, path)
		switch {
		case errors.Is(err, errNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	return nil, conflict("something else lies at the place on the target, and at each of %d names that it could have", mostNames)
}

// forgetFolder has the folder of the path looked at anew before something is written into it in bulk.
func (s *Sink) forgetFolder(path []string) {
	if s.bulk != nil {
		s.bulk.forget(path[:len(path)-1])
	}
}

// latestAside returns where an earlier attempt may have moved what lay in the item's place; nil if nothing was moved.
func (s *Sink) latestAside(ctx context.Context, f sinks.File) (to []string, err error) {
	for number := 1; number <= mostNames; number++ {
		at := asidePath(f.Path, f.Folder, number)
		_, err := s.look(ctx, at)
		if errors.Is(err, errNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		to = at
	}
	return to, nil
}

// asidePath returns the path of something of the user's that gives way: "report (target).docx", "report (target 2).docx" and so on.
func asidePath(path []string, folder bool, number int) []string {
	suffix := " (target)"
	if number > 1 {
		suffix = " (target " + strconv.Itoa(number) + ")"
	}
	last := len(path) - 1
	return append(slices.Clone(path[:last]), filename.With(path[last], suffix, folder))
}

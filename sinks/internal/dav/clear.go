package dav

import (
	"cmp"
	"context"
	"net/http"
	"path"
	"strings"
)

// Clear implements sinks.Clearer: it removes the collection if this program made it and nothing lies in it.
func (s *Store) Clear(ctx context.Context) ([]string, error) {
	name := path.Base(s.Path)
	if !strings.HasPrefix(name, collectionPrefix) {
		return nil, nil
	}
	l, err := s.Client.listing(ctx, s.Path)
	if a := AnswerOf(err); a != nil && a.Gone() {
		return nil, nil
	}
	if err != nil || l.others+len(l.entries) > 0 {
		return nil, err
	}
	a, err := s.Client.Do(ctx, http.MethodDelete, s.Path, nil, nil)
	switch {
	case err != nil:
		return nil, err
	case !a.OK() && !a.Gone(): // Cyrus 3.6 removes a collection and says that it is not there
		return nil, s.Client.Fault(a)
	}
	return []string{cmp.Or(shortTitle(strings.TrimSpace(l.name)), name)}, nil
}

package engine_test

import (
	"context"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// thing is what lies at one place of a shared target.
type thing struct {
	body    string
	folder  bool
	version int
}

// shared is a target on which its user works as well: whoever writes conflicts with what somebody else changed.
type shared struct {
	*calls
	mu      sync.Mutex
	things  map[string]thing // by path
	version int
}

func newShared(c *calls) *shared { return &shared{calls: c, things: map[string]thing{}} }

// edit puts something at a path as the user does; an empty body is a folder.
func (s *shared) edit(path, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(path, body, body == "")
}

func (s *shared) remove(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.things, path)
}

func (s *shared) set(path, body string, folder bool) int {
	s.version++
	s.things[path] = thing{body, folder, s.version}
	return s.version
}

// state returns "path=body" for each file and "path/" for each folder, sorted.
func (s *shared) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for p, o := range s.things {
		if o.folder {
			out = append(out, p+"/")
		} else {
			out = append(out, p+"="+o.body)
		}
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

// move moves what lies at a path, and all that is in it.
func (s *shared) move(from, to string) {
	for p, o := range s.things {
		if p == from || strings.HasPrefix(p, from+"/") {
			delete(s.things, p)
			s.things[to+p[len(from):]] = o
		}
	}
}

func (s *shared) unchanged(r sinks.Receipt) bool {
	o, there := s.things[r.Location]
	return there && (o.folder || strconv.Itoa(o.version) == r.Version)
}

// put writes a thing under the conditions of sinks.Sink.
func (s *shared) put(path, body, version string, folder bool, prev sinks.Receipt) (w sinks.Written, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Receipt = sinks.Receipt{Location: path, BodyVersion: version}
	conflict := func(why string) (sinks.Written, error) {
		return sinks.Written{}, fault.New(fault.FailItem, fault.TargetConflict, "%s: %s", path, why)
	}
	if i := strings.LastIndex(path, "/"); i > 0 && !s.things[path[:i]].folder {
		return w, fault.New(fault.FailItem, fault.TargetNoParent, "no folder for %s", path)
	}
	there, taken := s.things[path]
	same := taken && there.folder == folder && there.body == body
	switch {
	case prev.Location != "" && prev.Location != path && s.unchanged(prev):
		if taken {
			return conflict("is taken")
		}
		s.move(prev.Location, path)
		there = s.things[path]
		if prev.BodyVersion == version {
			w.Receipt.Version = strconv.Itoa(there.version)
			return w, nil
		}
	case same:
		w.Receipt.Version, w.Unchanged = strconv.Itoa(there.version), true
		return w, nil
	case prev.IsZero() && !taken:
	case prev.Location == path && s.unchanged(prev):
	default:
		return conflict("is the user's")
	}
	w.Receipt.Version = strconv.Itoa(s.set(path, body, folder))
	return w, nil
}

// sharedTree is a shared target as WebDAV is.
type sharedTree struct{ *shared }

func (s sharedTree) Put(ctx context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (w sinks.Written, err error) {
	err = s.around("put", func() error {
		body, err := bodyOf(ctx, it.Content.Body)
		if err == nil {
			w, err = s.put(sinks.PathLocation(it.Content.Path), body, it.Content.Body.Version, it.Content.Folder, prev)
		}
		return err
	})
	return w, err
}

func bodyOf(ctx context.Context, b sinks.Body) (string, error) {
	if b.Open == nil {
		return "", nil
	}
	r, err := b.Open(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	text, err := io.ReadAll(r)
	return string(text), err
}

func (s sharedTree) Remove(context.Context, sinks.Receipt) error { return nil }

// left returns what is left of a receipt, and whether the place is taken.
func (s sharedTree) left(path string, prev sinks.Receipt) (next sinks.Receipt, taken bool) {
	if prev.Location != "" && prev.Location != path {
		if !s.unchanged(prev) {
			return next, false
		}
		next = prev
	}
	_, taken = s.things[path]
	return next, taken
}

func (s sharedTree) Beside(_ context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (next sinks.Receipt, err error) {
	err = s.around("beside", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		var taken bool
		if next, taken = s.left(sinks.PathLocation(it.Content.Path), prev); taken {
			return sinks.ErrTaken
		}
		return nil
	})
	return next, err
}

func (s sharedTree) Aside(_ context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (next sinks.Receipt, loss *sinks.Loss, err error) {
	err = s.around("aside", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		path := sinks.PathLocation(it.Content.Path)
		var taken bool
		if next, taken = s.left(path, prev); !taken {
			return nil
		}
		for n := 1; ; n++ {
			to := fmt.Sprintf("%s (target %d)", path, n)
			if _, there := s.things[to]; !there {
				s.move(path, to)
				loss = &sinks.Loss{Reason: "file.conflict_aside", Detail: to}
				return nil
			}
		}
	})
	return next, loss, err
}

// sharedShelf is a shared target without a tree, as an address book is: the sink finds names by itself.
type sharedShelf struct{ *shared }

func (s sharedShelf) Put(ctx context.Context, it sinks.Item[sinks.Message], prev sinks.Receipt) (w sinks.Written, err error) {
	err = s.around("put", func() error {
		body, err := bodyOf(ctx, it.Content.Body)
		if err != nil {
			return err
		}
		place := prev.Location
		if place == "" {
			place = it.ID
		}
		if prev.Version == "" { // a name that Beside found
			prev = sinks.Receipt{}
		}
		w, err = s.put(place, body, it.Content.Body.Version, false, prev)
		return err
	})
	return w, err
}

func (s sharedShelf) Remove(context.Context, sinks.Receipt) error { return nil }

func (s sharedShelf) Beside(_ context.Context, it sinks.Item[sinks.Message], prev sinks.Receipt) (next sinks.Receipt, err error) {
	err = s.around("beside", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if _, there := s.things[prev.Location]; !there && prev.Version != "" {
			next.Location = prev.Location
			return nil
		}
		n := 1
		_, _ = fmt.Sscanf(strings.TrimPrefix(prev.Location, it.ID+"-source-"), "%d", &n)
		for ; next.Location == ""; n++ {
			if name := fmt.Sprintf("%s-source-%d", it.ID, n); s.things[name].version == 0 {
				next.Location = name
			}
		}
		return nil
	})
	return next, err
}

func (s sharedShelf) Aside(_ context.Context, it sinks.Item[sinks.Message], prev sinks.Receipt) (next sinks.Receipt, loss *sinks.Loss, err error) {
	err = s.around("aside", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		place := prev.Location
		if place == "" {
			place = it.ID
		}
		theirs, there := s.things[place]
		if !there {
			next.Location = place
			return nil
		}
		for n := 1; ; n++ {
			name := fmt.Sprintf("%s-target-%d", it.ID, n)
			if have, there := s.things[name]; !there || have.body == theirs.body {
				s.set(name, theirs.body, false)
				loss = &sinks.Loss{Reason: "contact.conflict_aside", Detail: name}
				next = sinks.Receipt{Location: place, Version: strconv.Itoa(theirs.version)}
				return nil
			}
		}
	})
	return next, loss, err
}

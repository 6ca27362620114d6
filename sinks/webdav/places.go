package webdav

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"codeberg.org/repatriate/repatriate/sinks"
)

// How long a look at a folder is believed, how many members it may have to be remembered, and how many folders are.
const (
	placeAge     = 30 * time.Second
	placeMembers = 5000
	placeCount   = 1000
)

// places remembers for a short while what lies in the folders that are being filled, because a bulk upload overwrites
// whatever is there.
type places struct {
	mu    sync.Mutex
	known map[string]*place
}

// place is one folder. ready is closed when it was looked at.
type place struct {
	ready chan struct{}
	until time.Time
	err   error

	mu    sync.Mutex
	names map[string]bool
	large bool // too many names to remember
}

// add takes note of a member. It returns false if the name was there, or if that cannot be told.
func (p *place) add(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	name = strings.ToLower(name)
	switch {
	case p.large, p.names[name]:
		return false
	case len(p.names) >= placeMembers:
		p.large, p.names = true, nil
		return false
	}
	p.names[name] = true
	return true
}

func newPlace() *place {
	return &place{ready: make(chan struct{}), until: time.Now().Add(placeAge), names: make(map[string]bool)}
}

// fresh notes that the sink has just made the folder, so that nothing lies in it.
func (b *bulk) fresh(path []string) {
	p := newPlace()
	close(p.ready)
	b.places.set(sinks.PathLocation(path), p)
}

func (b *bulk) forget(path []string) {
	b.places.mu.Lock()
	defer b.places.mu.Unlock()
	delete(b.places.known, sinks.PathLocation(path))
}

func (p *places) set(location string, v *place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.put(location, v)
}

// put stores a place and makes room for it. The caller holds the lock.
func (p *places) put(location string, v *place) {
	if len(p.known) >= placeCount {
		p.expire()
	}
	p.known[location] = v
}

// expire drops what is too old, and everything if nothing is: the next look costs one request.
func (p *places) expire() {
	now := time.Now()
	for location, v := range p.known {
		if now.After(v.until) {
			delete(p.known, location)
		}
	}
	if len(p.known) >= placeCount {
		clear(p.known)
	}
}

// claim reports whether it is known that nothing lies at the path, and takes note that something will from now on.
func (b *bulk) claim(ctx context.Context, path []string) (bool, error) {
	folder, name := path[:len(path)-1], path[len(path)-1]
	p := b.look(ctx, folder)
	select {
	case <-p.ready:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if p.err != nil {
		return false, nil // the file alone gets its own, clearer answer
	}
	return p.add(name), nil
}

// look returns what is known of the folder, and lists it if that is too little. Those who ask meanwhile wait for the
// same listing.
func (b *bulk) look(ctx context.Context, folder []string) *place {
	location := sinks.PathLocation(folder)
	b.places.mu.Lock()
	p, ok := b.places.known[location]
	if ok && time.Now().Before(p.until) {
		b.places.mu.Unlock()
		return p
	}
	p = newPlace()
	b.places.put(location, p)
	b.places.mu.Unlock()
	p.err = b.list(ctx, folder, p)
	if p.err != nil {
		b.forget(folder)
	}
	close(p.ready)
	return p
}

var errLarge = errors.New("the folder has too many members")

func (b *bulk) list(ctx context.Context, folder []string, p *place) error {
	err := b.sink.dav.list(ctx, b.sink.dav.collection(folder), func(r resource) error {
		if p.add(r.name()); p.large {
			return errLarge
		}
		return nil
	})
	if errors.Is(err, errLarge) {
		return nil
	}
	return err
}

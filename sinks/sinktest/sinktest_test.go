package sinktest_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// memory is the simplest sink that keeps the contract: the suite must be content with it.
type memory struct {
	mu    sync.Mutex
	files map[string]stored
	tags  int
}

type stored struct{ digest, tag string }

func (m *memory) Put(ctx context.Context, item sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	place := sinks.PathLocation(item.Content.Path)
	w := sinks.Written{Receipt: sinks.Receipt{Location: place, BodyVersion: item.Content.Body.Version}}
	if err := ctx.Err(); err != nil {
		return w, err
	}
	if prev.Location == place && prev.BodyVersion == item.Content.Body.Version {
		return sinks.Written{Receipt: prev, Unchanged: true}, nil
	}
	if moved := prev; prev.Location != "" && prev.Location != place && m.move(prev, place) {
		moved.Location = place
		if prev.BodyVersion == item.Content.Body.Version {
			return sinks.Written{Receipt: moved}, nil
		}
	}
	digest, err := "", error(nil)
	if !item.Content.Folder {
		digest, err = read(ctx, item.Content.Body)
	}
	if err != nil {
		return w, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch old, ok := m.files[place]; {
	case ok && old.digest == digest:
		w.Receipt.Version, w.Unchanged = old.tag, true
		return w, nil
	case ok && old.tag != prev.Version:
		return w, fault.New(fault.FailItem, fault.TargetConflict, "taken")
	}
	w.Receipt.Version = m.store(place, digest)
	return w, nil
}

func (m *memory) move(prev sinks.Receipt, to string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[prev.Location]
	if !ok || f.tag != prev.Version {
		return false
	}
	delete(m.files, prev.Location)
	m.files[to] = f
	return true
}

func (m *memory) store(place, digest string) string {
	m.tags++
	tag := fmt.Sprint(m.tags)
	m.files[place] = stored{digest, tag}
	return tag
}

func read(ctx context.Context, b sinks.Body) (string, error) {
	r, err := b.Open(ctx)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var kept strings.Builder
	n, err := io.Copy(&kept, r)
	if err == nil && b.Size >= 0 && n != b.Size {
		err = io.ErrUnexpectedEOF
	}
	return sinktest.Digest([]byte(kept.String())), err
}

func (m *memory) Remove(_ context.Context, prev sinks.Receipt) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch f, ok := m.files[prev.Location]; {
	case !ok:
		return nil
	case f.tag != prev.Version:
		return fault.New(fault.FailItem, fault.TargetConflict, "changed")
	}
	delete(m.files, prev.Location)
	return nil
}

func (m *memory) held() (digests []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range m.files {
		digests = append(digests, f.digest)
	}
	return digests
}

// List implements sinks.Inspector.
func (m *memory) List(ctx context.Context, place string) iter.Seq2[sinks.Object, error] {
	return func(yield func(sinks.Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(sinks.Object{}, err)
			return
		}
		m.mu.Lock()
		files := maps.Clone(m.files)
		m.mu.Unlock()
		for at, f := range files {
			path := sinks.LocationPath(at)
			if sinks.PathLocation(path[:len(path)-1]) == place && !yield(object(at, f), nil) {
				return
			}
		}
	}
}

func object(at string, f stored) sinks.Object {
	return sinks.Object{Location: at, Version: f.tag, Folder: f.digest == "", Twin: f.digest, Digest: "sha256:" + f.digest}
}

// Read implements sinks.Inspector.
func (m *memory) Read(_ context.Context, o sinks.Object) (sinks.Object, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[o.Location]
	if !ok {
		return o, sinks.ErrNothing
	}
	return object(o.Location, f), nil
}

// Expect implements sinks.Inspector.
func (m *memory) Expect(p sinks.Proof) sinks.Expectation {
	return sinks.Expectation{Twin: strings.TrimPrefix(p.Digest, "sha256:")}
}

// Compare implements sinks.Inspector.
func (m *memory) Compare(o sinks.Object, p sinks.Proof) sinks.Verdict {
	switch {
	case o.Folder, o.Digest == p.Digest:
		return sinks.Same
	case o.Version != p.Receipt.Version:
		return sinks.Touched
	}
	return sinks.Differs
}

func item(i, version int) sinks.Item[sinks.File] {
	name := fmt.Sprint("file ", i)
	return sinks.Item[sinks.File]{ID: name, Content: sinks.File{
		Path: []string{name},
		Body: sinktest.Bytes(fmt.Sprint(i, ".", version), []byte(strings.Repeat(fmt.Sprintln(i, version), 100))),
	}}
}

func TestSuiteOnAMemorySink(t *testing.T) {
	sinktest.Run(t, sinktest.Harness[sinks.File]{
		Open: func(testing.TB) sinktest.Account[sinks.File] {
			m := &memory{files: make(map[string]stored)}
			return sinktest.Account[sinks.File]{
				Sink: m,
				Held: func(testing.TB) []string { return m.held() },
				Edit: func(_ testing.TB, at sinks.Receipt) {
					m.mu.Lock()
					defer m.mu.Unlock()
					m.store(at.Location, "the user's")
				},
				Copy: func(_ testing.TB, at sinks.Receipt) {
					m.mu.Lock()
					defer m.mu.Unlock()
					m.store(at.Location+" (1)", m.files[at.Location].digest)
				},
			}
		},
		Item: func(i int) sinks.Item[sinks.File] { return item(i, 0) },
		Changed: func(old sinks.Item[sinks.File]) sinks.Item[sinks.File] {
			var i, version int
			if _, err := fmt.Sscanf(old.Content.Body.Version, "%d.%d", &i, &version); err != nil {
				t.Fatal(err)
			}
			next := item(i, version+1)
			next.Content.Path = old.Content.Path
			return next
		},
		Moved: func(i sinks.Item[sinks.File]) sinks.Item[sinks.File] {
			i.Content.Path = []string{"elsewhere"}
			return i
		},
		Digest: func(tb testing.TB, i sinks.Item[sinks.File]) string { return sinktest.BodyDigest(tb, i.Content.Body) },
	})
}

func TestPattern(t *testing.T) {
	b := sinktest.Pattern("v", []byte("head\r\n"), 1000)
	r, err := b.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(r)
	lines := strings.Split(string(data), "\r\n")
	if len(data) != 1000 || lines[0] != "head" || len(lines[1]) != 62 || lines[1] == lines[2] {
		t.Errorf("%d bytes: %q", len(data), data)
	}
}

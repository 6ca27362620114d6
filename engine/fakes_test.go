package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// calls counts every call that goes over the edge of the engine and may disturb each of them.
type calls struct {
	mu sync.Mutex
	n  int
	// disturb is asked at each call, before and after its effect; an error ends the call there.
	disturb func(n int, name string, after bool) error
	log     []string
}

func (c *calls) around(name string, effect func() error) error {
	c.mu.Lock()
	c.n++
	n, disturb := c.n, c.disturb
	c.log = append(c.log, name)
	c.mu.Unlock()
	if disturb != nil {
		if err := disturb(n, name, false); err != nil {
			return err
		}
	}
	if err := effect(); err != nil {
		return err
	}
	if disturb != nil {
		return disturb(n, name, true)
	}
	return nil
}

func (c *calls) count(name string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.log {
		if s == name {
			n++
		}
	}
	return n
}

// change is one entry of a fakeSource's log of changes.
type change[T sources.Content] struct {
	item sources.Item[T]
}

// fakeSource holds its items in order and tells changes by their number.
type fakeSource[T sources.Content] struct {
	*calls
	mu       sync.Mutex
	items    map[string]sources.Item[T]
	order    []string
	changes  []change[T]
	pageSize int
	// expireBefore makes cursors that stand before this change invalid.
	expireBefore int
	// stubs makes listings hold ids only.
	stubs bool
}

func newFakeSource[T sources.Content](c *calls, items ...sources.Item[T]) *fakeSource[T] {
	s := &fakeSource[T]{calls: c, items: map[string]sources.Item[T]{}, pageSize: 3}
	for _, it := range items {
		s.items[it.ID] = it
		s.order = append(s.order, it.ID)
	}
	return s
}

func (s *fakeSource[T]) set(it sources.Item[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.items[it.ID]; !known {
		s.order = append(s.order, it.ID)
	}
	if it.Deleted {
		delete(s.items, it.ID)
		s.order = slices.DeleteFunc(s.order, func(id string) bool { return id == it.ID })
	} else {
		s.items[it.ID] = it
	}
	s.changes = append(s.changes, change[T]{it})
}

// Changes understands the cursors "", "list START INDEX" and "changes N".
func (s *fakeSource[T]) Changes(_ context.Context, after sources.Cursor) (page sources.Page[T], err error) {
	err = s.around("changes", func() error { page, err = s.changesAfter(string(after)); return err })
	return page, err
}

func (s *fakeSource[T]) changesAfter(after string) (page sources.Page[T], err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if after == "" {
		after = fmt.Sprintf("list %d 0", len(s.changes))
	}
	f := strings.Fields(after)
	from, _ := strconv.Atoi(f[1])
	if f[0] == "changes" {
		if from < s.expireBefore {
			return page, sources.ErrCursorExpired
		}
		end := min(from+s.pageSize, len(s.changes))
		for _, c := range s.changes[from:end] {
			page.Items = append(page.Items, c.item)
		}
		page.Next, page.More = sources.Cursor(fmt.Sprintf("changes %d", end)), end < len(s.changes)
		return page, nil
	}
	i, _ := strconv.Atoi(f[2])
	end := min(i+s.pageSize, len(s.order))
	for _, id := range s.order[min(i, end):end] {
		it := s.items[id]
		if s.stubs {
			it = sources.Item[T]{ID: it.ID, Stub: true}
		}
		page.Items = append(page.Items, it)
	}
	page.Listing, page.More = true, true
	page.Next = sources.Cursor(fmt.Sprintf("list %d %d", from, end))
	if end == len(s.order) {
		page.ListingDone, page.Next = true, sources.Cursor(fmt.Sprintf("changes %d", from))
	}
	return page, nil
}

func (s *fakeSource[T]) Fetch(_ context.Context, id string) (it sources.Item[T], err error) {
	err = s.around("fetch", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		var ok bool
		if it, ok = s.items[id]; !ok {
			return sources.ErrGone
		}
		return nil
	})
	return it, err
}

// object is what a fake target holds.
type object struct {
	item, body, path string
	text             string // of a message: the body without the flags; of a file: the body's version
	folder           bool
	version          int
}

// appendSink is a target as IMAP is: each Put without a receipt makes another object.
type appendSink struct {
	*calls
	mu      sync.Mutex
	objects map[string]object
	next    int
	// noted says where a write that was noted may have left something; nil: everywhere.
	noted func(loc string) bool
}

func newAppendSink(c *calls) *appendSink { return &appendSink{calls: c, objects: map[string]object{}} }

func (s *appendSink) Put(ctx context.Context, it sinks.Item[sinks.Message], prev sinks.Receipt) (w sinks.Written, err error) {
	err = s.around("put", func() error {
		if it.Note != nil {
			if err := it.Note(ctx, it.Content.MessageID); err != nil {
				return err
			}
		}
		if prev.BodyVersion != "" && prev.BodyVersion == it.Content.Body.Version {
			w, err = s.update(it, prev)
			return err
		}
		r, err := it.Content.Body.Open(ctx)
		if err != nil {
			return err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		loc := prev.Location
		if loc == "" {
			s.next++
			loc = "uid" + strconv.Itoa(s.next)
		} else if _, there := s.objects[loc]; !there {
			return fault.New(fault.FailItem, fault.TargetConflict, "gone")
		}
		o := object{item: it.Content.MessageID, text: string(b), body: string(b) + strings.Join(it.Content.Flags, " ")}
		s.objects[loc] = o
		w = o.written(sinks.Receipt{Location: loc, BodyVersion: it.Content.Body.Version})
		return nil
	})
	return w, err
}

// update changes the flags of a message without reading its body.
func (s *appendSink) update(it sinks.Item[sinks.Message], prev sinks.Receipt) (sinks.Written, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, there := s.objects[prev.Location]
	if !there {
		return sinks.Written{}, fault.New(fault.FailItem, fault.TargetConflict, "gone")
	}
	o.body = o.text + strings.Join(it.Content.Flags, " ")
	s.objects[prev.Location] = o
	return o.written(prev), nil
}

// written tells what storing the object lost.
func (o object) written(r sinks.Receipt) sinks.Written {
	w := sinks.Written{Receipt: r}
	if strings.HasPrefix(o.text, "lossy") {
		w.Losses = []sinks.Loss{{Reason: "target.test"}}
	}
	return w
}

func (s *appendSink) Remove(_ context.Context, prev sinks.Receipt) error {
	return s.around("remove", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.objects, prev.Location)
		return nil
	})
}

func (s *appendSink) Find(_ context.Context, it sinks.Item[sinks.Message]) (found []sinks.Receipt, err error) {
	err = s.around("find", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for loc, o := range s.objects {
			if o.item == it.Content.MessageID {
				found = append(found, sinks.Receipt{Location: loc, BodyVersion: it.Content.Body.Version})
			}
		}
		sort.Slice(found, func(i, j int) bool { return found[i].Location < found[j].Location })
		return nil
	})
	return found, err
}

// Recover knows a message by what was noted of it.
func (s *appendSink) Recover(_ context.Context, _ string, p sinks.Proof) (found []sinks.Receipt, err error) {
	err = s.around("recover", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for loc, o := range s.objects {
			if p.Receipt.State != "" && o.item == p.Receipt.State && (s.noted == nil || s.noted(loc)) {
				found = append(found, sinks.Receipt{Location: loc})
			}
		}
		sort.Slice(found, func(i, j int) bool { return found[i].Location < found[j].Location })
		return nil
	})
	return found, err
}

// state returns the bodies that the target holds, sorted, each as often as it is there.
func (s *appendSink) state() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, o := range s.objects {
		out = append(out, o.body)
	}
	sort.Strings(out)
	return out
}

// treeSink is a target as WebDAV is.
type treeSink struct {
	*calls
	mu      sync.Mutex
	objects map[string]object // by path
	version int
}

func newTreeSink(c *calls) *treeSink { return &treeSink{calls: c, objects: map[string]object{}} }

func (s *treeSink) Put(ctx context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (w sinks.Written, err error) {
	err = s.around("put", func() error { w, err = s.put(ctx, it, prev); return err })
	return w, err
}

func (s *treeSink) put(ctx context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (w sinks.Written, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := sinks.PathLocation(it.Content.Path)
	if i := strings.LastIndex(path, "/"); i > 0 && !s.objects[path[:i]].folder {
		return w, fault.New(fault.FailItem, fault.TargetNoParent, "no folder for %s", path)
	}
	if prev.Location != "" && prev.Location != path {
		if err := s.rename(prev.Location, path); err != nil {
			return w, err
		}
	}
	o := object{item: it.ID, path: path, folder: it.Content.Folder}
	known := it.Again || !prev.IsZero()
	if old := s.objects[path]; !o.folder && known && old.item == it.ID && old.text == it.Content.Body.Version {
		w.Receipt = sinks.Receipt{Location: path, Version: strconv.Itoa(old.version), BodyVersion: old.text}
		w.Unchanged = prev.IsZero() || prev.Location == path
		return w, nil
	}
	if !o.folder {
		r, err := it.Content.Body.Open(ctx)
		if err != nil {
			return w, err
		}
		defer r.Close()
		b, err := io.ReadAll(r)
		if err != nil {
			return w, err
		}
		o.body, o.text = string(b), it.Content.Body.Version
	}
	old, there := s.objects[path]
	if there && prev.IsZero() && (old.body != o.body || old.folder != o.folder) {
		return w, fault.New(fault.FailItem, fault.TargetConflict, "%s is taken", path)
	}
	s.version++
	o.version = s.version
	s.objects[path] = o
	w.Receipt = sinks.Receipt{Location: path, Version: strconv.Itoa(o.version), BodyVersion: it.Content.Body.Version}
	return w, nil
}

func (s *treeSink) rename(from, to string) error {
	if _, there := s.objects[from]; !there {
		if _, done := s.objects[to]; done {
			return nil
		}
		return fault.New(fault.FailItem, fault.TargetConflict, "%s is gone", from)
	}
	if _, taken := s.objects[to]; taken {
		return fault.New(fault.FailItem, fault.TargetConflict, "%s is taken", to)
	}
	for p, o := range s.objects {
		if p == from || strings.HasPrefix(p, from+"/") {
			delete(s.objects, p)
			s.objects[to+p[len(from):]] = o
		}
	}
	return nil
}

func (s *treeSink) Remove(_ context.Context, prev sinks.Receipt) error {
	return s.around("remove", func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for p := range s.objects {
			if strings.HasPrefix(p, prev.Location+"/") {
				return fault.New(fault.FailItem, fault.TargetConflict, "%s is not empty", prev.Location)
			}
		}
		delete(s.objects, prev.Location)
		return nil
	})
}

// state returns "path=body" for each file and "path/" for each folder, sorted.
func (s *treeSink) state() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for p, o := range s.objects {
		if o.folder {
			out = append(out, p+"/")
		} else {
			out = append(out, p+"="+o.body)
		}
	}
	sort.Strings(out)
	return out
}

// cutLedger counts the ledger's calls as well.
type cutLedger struct {
	checkpoint.Ledger
	*calls
}

func (l cutLedger) Enlist(ctx context.Context, g int64, e []checkpoint.Entry) (r []checkpoint.Record, err error) {
	err = l.around("enlist", func() error { r, err = l.Ledger.Enlist(ctx, g, e); return err })
	return r, err
}

func (l cutLedger) Save(ctx context.Context, r ...checkpoint.Record) error {
	return l.around("save", func() error { return l.Ledger.Save(ctx, r...) })
}

func (l cutLedger) Advance(ctx context.Context, p checkpoint.Position, held ...string) error {
	return l.around("advance", func() error { return l.Ledger.Advance(ctx, p, held...) })
}

func (l cutLedger) Settle(ctx context.Context, id string, r checkpoint.Record) error {
	return l.around("settle", func() error { return l.Ledger.Settle(ctx, id, r) })
}

func (l cutLedger) Reserve(ctx context.Context, n ...checkpoint.Reservation) (out []checkpoint.Node, err error) {
	err = l.around("reserve", func() error { out, err = l.Ledger.Reserve(ctx, n...); return err })
	return out, err
}

func (l cutLedger) Forget(ctx context.Context, id string) error {
	return l.around("forget", func() error { return l.Ledger.Forget(ctx, id) })
}

// bench is a job of one task on a store of its own.
type bench struct {
	t     *testing.T
	store checkpoint.Store
	task  checkpoint.Task
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir()+"/state.db", sqlite.Options{Job: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &bench{t: t, store: s, task: checkpoint.Task{Account: "ada", Kind: "kind", Collection: "all"}}
}

func (b *bench) ledger(c *calls) checkpoint.Ledger {
	b.t.Helper()
	l, err := b.store.Begin(b.t.Context(), b.task, "All")
	if err != nil {
		b.t.Fatal(err)
	}
	return cutLedger{l, c}
}

// status returns the task's status after checking that it balances.
func (b *bench) status() checkpoint.Status {
	b.t.Helper()
	all, err := b.store.Tasks(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if len(all) != 1 {
		b.t.Fatalf("%d tasks, want 1", len(all))
	}
	if !all[0].Balanced() {
		b.t.Errorf("listed %d is not the sum of %v", all[0].Listed, all[0].Counts)
	}
	return all[0]
}

func (b *bench) records() map[string]checkpoint.Record {
	b.t.Helper()
	out := map[string]checkpoint.Record{}
	for r, err := range b.store.Records(b.t.Context(), b.task) {
		if err != nil {
			b.t.Fatal(err)
		}
		out[r.ID] = r
	}
	return out
}

func body(s string) sources.Body {
	return sources.Body{Version: s, Size: int64(len(s)), Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader([]byte(s))), nil
	}}
}

func sinkBody(b sources.Body) sinks.Body {
	return sinks.Body(b)
}

func message(id, mid, text string) sources.Item[sources.Message] {
	return sources.Item[sources.Message]{ID: id, Version: "1", Title: id, Content: sources.Message{MessageID: mid, Body: body(text)}}
}

func mapMessage(m sources.Message) (sinks.Message, []mapping.Loss, error) {
	out := sinks.Message{MessageID: m.MessageID, Body: sinkBody(m.Body), Flags: m.Categories}
	switch {
	case slices.Contains(m.Categories, "skip"):
		return out, nil, fault.New(fault.Skip, fault.SourceLeftOut, "left out")
	case slices.Contains(m.Categories, "lossy"):
		return out, []mapping.Loss{{Reason: "mail.test"}}, nil
	}
	return out, nil, nil
}

func file(id, parent, name, text string) sources.Item[sources.File] {
	f := sources.File{Name: name, ParentID: parent, Body: body(text)}
	return sources.Item[sources.File]{ID: id, Version: parent + name + text, Title: name, Content: f}
}

func folder(id, parent, name string) sources.Item[sources.File] {
	f := sources.File{Name: name, ParentID: parent, Type: sources.Folder}
	return sources.Item[sources.File]{ID: id, Version: parent + name, Title: name, Content: f}
}

func gone[T sources.Content](id string) sources.Item[T] {
	return sources.Item[T]{ID: id, Deleted: true}
}

func mapFile(f sources.File) (sinks.File, []mapping.Loss, error) {
	out := sinks.File{Folder: f.Type == sources.Folder}
	if !out.Folder {
		out.Body = sinkBody(f.Body)
	}
	var losses []mapping.Loss
	if f.Orphan {
		losses = append(losses, mapping.Loss{Reason: "file.orphan"})
	}
	return out, losses, nil
}

func nameFile(f sources.File) (string, *sinks.Loss) { return f.Name, nil }

var quick = engine.Options{Pause: time.Microsecond, InFlight: 4}

func mailEngine(src sources.Source[sources.Message], dst sinks.Sink[sinks.Message], o engine.Options) *engine.Engine[sources.Message, sinks.Message] {
	return engine.New(src, mapMessage, dst, o)
}

func fileEngine(src sources.Source[sources.File], dst sinks.Sink[sinks.File], o engine.Options) *engine.Engine[sources.File, sinks.File] {
	return engine.NewFiles(src, mapFile, nameFile, dst, o)
}

var errCut = errors.New("cut")

// foldersSink tells of a folder that it was there already.
type foldersSink struct{ *treeSink }

func (s foldersSink) Put(ctx context.Context, it sinks.Item[sinks.File], prev sinks.Receipt) (sinks.Written, error) {
	s.mu.Lock()
	there := s.objects[sinks.PathLocation(it.Content.Path)].folder
	s.mu.Unlock()
	w, err := s.treeSink.Put(ctx, it, prev)
	w.Unchanged = w.Unchanged || there
	return w, err
}

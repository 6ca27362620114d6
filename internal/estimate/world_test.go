package estimate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/estimate"
	"codeberg.org/repatriate/repatriate/internal/runner"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// world is where an organisation is moved: a line to the provider, and servers on which each write takes its time. It is made inside a
// bubble of testing/synctest, so that no time passes but that of the line, the provider's quotas and the servers.
type world struct {
	source, target time.Duration // round trips
	speed          float64       // of the line in bytes per second; zero: no limit
	together       int           // accounts at once
	dav            chan struct{} // connections to the targets

	mu      sync.Mutex
	free    time.Time // when the line is free again
	demands map[string]map[string]*estimate.Demand
}

func newWorld(source, target time.Duration, speed float64, together int) *world {
	return &world{source: source, target: target, speed: speed, together: together, dav: make(chan struct{}, connections),
		demands: map[string]map[string]*estimate.Demand{}}
}

// connections is what all accounts together have to the targets, as in cmd/repatriate.
const connections = 32

// inFlight is that of cmd/repatriate for each account.
func (w *world) inFlight(kind string) int {
	all := map[string]int{"mail": 256, "files": 64, "calendar": 16}[kind]
	if all == 0 {
		all = 8
	}
	return max(4, all/w.together)
}

func (w *world) options() estimate.Options {
	return estimate.Options{Accounts: w.together, InFlight: w.inFlight, SourceRTT: w.source, TargetRTT: w.target, TargetConnections: connections,
		BytesPerSecond: w.speed}
}

// serve carries requests to a handler in this process, over the line.
func (w *world) serve(h http.Handler) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		in := r.Clone(r.Context())
		in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
		if in.Body == nil {
			in.Body = http.NoBody
		}
		body := &pipe{pieces: make(chan []byte, 64), closed: make(chan struct{})}
		a := &answer{header: http.Header{}, began: make(chan int, 1), body: body}
		go func() {
			h.ServeHTTP(a, in)
			a.WriteHeader(http.StatusOK)
			close(body.pieces)
		}()
		select {
		case status := <-a.began:
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
				Header: a.header.Clone(), ContentLength: -1, Request: r, Body: &lineBody{body, w}}, nil
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is what a handler writes into.
type answer struct {
	header http.Header
	began  chan int
	once   sync.Once
	body   *pipe
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) { a.once.Do(func() { a.began <- status }) }

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.write(p)
}

// pipe takes some pieces without a reader, as the system's buffers would: the simulators hold locks while they answer, and a clock
// of testing/synctest stands still while somebody waits for a lock.
type pipe struct {
	pieces chan []byte
	rest   []byte
	once   sync.Once
	closed chan struct{}
}

func (b *pipe) write(p []byte) (int, error) {
	select {
	case b.pieces <- slices.Clone(p):
		return len(p), nil
	case <-b.closed:
		return 0, io.ErrClosedPipe
	}
}

func (b *pipe) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		piece, more := <-b.pieces
		if !more {
			return 0, io.EOF
		}
		b.rest = piece
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *pipe) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// lineBody takes as long as its bytes do on the line.
type lineBody struct {
	io.ReadCloser
	w *world
}

func (b *lineBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.w.carry(n)
	return n, err
}

func (w *world) carry(n int) {
	if w.speed <= 0 || n <= 0 {
		return
	}
	w.mu.Lock()
	now := time.Now()
	if w.free.Before(now) {
		w.free = now
	}
	w.free = w.free.Add(time.Duration(float64(n) / w.speed * float64(time.Second)))
	wait := w.free.Sub(now)
	w.mu.Unlock()
	time.Sleep(wait)
}

// demand is what was moved of a kind of an account.
func (w *world) demand(account, kind string) *estimate.Demand {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.demands[account] == nil {
		w.demands[account] = map[string]*estimate.Demand{}
	}
	d := w.demands[account][kind]
	if d == nil {
		d = &estimate.Demand{Account: account, Kind: kind}
		w.demands[account][kind] = d
	}
	return d
}

// all returns the demands in the order of the accounts.
func (w *world) all(accounts []person) []estimate.Demand {
	var out []estimate.Demand
	for _, a := range accounts {
		for _, kind := range a.kinds {
			if d := w.demands[a.name][kind]; d != nil {
				out = append(out, *d)
			}
		}
	}
	return out
}

// slowSink keeps nothing, but reads what it is given and takes its time.
type slowSink[T sinks.Content] struct {
	sinks.Discard[T]
	w *world
	d *estimate.Demand
}

// Put implements sinks.Sink.
func (s slowSink[T]) Put(ctx context.Context, item sinks.Item[T], prev sinks.Receipt) (sinks.Written, error) {
	var body, photo sinks.Body
	dav := true
	switch c := any(item.Content).(type) {
	case sinks.File:
		body = c.Body
		if c.Folder {
			atomic.AddInt64(&s.d.Empty, 1)
		}
	case sinks.Message:
		body, dav = c.Body, false
	case sinks.Contact:
		photo = c.Photo
	}
	for _, b := range []sinks.Body{body, photo} {
		n, err := drain(ctx, b)
		if err != nil {
			return sinks.Written{}, err
		}
		atomic.AddInt64(&s.d.Bytes, n)
	}
	atomic.AddInt64(&s.d.Items, 1)
	if dav {
		s.w.dav <- struct{}{}
		defer func() { <-s.w.dav }()
	}
	time.Sleep(s.w.target)
	return s.Discard.Put(ctx, item, prev)
}

func drain(ctx context.Context, b sinks.Body) (int64, error) {
	if b.Open == nil {
		return 0, nil
	}
	r, err := b.Open(ctx)
	if errors.Is(err, sinks.ErrNoPhoto) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}

// person is an account of the organisation.
type person struct {
	name  string
	kinds []string
}

// provider opens what a provider holds of an account.
type provider struct {
	files        func(account string) sources.Source[sources.File]
	mail         func(account string) sources.Source[sources.Message]
	calendars    func(ctx context.Context, account string) ([]sources.Collection, error)
	calendar     func(account, id string) sources.Source[sources.Event]
	addressBooks func(ctx context.Context, account string) ([]sources.Collection, error)
	contacts     func(account, id string) sources.Source[sources.Contact]
	taskLists    func(ctx context.Context, account string) ([]sources.Collection, error)
	tasks        func(account string, list sources.Collection) sources.Source[sources.Task]
}

// move moves everything once, as cmd/repatriate does, and returns how long it took.
func (w *world) move(t *testing.T, p provider, people []person) time.Duration {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{Job: "proof"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := &runner.Runner{Store: store, Parallel: w.together, Log: discard}
	var accounts []runner.Account
	for _, a := range people {
		accounts = append(accounts, runner.Account{Name: a.name, Kinds: a.kinds, Open: func(ctx context.Context, kind string) ([]runner.Task, error) {
			return w.tasks(ctx, p, a.name, kind)
		}})
	}
	begin := time.Now()
	if err := r.Run(t.Context(), accounts); err != nil || r.Stopped.Load() > 0 {
		t.Fatalf("%v, %d tasks stopped", err, r.Stopped.Load())
	}
	took := time.Since(begin)
	failures(t, store)
	return took
}

func failures(t *testing.T, store checkpoint.Store) {
	t.Helper()
	tasks, err := store.Tasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range tasks {
		if n := s.Counts[checkpoint.Failed] + s.Counts[checkpoint.Pending]; n > 0 || s.Error != "" {
			t.Errorf("%v: %d items failed: %s", s.Task, n, s.Error)
		}
	}
}

func (w *world) tasks(ctx context.Context, p provider, account, kind string) ([]runner.Task, error) {
	d := w.demand(account, kind)
	switch kind {
	case "files":
		rules := mapping.FileRules{}
		return []runner.Task{task(d, "drive", func() *engine.Engine[sources.File, sinks.File] {
			return engine.NewFiles(p.files(account), rules.File, rules.Name, slowSink[sinks.File]{w: w, d: d}, w.engine(kind))
		})}, nil
	case "mail":
		return []runner.Task{task(d, "mailbox", func() *engine.Engine[sources.Message, sinks.Message] {
			return engine.New(p.mail(account), mapping.MailRules{}.Message, slowSink[sinks.Message]{w: w, d: d}, w.engine(kind))
		})}, nil
	case "calendar":
		return each(ctx, d, p.calendars, func(c sources.Collection) *engine.Engine[sources.Event, sinks.Event] {
			return engine.New(p.calendar(account, c.ID), mapping.EventRules{Zone: c.TimeZone}.Event, slowSink[sinks.Event]{w: w, d: d}, w.engine(kind))
		})
	case "contacts":
		return each(ctx, d, p.addressBooks, func(c sources.Collection) *engine.Engine[sources.Contact, sinks.Contact] {
			return engine.New(p.contacts(account, c.ID), mapping.ContactRules{}.Contact, slowSink[sinks.Contact]{w: w, d: d}, w.engine(kind))
		})
	}
	return each(ctx, d, p.taskLists, func(c sources.Collection) *engine.Engine[sources.Task, sinks.Task] {
		return engine.New(p.tasks(account, c), mapping.TaskRules{Zone: c.TimeZone}.Task, slowSink[sinks.Task]{w: w, d: d}, w.engine(kind))
	})
}

func (w *world) engine(kind string) engine.Options { return engine.Options{InFlight: w.inFlight(kind)} }

func task[S sources.Content, T sinks.Content](d *estimate.Demand, id string, open func() *engine.Engine[S, T]) runner.Task {
	atomic.AddInt64(&d.Collections, 1)
	return runner.Task{Collection: id, Name: id, Work: func(ctx context.Context, l checkpoint.Ledger) error { return open().Run(ctx, l) }}
}

func each[S sources.Content, T sinks.Content](ctx context.Context, d *estimate.Demand, list func(context.Context, string) ([]sources.Collection, error),
	open func(sources.Collection) *engine.Engine[S, T]) ([]runner.Task, error) {
	found, err := list(ctx, d.Account)
	var tasks []runner.Task
	for _, c := range found {
		tasks = append(tasks, task(d, c.ID, func() *engine.Engine[S, T] { return open(c) }))
	}
	return tasks, err
}

// sharedDrive returns the id of a shared drive; false for a user.
func sharedDrive(account string) (string, bool) { return strings.CutPrefix(account, "drive:") }

// kindsOf returns the kinds of a user, all unless some are named.
func kindsOf(kinds ...string) []string {
	if len(kinds) == 0 {
		return []string{"files", "mail", "calendar", "contacts", "tasks"}
	}
	return slices.Clone(kinds)
}

package exactlyonce

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

// user is the account on the target.
const (
	user     = "dora"
	password = "secret"
)

// account is what is moved: a user of a simulated provider, with a small number of items of one kind.
type account interface {
	// serve returns the provider that holds the account.
	serve(b cloudsim.Behaviour) (http.Handler, *cloudsim.Front)
	// open connects to it as the program does, through its official client.
	open(root string, transport http.RoundTripper) (reader, error)
	// change makes at least one of every change that a user can make: what a later pass has to bring over.
	change(t *testing.T)
}

// world is an account, the server that it goes to, the ways to both, and a state file.
type world struct {
	kind    string
	account account
	files   *embedded.Files
	mail    *embedded.Mail
	// calendar is the server of calendars, task lists and address books.
	calendar *embedded.Calendar
	// root leads to the provider and url to the target's account.
	root, url      string
	points         *points
	source, target *network
	// dav stands before the target where that speaks HTTP; may be nil.
	dav func(http.RoundTripper) http.RoundTripper
	// attempts is the engine's option of that name.
	attempts int
	dir      string
}

// newWorld starts everything; it ends with the test.
func newWorld(t *testing.T, kind string, a account, b cloudsim.Behaviour) *world {
	t.Helper()
	w := &world{kind: kind, account: a, points: new(points), dir: t.TempDir()}
	w.points.arm(point{}, nil)
	handler, front := a.serve(b)
	provider := httptest.NewServer(handler)
	t.Cleanup(func() {
		_ = front.Close()
		provider.CloseClientConnections()
		provider.Close()
	})
	w.source, w.root = startNetwork(t, source, provider.URL+"/", w.points)
	w.target, w.url = startNetwork(t, target, w.startTarget(t), w.points)
	return w
}

// startTarget starts the server of the kind and returns the URL of the user's account.
func (w *world) startTarget(t *testing.T) string {
	t.Helper()
	users := []embedded.User{{Name: user, Password: password}}
	closing := func(c io.Closer) { t.Cleanup(func() { must(t, c.Close()) }) }
	switch w.kind {
	case "files":
		w.files = value(embedded.StartFiles(filepath.Join(w.dir, "files"), users))(t)
		closing(w.files)
		return w.files.UserURL(user)
	case "mail":
		w.mail = value(embedded.StartMail(users))(t)
		closing(w.mail)
		return w.mail.URL
	}
	w.calendar = value(embedded.StartCalendar(filepath.Join(w.dir, "calendar"), users))(t)
	closing(w.calendar)
	if w.kind == "contacts" {
		return w.calendar.UserAddressBookURL(user)
	}
	return w.calendar.UserURL(user)
}

// outcome is what came of one run.
type outcome struct {
	err      error
	stopped  int64 // tasks
	counters engine.Counters
	died     bool
}

// complete says that the run came to its end and left nothing undone.
func (o *outcome) complete() bool {
	return o.err == nil && o.stopped == 0 && o.counters.Failed.Load() == 0
}

// life is one process: what it has opened ends with it.
type life struct {
	*world
	reader    reader
	transport http.RoundTripper // to the target
	options   engine.Options
	retry     bool
}

// run is the life of one process. It begins like any other, from the state file alone, and ends by itself or at the point.
func (w *world) run(t *testing.T, at point, retry bool) *outcome {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.points.arm(at, cancel)
	w.source.Refuse(false)
	w.target.Refuse(false)
	var ended sync.WaitGroup
	ended.Go(func() {
		<-ctx.Done()
		for _, n := range []*network{w.source, w.target} {
			n.Refuse(true)
			n.HangUp()
		}
	})
	o := &outcome{}
	o.err = w.live(ctx, o, retry)
	o.died = w.points.dead.Load()
	cancel()
	ended.Wait()
	return o
}

func (w *world) live(ctx context.Context, o *outcome, retry bool) error {
	store, err := sqlite.Open(context.Background(), w.stateFile(), sqlite.Options{Job: "cuts"})
	if err != nil {
		return err
	}
	defer store.Close()
	toSource, toTarget := newTransport(), newTransport()
	defer toSource.CloseIdleConnections()
	defer toTarget.CloseIdleConnections()
	reader, err := w.account.open(w.root, toSource)
	if err != nil {
		return err
	}
	l := &life{world: w, reader: reader, transport: toTarget, retry: retry, options: engine.Options{
		InFlight: 3, Pause: time.Millisecond, Attempts: w.attempts, Propagate: true, Counters: &o.counters,
	}}
	if w.dav != nil {
		l.transport = w.dav(toTarget)
	}
	r := &runner.Runner{Store: mortalStore{store, w.points}, Parallel: 1, Log: slog.New(slog.DiscardHandler)}
	err = r.Run(ctx, []runner.Account{{Name: account0, Kinds: []string{w.kind}, Open: l.open}})
	o.stopped = r.Stopped.Load()
	return err
}

func (w *world) stateFile() string { return filepath.Join(w.dir, "cuts.db") }

func newTransport() *http.Transport {
	return &http.Transport{MaxConnsPerHost: 4, ForceAttemptHTTP2: false}
}

// ledger returns the sums over all tasks by state, and demands that each of them balances.
func (w *world) ledger(t *testing.T) (sums [len(checkpoint.States)]int64) {
	t.Helper()
	store := value(sqlite.OpenView(t.Context(), w.stateFile(), sqlite.Options{Job: "cuts"}))(t)
	defer func() { must(t, store.Close()) }()
	for _, s := range value(store.Tasks(t.Context()))(t) {
		if !s.Balanced() {
			t.Errorf("%s: %d items were listed, the records are %v", s.Collection, s.Listed, s.Counts)
		}
		for i, n := range s.Counts {
			sums[i] += n
		}
	}
	return sums
}

// errNotComplete says that a run had no reason to leave something undone.
var errNotComplete = errors.New("the run did not come to its end")

// finish runs without any trouble, and demands that this one run is enough.
func (w *world) finish(t *testing.T) *outcome {
	t.Helper()
	o := w.run(t, point{}, false)
	if !o.complete() {
		t.Fatalf("%v: %v, %d tasks stopped, %d items failed\n%s", errNotComplete, o.err, o.stopped, o.counters.Failed.Load(), w.troubles(t))
	}
	return o
}

// troubles lists what stopped or failed.
func (w *world) troubles(t *testing.T) (text string) {
	t.Helper()
	store := value(sqlite.OpenView(t.Context(), w.stateFile(), sqlite.Options{Job: "cuts"}))(t)
	defer func() { must(t, store.Close()) }()
	for _, s := range value(store.Tasks(t.Context()))(t) {
		text += s.Collection + " " + s.Error + "\n"
		for r, err := range store.Records(t.Context(), s.Task, checkpoint.Pending, checkpoint.Writing, checkpoint.Failed, checkpoint.Skipped) {
			must(t, err)
			text += "  " + r.Title + " " + r.State.String() + " " + r.Reason + " " + r.Message + "\n"
		}
	}
	return text
}

package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/outage"
	"codeberg.org/repatriate/repatriate/internal/preflight"
	"codeberg.org/repatriate/repatriate/internal/runner"
)

func newRunner(t *testing.T, parallel int) *runner.Runner {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &runner.Runner{Store: store, Parallel: parallel, Log: slog.New(slog.DiscardHandler)}
}

// account returns an account whose every kind has the given tasks.
func account(name string, kinds []string, tasks ...runner.Task) runner.Account {
	return runner.Account{Name: name, Kinds: kinds, Open: func(context.Context, string) ([]runner.Task, error) { return tasks, nil }}
}

func task(collection string, work runner.Work) runner.Task {
	return runner.Task{Collection: collection, Name: "the " + collection, Work: work}
}

func well(context.Context, checkpoint.Ledger) error { return nil }

// errorsOf returns the errors that the state holds, by account, kind and collection.
func errorsOf(t *testing.T, r *runner.Runner) map[string]string {
	t.Helper()
	statuses, err := r.Store.Tasks(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for _, s := range statuses {
		out[fmt.Sprintf("%s/%s/%s", s.Account, s.Kind, s.Collection)] = s.Error
	}
	return out
}

func want(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the state holds %q, want %q", got, want)
	}
}

func TestTroubleStaysAlone(t *testing.T) {
	r := newRunner(t, 2)
	full := fault.New(fault.FailTask, fault.TargetQuota, "no space")
	broken := func(context.Context, checkpoint.Ledger) error { return full }
	people := []runner.Account{
		account("a", []string{"files", "mail"}, task("1", broken), task("2", well)),
		{Name: "b", Kinds: []string{"calendar"}, Open: func(context.Context, string) ([]runner.Task, error) { return nil, errors.New("no list") }},
		account("c", []string{"files"}, task("1", well)),
	}
	if err := r.Run(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	want(t, errorsOf(t, r), map[string]string{
		"a/files/1": full.Error(), "a/files/2": "", "a/mail/1": full.Error(), "a/mail/2": "", "b/calendar/": "no list", "c/files/1": "",
	})
	if n := r.Stopped.Load(); n != 3 {
		t.Errorf("%d tasks counted as stopped, want 3", n)
	}
	// What could not be opened is no error any more when it can.
	people[1] = account("b", []string{"calendar"}, task("1", well))
	if err := r.Run(t.Context(), people[1:2]); err != nil {
		t.Fatal(err)
	}
	if got := errorsOf(t, r); got["b/calendar/"] != "" {
		t.Errorf("an error that is mended stays: %q", got)
	}
}

func TestStoppedTaskKeepsItsPosition(t *testing.T) {
	r := newRunner(t, 1)
	cursor := func(_ context.Context, l checkpoint.Ledger) error {
		if err := l.Advance(context.Background(), checkpoint.Position{Cursor: "here", Generation: 3, Complete: true}); err != nil {
			return err
		}
		return errors.New("then this")
	}
	if err := r.Run(t.Context(), []runner.Account{account("a", []string{"mail"}, task("1", cursor))}); err != nil {
		t.Fatal(err)
	}
	statuses, err := r.Store.Tasks(t.Context())
	if err != nil || len(statuses) != 1 {
		t.Fatal(len(statuses), err)
	}
	if s := statuses[0]; s.Cursor != "here" || s.Generation != 3 || !s.Complete || s.Error != "then this" || s.Name != "the 1" {
		t.Errorf("%+v", s)
	}
}

// TestParked parks one task and one kind: they are left alone until their time has come.
func TestParked(t *testing.T) {
	r := newRunner(t, 1)
	tomorrow := fault.New(fault.FailTask, fault.SourceDailyLimit, "enough for today").WithAfter(time.Hour)
	works, opens := 0, 0
	people := []runner.Account{
		account("a", []string{"mail"}, task("1", func(context.Context, checkpoint.Ledger) error { works++; return tomorrow })),
		{Name: "b", Kinds: []string{"calendar"}, Open: func(context.Context, string) ([]runner.Task, error) { opens++; return nil, tomorrow }},
	}
	for range 3 {
		if err := r.Run(t.Context(), people); err != nil {
			t.Fatal(err)
		}
	}
	if works != 1 || opens != 1 {
		t.Errorf("parked work was begun %d times, a parked kind opened %d times", works, opens)
	}
	if got := errorsOf(t, r); got["a/mail/1"] == "" || got["b/calendar/"] == "" {
		t.Errorf("why they are parked is forgotten: %q", got)
	}
}

// TestParallelAccounts counts how many accounts are at work at once.
func TestParallelAccounts(t *testing.T) {
	r := newRunner(t, 3)
	var mu sync.Mutex
	now, most := 0, 0
	var reached sync.WaitGroup
	reached.Add(3)
	once := make(chan struct{}, 3)
	work := func(context.Context, checkpoint.Ledger) error {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		select {
		case once <- struct{}{}: // the first three wait for one another
			reached.Done()
			reached.Wait()
		default:
		}
		mu.Lock()
		now--
		mu.Unlock()
		return nil
	}
	var people []runner.Account
	for i := range 12 {
		people = append(people, account(fmt.Sprint(i), []string{"mail"}, task("1", work)))
	}
	if err := r.Run(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	if most != 3 {
		t.Errorf("%d accounts at once, want 3", most)
	}
}

// TestCancelled ends a run: no task that was under way counts as stopped, and none begins.
func TestCancelled(t *testing.T) {
	r := newRunner(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	closed := false
	first := task("1", func(ctx context.Context, _ checkpoint.Ledger) error {
		cancel()
		return fmt.Errorf("read: %w", ctx.Err())
	})
	first.Close = func() { closed = true }
	second := task("2", func(context.Context, checkpoint.Ledger) error {
		t.Error("a task began after the end")
		return nil
	})
	err := r.Run(ctx, []runner.Account{account("a", []string{"mail"}, first, second), account("b", []string{"mail"}, second)})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if !closed {
		t.Error("a task was not closed")
	}
	want(t, errorsOf(t, r), map[string]string{"a/mail/1": ""})
}

// brokenStore is a ledger on a disk that is gone.
type brokenStore struct{ checkpoint.Store }

var errDisk = errors.New("the disk is gone")

func (brokenStore) Begin(context.Context, checkpoint.Task, string) (checkpoint.Ledger, error) {
	return nil, errDisk
}

func TestBrokenStoreEndsTheRun(t *testing.T) {
	r := newRunner(t, 1)
	r.Store = brokenStore{r.Store}
	err := r.Run(t.Context(), []runner.Account{account("a", []string{"mail"}, task("1", well))})
	if !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
}

// watcher remembers what it was told.
type watcher struct {
	mu  sync.Mutex
	log []string
}

type markKey struct{}

func (w *watcher) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *watcher) Began(ctx context.Context, account string, kinds []string) context.Context {
	w.note("%s began with %v", account, kinds)
	return context.WithValue(ctx, markKey{}, account)
}

func (w *watcher) KindEnded(account, kind string) { w.note("%s of %s ended", kind, account) }

func (w *watcher) Ended(account string) { w.note("%s ended", account) }

func (w *watcher) Stopped(account, kind string, cause error, until time.Time) {
	w.note("%s of %s stopped: %v, parked %v", kind, account, cause, !until.IsZero())
}

func TestWatcher(t *testing.T) {
	r, w := newRunner(t, 1), new(watcher)
	r.Watch = w
	parked := fault.New(fault.FailTask, fault.SourceDailyLimit, "enough for today").WithAfter(time.Hour)
	marked := task("1", func(ctx context.Context, _ checkpoint.Ledger) error {
		w.note("work for %v", ctx.Value(markKey{}))
		return parked
	})
	people := []runner.Account{
		account("a", []string{"mail"}, marked),
		{Name: "b", Kinds: []string{"calendar"}, Open: func(context.Context, string) ([]runner.Task, error) { return nil, errors.New("no list") }},
	}
	if err := r.Run(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a began with [mail]", "work for a", "mail of a stopped: enough for today (source.daily_limit), parked true", "mail of a ended", "a ended",
		"b began with [calendar]", "calendar of b stopped: no list, parked false", "calendar of b ended", "b ended",
	}
	if !slices.Equal(w.log, want) {
		t.Errorf("the watcher saw\n%s\nwant\n%s", strings.Join(w.log, "\n"), strings.Join(want, "\n"))
	}
}

// TestDrained ends a run while one account works: what it has begun is finished, and the others are left for another run.
func TestDrained(t *testing.T) {
	r := newRunner(t, 1)
	drain := make(chan struct{})
	r.Drain = drain
	var log []string
	did := func(name string) runner.Work {
		return func(context.Context, checkpoint.Ledger) error { log = append(log, name); return nil }
	}
	people := []runner.Account{
		account("done", []string{"mail"}, task("1", did("done"))),
		account("half", []string{"mail"}, task("1", func(context.Context, checkpoint.Ledger) error {
			close(drain)
			log = append(log, "half 1")
			return engine.ErrDrained
		}), task("2", did("half 2"))),
		account("never", []string{"mail"}, task("1", did("never"))),
	}
	if err := r.Run(t.Context(), people); !errors.Is(err, engine.ErrDrained) {
		t.Fatal(err)
	}
	left := r.Undone(people)
	if len(left) != 2 || left[0].Name != "half" || left[1].Name != "never" || !slices.Equal(log, []string{"done", "half 1"}) {
		t.Errorf("did %q, left are %v", log, left)
	}
	if got := errorsOf(t, r); got["half/mail/1"] != "" || r.Stopped.Load() != 0 {
		t.Errorf("what was drained has stopped: %q", got)
	}
	r.Drain = nil
	left[0] = account("half", []string{"mail"}, task("1", did("half 1")), task("2", did("half 2")))
	if err := r.Run(t.Context(), left); err != nil || len(r.Undone(left)) != 0 {
		t.Errorf("%v, left are %v", err, r.Undone(left))
	}
	if want := []string{"done", "half 1", "half 1", "half 2", "never"}; !slices.Equal(log, want) {
		t.Errorf("did %q, want %q", log, want)
	}
}

// TestServerIsGone has no account find its target: a few meet it, the others are not begun, and their other kinds are moved.
func TestServerIsGone(t *testing.T) {
	r := newRunner(t, 2)
	r.Guard = &outage.Guard{Look: func(context.Context, outage.Place, string) *preflight.Finding {
		return &preflight.Finding{Level: preflight.Error, Reason: fault.TargetUnavailable, What: "no connection"}
	}}
	var mu sync.Mutex
	opened := map[string]int{}
	var people []runner.Account
	for i := range 40 {
		people = append(people, runner.Account{Name: fmt.Sprintf("user%02d", i), Kinds: []string{"files", "mail"}, Open: func(_ context.Context, kind string) ([]runner.Task, error) {
			mu.Lock()
			defer mu.Unlock()
			opened[kind]++
			if kind == "mail" {
				return nil, fault.New(fault.FailTask, fault.TargetUnavailable, "no connection")
			}
			return []runner.Task{task("drive", well)}, nil
		}})
	}
	if err := r.Run(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	gone := r.Guard.Gone()
	if opened["files"] != 40 || opened["mail"] > 5 || len(gone) != 1 || len(gone[0].Missed) != 40-opened["mail"] {
		t.Errorf("opened %v; gone: %+v", opened, gone)
	}
	if n := len(r.Undone(people)); n != 40 {
		t.Errorf("%d accounts count as undone, want all", n)
	}
	if got := errorsOf(t, r); len(got) != 40+opened["mail"] {
		t.Errorf("the state knows %d tasks: accounts that were not begun stand in it", len(got))
	}
}

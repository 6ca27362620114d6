package main

import (
	"context"
	"database/sql"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// noRoom returns the error of SQLite where a file may not grow.
func noRoom(t *testing.T) error {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "full.db")+"?_pragma=max_page_count(2)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "CREATE TABLE t (b); INSERT INTO t VALUES (zeroblob(1000000))")
	if !diskFull(err) {
		t.Fatalf("a file that may not grow: %v", err)
	}
	return err
}

// fullStore is a store that takes a number of writes, and no more.
type fullStore struct {
	checkpoint.Store
	left *atomic.Int64
	full error
}

func (s fullStore) room() error {
	if s.left.Add(-1) < 0 {
		return s.full
	}
	return nil
}

func (s fullStore) Begin(ctx context.Context, t checkpoint.Task, name string) (checkpoint.Ledger, error) {
	if err := s.room(); err != nil {
		return nil, err
	}
	l, err := s.Store.Begin(ctx, t, name)
	return fullLedger{l, s}, err
}

type fullLedger struct {
	checkpoint.Ledger
	store fullStore
}

func (l fullLedger) Enlist(ctx context.Context, generation int64, entries []checkpoint.Entry) ([]checkpoint.Record, error) {
	if err := l.store.room(); err != nil {
		return nil, err
	}
	return l.Ledger.Enlist(ctx, generation, entries)
}

func (l fullLedger) Save(ctx context.Context, records ...checkpoint.Record) error {
	if err := l.store.room(); err != nil {
		return err
	}
	return l.Ledger.Save(ctx, records...)
}

func (l fullLedger) Settle(ctx context.Context, id string, r checkpoint.Record) error {
	if err := l.store.room(); err != nil {
		return err
	}
	return l.Ledger.Settle(ctx, id, r)
}

func (l fullLedger) Advance(ctx context.Context, p checkpoint.Position, held ...string) error {
	if err := l.store.room(); err != nil {
		return err
	}
	return l.Ledger.Advance(ctx, p, held...)
}

// TestFullDiskSumsUp fills the disk after ever more writes to the state: each run says what it did and how to go on, and in the end all of it
// is there, once.
func TestFullDiskSumsUp(t *testing.T) {
	calm, s := simulated(t, googleOf(sim.Options{})), simulated(t, googleOf(sim.Options{}))
	want := reported(t, ran(t, exitOK, "run", "--json", calm.Job))
	full := noRoom(t)
	job, err := config.Load(s.Job)
	if err != nil {
		t.Fatal(err)
	}
	for _, writes := range []int64{0, 1, 5, 20, 60} {
		r, err := passWithRoomFor(t, job, writes, full)
		if r == nil || !diskFull(err) || exitCode(t.Context(), err) != exitStopped {
			t.Fatalf("room for %d writes: %v", writes, err)
		}
		if r.Broken == "" || r.State != report.Interrupted || r.Pass == nil || !r.Balanced {
			t.Errorf("room for %d writes: %+v", writes, r)
		}
		r.Path = s.Job
		var text strings.Builder
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if flat := strings.Join(strings.Fields(text.String()), " "); !strings.Contains(flat, "The run ended before its end: ") ||
			!strings.Contains(flat, "go on with: repatriate run "+s.Job) || !strings.Contains(flat, "This pass wrote") {
			t.Errorf("room for %d writes: %s", writes, text.String())
		}
	}
	got := reported(t, ran(t, exitOK, "run", "--json", s.Job))
	if got.Totals != want.Totals || !slices.Equal(onTarget(t, s), onTarget(t, calm)) {
		t.Errorf("when there is room again: %+v, want %+v", got.Totals, want.Totals)
	}
}

// passWithRoomFor makes a pass whose state takes so many writes.
func passWithRoomFor(t *testing.T, job *config.Job, writes int64, full error) (*report.Report, error) {
	t.Helper()
	p, people, err := pass{}.prepared(job)
	if err != nil {
		t.Fatal(err)
	}
	o := &output{screen: stderr, log: slog.New(slog.DiscardHandler)}
	w, err := newWiring(t.Context(), job, p, o.log)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	store, err := openStore(t.Context(), job, false)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	left := new(atomic.Int64)
	left.Store(writes)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	return w.over(ctx, fullStore{store, left, full}, people, o, nil)
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// What was acknowledged before Close is there; what was not got an error.
func TestCloseWhileSaving(t *testing.T) {
	path := filled(t, "state.db", Options{}, 0)
	for round := range 5 {
		s := mustOpen(t, path, Options{})
		l := mustBegin(t, s)
		var mu sync.Mutex
		var acked []string
		var wg sync.WaitGroup
		begun := make(chan struct{}, 1000)
		for w := range 16 {
			wg.Go(func() {
				for i := range 1000 {
					id := fmt.Sprint(round, "-", w, "-", i)
					if _, err := l.Enlist(context.Background(), 1, []checkpoint.Entry{{ID: id}}); err != nil {
						if !errors.Is(err, errClosed) {
							t.Errorf("enlist: %v", err)
						}
						return
					}
					mu.Lock()
					acked = append(acked, id)
					mu.Unlock()
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 100 {
			<-begun
		}
		mustClose(t, s)
		wg.Wait()
		v, err := OpenView(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string]bool)
		for r, err := range v.Records(t.Context(), filesTask) {
			if err != nil {
				t.Fatal(err)
			}
			found[r.ID] = true
		}
		for _, id := range acked {
			if !found[id] {
				t.Fatalf("%s was acknowledged and is not there", id)
			}
		}
		listed(t, v)
		mustClose(t, v)
	}
}

func TestClosed(t *testing.T) {
	path := filled(t, "state.db", Options{}, 3)
	s := mustOpen(t, path, Options{})
	l := mustBegin(t, s)
	mustClose(t, s)
	_, enlist := l.Enlist(t.Context(), 1, entries(0, 1))
	_, begin := s.Begin(t.Context(), filesTask, "")
	_, _, record := l.Record(t.Context(), "x")
	_, tasks := s.Tasks(t.Context())
	for what, err := range map[string]error{"enlist": enlist, "begin": begin, "record": record, "tasks": tasks} {
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, err := range s.Records(t.Context(), filesTask) {
		if err == nil {
			t.Error("a closed store yields records")
		}
	}
}

// SQLite may roll back the whole transaction, among others when a disk is full. Then none of the operations that share it
// was done, and each is told; the next transaction is not disturbed.
func TestTransactionLost(t *testing.T) {
	s := mustOpen(t, filled(t, "state.db", Options{}, 0), Options{})
	l := mustBegin(t, s).(*ledger)
	broke := errors.New("it broke")
	enlist := func(id string) *operation {
		return &operation{result: make(chan error, 1), do: func(ctx context.Context, st *session) error {
			_, _, err := l.enlist(ctx, st, 1, checkpoint.Entry{ID: id})
			if err == nil {
				_, err = st.listed.ExecContext(ctx, 1, l.id)
			}
			return err
		}}
	}
	lose := &operation{result: make(chan error, 1), do: func(ctx context.Context, st *session) error {
		return errors.Join(broke, run(ctx, st.rollback))
	}}
	ops := []*operation{enlist("before"), lose, enlist("after")}
	results := make([]error, len(ops))
	// The store's own writer has nothing to do meanwhile, so that its connection can be lent.
	w := &writer{conn: s.writer.conn, session: session{statements: s.writer.session.statements, epochs: s.writer.session.epochs, crowds: make(crowds)}}
	if err := w.transact(t.Context(), ops, results); !errors.Is(err, broke) || results[0] != nil || !errors.Is(results[1], broke) {
		t.Errorf("%v; %v", err, results)
	}
	if n := listed(t, s); n != 0 {
		t.Errorf("%d records of a lost transaction are there", n)
	}
	w.commit(ops)
	for i, op := range ops {
		if err := <-op.result; !errors.Is(err, broke) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if _, err := l.Enlist(t.Context(), 1, entries(0, 2)); err != nil || listed(t, s) != 2 {
		t.Errorf("the next transaction: %v", err)
	}
}

// Names that a failed call had taken are free again, also where many siblings wanted the same one.
func TestCrowdAfterAFailure(t *testing.T) {
	s := mustOpen(t, filled(t, "state.db", Options{}, 0), Options{})
	l := mustBegin(t, s)
	ask := func(from, n int) []checkpoint.Reservation {
		return reservations("folder", from, n, func(int) string { return "Untitled" })
	}
	reserve := func(r ...checkpoint.Reservation) string {
		t.Helper()
		placed, err := l.Reserve(t.Context(), r...)
		if err != nil {
			t.Fatal(err)
		}
		return placed[len(placed)-1].Name
	}
	if got := reserve(ask(0, 40)...); got != "Untitled (40)" {
		t.Errorf("the fortieth is %q", got)
	}
	bad := checkpoint.Reservation{Node: checkpoint.Node{ID: "bad"}, Names: func(func(string) bool) {}}
	if _, err := l.Reserve(t.Context(), append(ask(40, 30), bad)...); err == nil {
		t.Error("a node without names got a place")
	}
	if got := reserve(ask(70, 1)...); got != "Untitled (41)" {
		t.Errorf("after a call that failed the next one is %q", got)
	}
	if err := l.Forget(t.Context(), "folder-6"); err != nil {
		t.Fatal(err)
	}
	if got := reserve(ask(80, 1)...); got != "Untitled (7)" {
		t.Errorf("after one was given back the next one is %q", got)
	}
	if got := reserve(ask(81, 1)...); got != "Untitled (42)" {
		t.Errorf("then %q", got)
	}
}

// Ids are any bytes; their order is the bytes'.
func TestIDsOfAnyBytes(t *testing.T) {
	s := mustOpen(t, filled(t, "state.db", Options{}, 0), Options{})
	l := mustBegin(t, s)
	ids := []string{"\x00", "\x00\x01", "%", "A", "_", "a", "é", "\xff", "\xff\xfe"}
	for _, id := range ids {
		if _, err := l.Enlist(t.Context(), 1, []checkpoint.Entry{{ID: id, Title: "\xfe\x00 title"}}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for r, err := range s.Records(t.Context(), filesTask, checkpoint.Pending) {
		if err != nil || r.Title != "\xfe\x00 title" {
			t.Fatalf("%q, %v", r.Title, err)
		}
		got = append(got, r.ID)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", ids) {
		t.Errorf("%q", got)
	}
	listed(t, s)
}

// No test can cut the power; that every commit waits for the disk is asked of SQLite.
func TestCommitsWaitForTheDisk(t *testing.T) {
	s := mustOpen(t, filled(t, "state.db", Options{}, 0), Options{})
	var mode string
	var synchronous int
	err := s.writer.write(t.Context(), func(ctx context.Context, _ *session) error {
		return errors.Join(s.writer.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode),
			s.writer.conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&synchronous))
	})
	if err != nil || mode != "wal" || synchronous != 2 {
		t.Errorf("journal_mode=%s, synchronous=%d, %v", mode, synchronous, err)
	}
}

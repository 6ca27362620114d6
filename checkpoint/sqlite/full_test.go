package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// pages lets the file grow no more than to n pages, as a full disk would; 0 lifts it. It runs among the writer's
// operations, since the connection is theirs.
func pages(t *testing.T, s *Store, n int) {
	t.Helper()
	if n == 0 {
		n = 1 << 30
	}
	// Within a transaction the limit holds all the same.
	err := s.writer.write(t.Context(), func(ctx context.Context, _ *session) error {
		var now int
		return s.writer.conn.QueryRowContext(ctx, fmt.Sprintf("PRAGMA max_page_count=%d", n)).Scan(&now)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// listUntilFull has several goroutines list and settle pages until one call fails; it returns the ids of what was
// acknowledged and the first error.
func listUntilFull(t *testing.T, l checkpoint.Ledger, round int) (acked []string, failed error) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for page := range 200 {
				ids, err := settlePage(t.Context(), l, (round*10+w)*1_000_000+page*20)
				mu.Lock()
				acked = append(acked, ids...)
				if err != nil && failed == nil {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return acked, failed
}

func settlePage(ctx context.Context, l checkpoint.Ledger, from int) (acked []string, err error) {
	records, err := l.Enlist(ctx, 1, entries(from, 20))
	if err != nil {
		return nil, err
	}
	for i, r := range records {
		n := checkpoint.Node{ID: r.ID, Wanted: "Untitled"}
		if _, err := l.Reserve(ctx, checkpoint.Reservation{Node: n, Names: numbered("Untitled")}); err != nil {
			return acked, err
		}
		done(&r, i)
		if err := l.Settle(ctx, r.ID, r); err != nil {
			return acked, err
		}
		acked = append(acked, r.ID)
	}
	return acked, nil
}

func checkAcked(t *testing.T, s *Store, l checkpoint.Ledger, acked []string) {
	t.Helper()
	names := make(map[string]bool)
	for _, id := range acked {
		r, ok, err := l.Record(t.Context(), id)
		if err != nil || !ok || !r.State.Final() {
			t.Fatalf("%s was acknowledged and is %v (%v, %v)", id, r.State, ok, err)
		}
		lies, _, ok, err := l.Where(t.Context(), id)
		if err != nil || !ok || names[lies[0]] {
			t.Fatalf("%s was acknowledged and lies at %q (%v, %v)", id, lies, ok, err)
		}
		names[lies[0]] = true
	}
	if n := listed(t, s); n < int64(len(acked)) {
		t.Errorf("%d acknowledged, %d listed", len(acked), n)
	}
}

// When there is no room, it is said; what was acknowledged is there, and when there is room again it goes on.
func TestNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{})
	l := mustBegin(t, s)
	var acked []string
	for round := range 3 {
		pages(t, s, 60+round*100)
		more, err := listUntilFull(t, l, round)
		if err == nil || !strings.Contains(err.Error(), "full") || !strings.Contains(err.Error(), path) {
			t.Fatalf("round %d: %v", round, err)
		}
		if acked = append(acked, more...); len(acked) == 0 {
			t.Fatal("nothing was written before it was full")
		}
		checkAcked(t, s, l, acked)
	}
	pages(t, s, 0)
	more, err := settlePage(t.Context(), l, 90_000_000)
	if err != nil {
		t.Fatalf("after there is room again: %v", err)
	}
	acked = append(acked, more...)
	mustClose(t, s)
	s = mustOpen(t, path, Options{})
	checkAcked(t, s, mustBegin(t, s), acked)
}

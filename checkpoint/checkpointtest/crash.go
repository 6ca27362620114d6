package checkpointtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// childPlace names the environment variable that makes the test program a writer that waits to be killed.
const childPlace = "CHECKPOINTTEST_PLACE"

// killed kills a process again and again while it writes. What it acknowledged must be there, and nothing by halves.
func killed(t *testing.T, b Backend) {
	place := b.Place(t)
	const rounds = 6
	for round := range rounds {
		acked := writeUntilKilled(t, place, 50+rand.IntN(800))
		store, err := b.Open(t.Context(), place)
		if err != nil {
			t.Fatalf("round %d: open after a kill: %v", round, err)
		}
		afterKill(t, store, acked)
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
}

// writeUntilKilled starts a writer, kills it after some acknowledgements and returns all that it gave.
func writeUntilKilled(t *testing.T, place string, after int) (acked []string) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childPlace+"="+place)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acked = append(acked, lines.Text())
		if len(acked) == after {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	if len(acked) < after {
		t.Fatalf("the writer ended by itself after %d acknowledgements", len(acked))
	}
	return acked
}

func afterKill(t *testing.T, store checkpoint.Store, acked []string) {
	l, err := store.Begin(t.Context(), mailTask, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range acked {
		r, ok, err := l.Record(t.Context(), id)
		if err != nil || !ok || r.State != checkpoint.Copied {
			t.Errorf("%s was acknowledged and is %v (%v, %v)", id, r.State, ok, err)
		}
	}
	for r, err := range store.Records(t.Context(), mailTask) {
		if err != nil {
			t.Fatal(err)
		}
		_, _, lies, err := l.Where(t.Context(), r.ID)
		if err != nil || lies != (r.State == checkpoint.Copied) {
			t.Errorf("%s is %v and lies somewhere: %v (%v)", r.ID, r.State, lies, err)
		}
	}
	if st := statusOf(t, store, mailTask); !st.Balanced() {
		t.Errorf("not balanced: %+v", st)
	}
}

// child writes with several goroutines until it is killed, and prints each id when it is acknowledged.
func child(b Backend, place string) int {
	ctx := context.Background()
	store, err := b.Open(ctx, place)
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	l, err := store.Begin(ctx, mailTask, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			err := writeForever(ctx, l, fmt.Sprintf("%d-%d", os.Getpid(), w))
			fmt.Fprintln(os.Stderr, "child:", err)
		})
	}
	wg.Wait()
	return 1
}

// writeForever lists a page, then settles its items one by one, each together with its record.
func writeForever(ctx context.Context, l checkpoint.Ledger, prefix string) error {
	for page := 0; ; page++ {
		var entries []checkpoint.Entry
		for i := range 10 {
			entries = append(entries, checkpoint.Entry{ID: fmt.Sprintf("%s-%d-%d", prefix, page, i)})
		}
		records, err := l.Enlist(ctx, 1, entries)
		if err != nil {
			return err
		}
		for _, r := range records {
			n := checkpoint.Node{ID: r.ID, Wanted: r.ID}
			if _, err := l.Reserve(ctx, checkpoint.Reservation{Node: n, Names: names(r.ID)}); err != nil {
				return err
			}
			r.State, r.Bytes = checkpoint.Copied, 1
			if err := l.Settle(ctx, r.ID, r); err != nil {
				return err
			}
			// One write system call for each line: nothing is acknowledged by halves.
			if _, err := os.Stdout.WriteString(r.ID + "\n"); err != nil {
				return err
			}
		}
	}
}

// exclusive opens a place twice.
func exclusive(t *testing.T, b Backend) {
	if !b.Exclusive {
		t.Skip("several writers may share this store")
	}
	s := newBench(t, b)
	for range 2 {
		if other, err := b.Open(t.Context(), s.place); !errors.Is(err, checkpoint.ErrLocked) {
			if err == nil {
				_ = other.Close()
			}
			t.Fatalf("a second opener got %v", err)
		}
	}
	s.save(s.enlist("x")...)
	s.reopen()
}

// view reads while another store writes, and cannot write.
func view(t *testing.T, b Backend) {
	s := newBench(t, b)
	s.enlist("x", "y")
	v, err := b.View(t.Context(), s.place)
	if err != nil {
		t.Fatal(err)
	}
	if st := statusOf(t, v, mailTask); st.Listed != 2 {
		t.Errorf("a view sees %+v", st)
	}
	s.enlist("z")
	if st := statusOf(t, v, mailTask); st.Listed != 3 {
		t.Errorf("a view does not see what was written since: %+v", st)
	}
	if _, err := v.Begin(t.Context(), mailTask, ""); err == nil {
		t.Error("a view can begin a task")
	}
	n := 0
	for _, err := range v.Records(t.Context(), mailTask, checkpoint.Pending) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("a view yields %d records", n)
	}
	if err := v.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	s.reopen()
}

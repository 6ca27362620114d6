package checkpointtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

func ids(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("id-%05d", i))
	}
	return out
}

// recordsComeBack saves a record with every field set and reads it in each way, before and after a restart.
func recordsComeBack(t *testing.T, b Backend) {
	s := newBench(t, b)
	got := s.enlist("x", "x", "y")
	if len(got) != 3 || got[0].ID != "x" || got[1].ID != "x" || got[2].ID != "y" || got[2].State != checkpoint.Pending {
		t.Fatalf("enlist: %+v", got)
	}
	want := checkpoint.Record{
		ID: "x", Version: "v", State: checkpoint.CopiedWithLosses, Reason: "r", Message: "m\nline \x1b[31m", Title: "T\x00", Link: "https://l",
		Losses:   []checkpoint.Loss{{Reason: "a.b", Detail: "d"}, {Reason: "a.b"}, {Reason: "c.d", Detail: `"'`}},
		Location: "dir/x", ReceiptVersion: "etag", BodyVersion: "body", ReceiptState: `{"more":1}`,
		Bytes: 5 << 30, Digest: "sha256:00", Attempts: 3, Generation: 1,
	}
	s.save(want)
	for range 2 {
		r, ok, err := s.l.Record(t.Context(), "x")
		if diff := cmp.Diff(want, r); err != nil || !ok || diff != "" {
			t.Fatalf("record: %v, %v (-want +got):\n%s", ok, err, diff)
		}
		if diff := cmp.Diff([]checkpoint.Record{want, got[2]}, s.all(mailTask), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("records (-want +got):\n%s", diff)
		}
		if st := s.status(); st.Listed != 2 || st.Reasons["a.b"] != 1 || st.Reasons["c.d"] != 1 || !st.Balanced() {
			t.Fatalf("status %+v", st)
		}
		s.reopen()
	}
	if _, ok, err := s.l.Record(t.Context(), "nothing"); ok || err != nil {
		t.Errorf("unknown record: %v, %v", ok, err)
	}
	if id, err := s.l.AtLocation(t.Context(), "nowhere"); id != "" || err != nil {
		t.Errorf("unknown location: %q, %v", id, err)
	}
}

// pagesOfRecords reads more records than any page holds, in order, wholly and by state.
func pagesOfRecords(t *testing.T, b Backend) {
	const n = 2345
	s := newBench(t, b)
	records := s.enlist(ids(n)...)
	for i := range records {
		records[i].State = checkpoint.Copied
		if i%3 == 0 {
			records[i].State = checkpoint.Failed
		}
	}
	s.save(records...)
	if diff := cmp.Diff(records, s.all(mailTask), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if got := len(s.all(mailTask, checkpoint.Failed)); got != (n+2)/3 {
		t.Errorf("%d failed, want %d", got, (n+2)/3)
	}
	if got := len(s.all(mailTask, checkpoint.Failed, checkpoint.Copied)); got != n {
		t.Errorf("%d copied or failed, want %d", got, n)
	}
	seen := 0
	for _, err := range s.store.Records(t.Context(), mailTask) {
		if err != nil {
			t.Fatal(err)
		}
		if seen++; seen == 700 {
			break
		}
	}
	if got := len(s.all(checkpoint.Task{Account: "nobody"})); got != 0 {
		t.Errorf("%d records of an unknown task", got)
	}
}

func position(t *testing.T, b Backend) {
	s := newBench(t, b)
	until := time.Now().Add(time.Hour)
	p := checkpoint.Position{Cursor: "c", Generation: 7, Complete: true, Error: "stopped", Until: until}
	if err := s.l.Advance(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	s.reopen()
	st, err := s.l.Status(t.Context())
	if err != nil || st.Cursor != "c" || st.Generation != 7 || !st.Complete || st.Error != "stopped" || !st.Until.Equal(until) || st.Name != "Name" {
		t.Errorf("status %+v, %v", st, err)
	}
	if err := s.l.Advance(t.Context(), checkpoint.Position{}); err != nil {
		t.Fatal(err)
	}
	if st := s.status(); st.Cursor != "" || st.Complete || st.Error != "" || !st.Until.IsZero() {
		t.Errorf("status after a reset: %+v", st)
	}
}

// fencing has a second worker take the task over: the first one writes nothing more.
func fencing(t *testing.T, b Backend) {
	s := newBench(t, b)
	old := s.l
	r := s.enlist("x")[0]
	s.l = s.begin(mailTask)
	r.State = checkpoint.Copied
	node := checkpoint.Reservation{Node: checkpoint.Node{ID: "x", Wanted: "x"}, Names: names("x")}
	for what, do := range map[string]func() error{
		"save":    func() error { return old.Save(t.Context(), r) },
		"advance": func() error { return old.Advance(t.Context(), checkpoint.Position{Cursor: "old"}) },
		"enlist": func() error {
			_, err := old.Enlist(t.Context(), 1, []checkpoint.Entry{{ID: "y"}})
			return err
		},
		"reserve": func() error { _, err := old.Reserve(t.Context(), node); return err },
		"settle":  func() error { return old.Settle(t.Context(), "x", r) },
		"forget":  func() error { return old.Forget(t.Context(), "x") },
	} {
		if err := do(); !errors.Is(err, checkpoint.ErrFenced) {
			t.Errorf("%s through a ledger that was taken over: %v", what, err)
		}
	}
	if st := s.status(); st.Listed != 1 || st.Counts[checkpoint.Pending] != 1 || st.Cursor != "" {
		t.Errorf("a fenced ledger wrote: %+v", st)
	}
	s.save(r)
}

// concurrentSavers has many goroutines list and save at once.
func concurrentSavers(t *testing.T, b Backend) {
	const workers, each = 32, 40
	s := newBench(t, b)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				if err := enlistAndSave(t.Context(), s.l, fmt.Sprintf("%d-%d", w, i)); err != nil {
					t.Errorf("worker %d: %v", w, err)
					return
				}
			}
		})
	}
	wg.Wait()
	st := s.status()
	if st.Listed != workers*each || st.Counts[checkpoint.Copied] != workers*each || st.Bytes != workers*each*7 {
		t.Errorf("status %+v", st)
	}
}

func enlistAndSave(ctx context.Context, l checkpoint.Ledger, id string) error {
	// All workers list the same page as well: it is counted once.
	got, err := l.Enlist(ctx, 1, []checkpoint.Entry{{ID: id}, {ID: "0-0"}})
	if err != nil {
		return err
	}
	r := got[0]
	r.State, r.Bytes = checkpoint.Copied, 7
	if err := l.Save(ctx, r); err != nil {
		return err
	}
	back, ok, err := l.Record(ctx, id)
	if err != nil {
		return err
	}
	if !ok || back.State != checkpoint.Copied {
		return fmt.Errorf("own record after Save: %+v, %v", back, ok)
	}
	return nil
}

// allOrNothing turns all records from one state to another in single calls; a reader sees one or the other alone.
func allOrNothing(t *testing.T, b Backend) {
	const n = 200
	s := newBench(t, b)
	records := s.enlist(ids(n)...)
	v, err := b.View(t.Context(), s.place)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := v.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for round := range 30 {
			for i := range records {
				records[i].State = []checkpoint.State{checkpoint.Copied, checkpoint.Failed}[round%2]
			}
			if err := s.l.Save(context.Background(), records...); err != nil {
				t.Errorf("save: %v", err)
			}
		}
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		st := statusOf(t, v, mailTask)
		if c := st.Counts; !st.Balanced() || c[checkpoint.Pending]%n+c[checkpoint.Copied]%n+c[checkpoint.Failed]%n != 0 {
			t.Fatalf("a reader saw half of a call: %v", c)
		}
	}
}

// failureStaysAlone mixes calls that fail with calls that do not.
func failureStaysAlone(t *testing.T, b Backend) {
	s := newBench(t, b)
	records := s.enlist(ids(60)...)
	var wg sync.WaitGroup
	for i, r := range records {
		wg.Go(func() {
			if i%2 == 0 {
				r.State = checkpoint.Copied
				if err := s.l.Save(context.Background(), r); err != nil {
					t.Errorf("save beside failures: %v", err)
				}
				return
			}
			good := checkpoint.Reservation{Node: checkpoint.Node{ID: r.ID, Wanted: "same"}, Names: names("name of " + r.ID)}
			bad := checkpoint.Reservation{Node: checkpoint.Node{ID: "bad" + r.ID, Wanted: "none"}, Names: names()}
			if _, err := s.l.Reserve(context.Background(), good, bad); err == nil {
				t.Error("a place without a name was reserved")
			}
		})
	}
	wg.Wait()
	if st := s.status(); st.Counts[checkpoint.Copied] != 30 || !st.Balanced() {
		t.Errorf("status %+v", st)
	}
	for _, r := range records {
		if _, reserved, ok, err := s.l.Where(t.Context(), r.ID); ok || reserved != nil || err != nil {
			t.Fatalf("a call that failed left a place: %q, %v", reserved, err)
		}
	}
}

// cancelledBefore calls with a context that has ended: what returns an error did nothing.
func cancelledBefore(t *testing.T, b Backend) {
	s := newBench(t, b)
	r := s.enlist("x")[0]
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.State = checkpoint.Copied
	err := s.l.Save(ctx, r)
	got, _, rerr := s.l.Record(t.Context(), "x")
	if rerr != nil {
		t.Fatal(rerr)
	}
	if saved := got.State == checkpoint.Copied; saved != (err == nil) {
		t.Errorf("save returned %v, saved: %v", err, saved)
	}
}

// writeWhileReading saves each record that a running iteration yields.
func writeWhileReading(t *testing.T, b Backend) {
	const n = 1200
	s := newBench(t, b)
	s.enlist(ids(n)...)
	seen := 0
	for r, err := range s.store.Records(t.Context(), mailTask, checkpoint.Pending) {
		if err != nil {
			t.Fatal(err)
		}
		seen++
		r.State = checkpoint.Copied
		s.save(r)
	}
	if st := s.status(); seen != n || st.Counts[checkpoint.Copied] != n {
		t.Errorf("%d seen, status %+v", seen, st)
	}
}

// tasksAreApart holds the same ids in several tasks.
func tasksAreApart(t *testing.T, b Backend) {
	s := newBench(t, b)
	tasks := []checkpoint.Task{
		{Account: "a@x", Kind: "calendar", Collection: "c1"}, {Account: "a@x", Kind: "calendar", Collection: "c2"},
		{Account: "a@x", Kind: "files"}, {Account: "b@x", Kind: "files"},
	}
	for i, task := range tasks {
		s.l = s.begin(task)
		r := s.enlist(ids(i + 1)...)[0]
		r.State, r.Location, r.Bytes = checkpoint.Copied, "same place", int64(i)
		s.save(r)
		if id, err := s.l.AtLocation(t.Context(), "same place"); err != nil || id != r.ID {
			t.Errorf("location in %v: %q, %v", task, id, err)
		}
		if shared, err := s.l.Shared(t.Context(), "same place", r.ID); shared != (i == 1 || i == 2) || err != nil {
			t.Errorf("in %v the location is shared: %v, %v", task, shared, err)
		}
		if shared, err := s.l.Shared(t.Context(), "same place", "another"); !shared || err != nil {
			t.Errorf("in %v the location is somebody's: %v, %v", task, shared, err)
		}
		if shared, err := s.l.Shared(t.Context(), "nowhere", "another"); shared || err != nil {
			t.Errorf("in %v nowhere is shared: %v, %v", task, shared, err)
		}
		reserve(t, s.l, r.ID, "", "same name", "same name")
		settle(t, s.l, r.ID)
	}
	all, err := s.store.Tasks(t.Context())
	if err != nil || len(all) != len(tasks)+1 {
		t.Fatalf("%d tasks, %v", len(all), err)
	}
	all = slices.DeleteFunc(all, func(st checkpoint.Status) bool { return st.Task == mailTask })
	for i, task := range tasks {
		if st := all[i]; st.Task != task || st.Listed != int64(i+1) || st.Bytes != int64(i) || !st.Balanced() {
			t.Errorf("task %d: %+v, want %v", i, st, task)
		}
	}
}

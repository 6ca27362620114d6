package checkpointtest

import (
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// sealed closes a job and opens it again; both are remembered, and exported along.
func sealed(t *testing.T, b Backend) {
	s := newBench(t, b)
	want := func(at time.Time) {
		t.Helper()
		got, err := s.store.Sealed(t.Context())
		if err != nil || !got.Equal(at) {
			t.Errorf("closed at %v, %v, want %v", got, err, at)
		}
	}
	want(time.Time{})
	open := export(t, s.store)
	at := time.Date(2027, 1, 2, 3, 4, 5, 678, time.UTC)
	for range 2 {
		if err := s.store.Seal(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		want(at)
	}
	s.reopen()
	want(at)
	if closed := s.wantCopy(); closed == open {
		t.Error("the export does not say that the job is closed")
	}
	if err := s.store.Seal(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	want(time.Time{})
}

// aimed notes where a task's items go: the last note counts, is kept by what is noted besides, and is exported along.
func aimed(t *testing.T, b Backend) {
	s := newBench(t, b)
	want := func(target string) {
		t.Helper()
		st, err := s.l.Status(t.Context())
		all, allErr := s.store.Tasks(t.Context())
		if err != nil || allErr != nil || len(all) != 1 || st.Target != target || all[0].Target != target {
			t.Errorf("it goes to %q, of all %+v, want %q: %v, %v", st.Target, all, target, err, allErr)
		}
	}
	want("")
	for _, target := range []string{"imaps://mail.example.org:993, ada", "imaps://mail.example.net:993, ada"} {
		if err := s.store.Aim(t.Context(), mailTask, target); err != nil {
			t.Fatal(err)
		}
		want(target)
	}
	if err := s.store.Aim(t.Context(), checkpoint.Task{Account: "eve@example.org", Kind: "mail"}, "elsewhere"); err != nil {
		t.Error(err)
	}
	if err := s.l.Advance(t.Context(), checkpoint.Position{Cursor: "5", Complete: true}); err != nil {
		t.Fatal(err)
	}
	s.wantCopy()
	s.reopen()
	want("imaps://mail.example.net:993, ada")
}

package checkpointtest

import (
	"testing"
	"time"
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

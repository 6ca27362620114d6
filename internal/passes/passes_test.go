package passes_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/passes"
)

// TestReadWhatWasAppended, in order, without a line that a crash cut off, and of very many the last ones.
func TestReadWhatWasAppended(t *testing.T) {
	path := passes.Path("pilot", filepath.Join(t.TempDir(), "pilot.db"))
	if all, err := passes.Read(path); err != nil || len(all) != 0 {
		t.Fatalf("%v, %v before the first pass", all, err)
	}
	began := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	add := func(n int64) {
		t.Helper()
		err := passes.Append(path, passes.Pass{Began: began, Ended: began.Add(time.Hour), Written: n, Throttled: map[string]float64{"Gmail, per user": 1.5}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add(1)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("{\"began\": \"20\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	add(2)
	all, err := passes.Read(path)
	if err != nil || len(all) != 2 || all[0].Written != 1 || all[1].Written != 2 || all[1].Throttled["Gmail, per user"] != 1.5 || !all[1].Began.Equal(began) {
		t.Errorf("%+v, %v", all, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for n := range int64(2*passes.Most + 1) {
		add(n + 3)
	}
	all, err = passes.Read(path)
	if err != nil || len(all) != passes.Most || all[passes.Most-1].Written != 2*passes.Most+3 {
		t.Errorf("%d passes, the last wrote %d: %v", len(all), all[len(all)-1].Written, err)
	}
}

package sqlite

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/internal/statefile"
)

// demoJob is the job of which testdata has the states, one of each schema, as a pass over the demo's organisation left
// them. CONTRIBUTING.md says how they were made. They are never made anew.
const demoJob = "google-workspace"

func unzipped(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestStatesOfPastReleases: what a past release remembered of a whole organisation, this one finds, every word of it; and
// what a past release exported, this one imports.
func TestStatesOfPastReleases(t *testing.T) {
	for version := 1; version <= len(migrations); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			name := fmt.Sprintf("demo-%d", version)
			want := unzipped(t, name+".jsonl")
			path := filepath.Join(t.TempDir(), "state.db")
			if err := os.WriteFile(path, []byte(unzipped(t, name+".sqlite")), 0o600); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, path, Options{Job: demoJob})
			wantExport(t, s, want)
			if found := checkOf(t, s); len(found) > 0 {
				t.Errorf("it does not add up: %+v", found)
			}
			goOnWith(t, s)
			copied := filepath.Join(t.TempDir(), "state.db")
			err := Create(t.Context(), copied, Options{Job: demoJob}, func(s checkpoint.Store) error {
				_, err := statefile.Import(t.Context(), strings.NewReader(want), demoJob, s)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			wantExport(t, mustOpen(t, copied, Options{Job: demoJob}), want)
		})
	}
}

// wantExport compares an export line by line.
func wantExport(t *testing.T, s *Store, want string) {
	t.Helper()
	var b strings.Builder
	if err := statefile.Export(t.Context(), &b, demoJob, s); err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(b.String(), "\n"), strings.Split(want, "\n")
	for i := range min(len(got), len(wanted)) {
		if got[i] != wanted[i] {
			t.Fatalf("line %d is\n%s\nand should be\n%s", i+1, got[i], wanted[i])
		}
	}
	if len(got) != len(wanted) || len(got) < 200 {
		t.Errorf("%d lines, want %d", len(got), len(wanted))
	}
}

// goOnWith has the next pass of a task begin.
func goOnWith(t *testing.T, s *Store) {
	t.Helper()
	all, err := s.Tasks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Begin(t.Context(), all[0].Task, all[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	records, err := l.Enlist(t.Context(), all[0].Generation, []checkpoint.Entry{{ID: "an item of today"}})
	if err != nil || len(records) != 1 {
		t.Fatal(records, err)
	}
	if err := l.Save(t.Context(), records...); err != nil {
		t.Error(err)
	}
}

package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// leftIn returns the names of the files in a folder, but for locks.
func leftIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if !strings.HasSuffix(e.Name(), ".lock") {
			names = append(names, e.Name())
		}
	}
	return names
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for _, left := range []string{".new", ".new-journal", ".new-wal", ".new.new"} {
		if err := os.WriteFile(path+left, []byte("half a file"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := Create(t.Context(), path, Options{Job: "example"}, func(s checkpoint.Store) error {
		l, err := s.Begin(t.Context(), filesTask, "Drive")
		if err == nil {
			enlistMany(t, l, 3000)
		}
		if _, missing := os.Stat(path); !errors.Is(missing, os.ErrNotExist) {
			t.Error("the file has its name before it is whole")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := leftIn(t, filepath.Dir(path)); len(left) != 1 {
		t.Errorf("there are %q", left)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", info, err)
	}
	if n := listed(t, mustOpen(t, path, Options{Job: "example"})); n != 3000 {
		t.Errorf("%d records", n)
	}
}

// What cannot be filled leaves nothing, and what is there stays.
func TestCreateRefuses(t *testing.T) {
	boom := errors.New("boom")
	path := filepath.Join(t.TempDir(), "state.db")
	err := Create(t.Context(), path, Options{}, func(s checkpoint.Store) error {
		l, err := s.Begin(t.Context(), filesTask, "Drive")
		if err != nil {
			return err
		}
		enlistMany(t, l, 100)
		return boom
	})
	if left := leftIn(t, filepath.Dir(path)); !errors.Is(err, boom) || len(left) > 0 {
		t.Errorf("%v leaves %q", err, left)
	}
	for name, content := range map[string]string{"state.db": "anything", "state.db-wal": "log"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Create(t.Context(), filepath.Join(dir, "state.db"), Options{}, func(checkpoint.Store) error {
			t.Error("it is filled")
			return nil
		})
		if !errors.Is(err, os.ErrExist) || mustRead(t, filepath.Join(dir, name)) != content || len(leftIn(t, dir)) != 1 {
			t.Errorf("beside %s: %v, %q", name, err, leftIn(t, dir))
		}
	}
	held := filepath.Join(t.TempDir(), "state.db")
	mustOpen(t, held, Options{})
	if err := Create(t.Context(), held, Options{}, nil); !errors.Is(err, checkpoint.ErrLocked) {
		t.Errorf("while a run is under way: %v", err)
	}
}

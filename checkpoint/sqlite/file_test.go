package sqlite

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

func execIn(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := connect(path, "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t *testing.T, path string, at int64, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is not to be touched is refused with a reason, and not a byte of it changes.
func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		make    func(t *testing.T, path string)
		says    string
		foreign bool
		viewed  bool // a view does not look for this damage
	}{
		{"text", func(t *testing.T, p string) {
			if err := os.WriteFile(p, []byte(strings.Repeat("job: example\n", 500)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "another program", true, false},
		{"one byte", func(t *testing.T, p string) {
			if err := os.WriteFile(p, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "", true, false},
		{"another program's database", func(t *testing.T, p string) { execIn(t, p, "CREATE TABLE notes (text)") }, "another program", true, false},
		{"another program's database in WAL mode", func(t *testing.T, p string) {
			execIn(t, p, "PRAGMA journal_mode=WAL", "CREATE TABLE notes (text)")
		}, "another program", true, false},
		{"newer", func(t *testing.T, p string) { execIn(t, copied(t, p), "PRAGMA user_version=99") }, "newer release (schema 99", true, false},
		{"version lost", func(t *testing.T, p string) { execIn(t, copied(t, p), "PRAGMA user_version=0") }, "damaged", true, false},
		{"another job's", func(t *testing.T, p string) { execIn(t, copied(t, p), "UPDATE job SET name='other'") }, `belongs to the job "other", not to "example": give each job`, false, false},
		{"no job", func(t *testing.T, p string) { execIn(t, copied(t, p), "DROP TABLE job") }, "damaged", true, false},
		{"cut to half", func(t *testing.T, p string) { truncate(t, copied(t, p), 2) }, "damaged", true, false},
		{"cut to a page", func(t *testing.T, p string) { truncate(t, copied(t, p), 1<<30) }, "damaged", true, false},
		{"overwritten within", func(t *testing.T, p string) {
			overwrite(t, copied(t, p), 40*4096, strings.Repeat("\xff", 3*4096))
		}, "damaged", true, true},
		{"overwritten beginning", func(t *testing.T, p string) { overwrite(t, copied(t, p), 0, strings.Repeat("\x00", 100)) }, "beginning is lost", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			c.make(t, path)
			before := mustRead(t, path)
			for how, open := range map[string]func(context.Context, string, Options) (*Store, error){"Open": Open, "OpenView": OpenView, "OpenCopy": OpenCopy} {
				if c.viewed && how != "Open" {
					continue
				}
				s, err := open(t.Context(), path, Options{Job: "example"})
				if err == nil {
					mustClose(t, s)
					t.Fatalf("%s takes it", how)
				}
				if errors.Is(err, ErrForeign) != c.foreign || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s says: %v", how, err)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("%s says it on several lines: %q", how, err)
				}
				if mustRead(t, path) != before {
					t.Fatalf("%s changed the file", how)
				}
			}
		})
	}
}

// copied puts a state file at the path.
func copied(t *testing.T, path string) string {
	t.Helper()
	if err := os.Rename(filled(t, "made.db", Options{Job: "example"}, 1500), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// truncate cuts a file to a part of it, a page at least.
func truncate(t *testing.T, path string, part int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, max(info.Size()/part/4096, 1)*4096); err != nil {
		t.Fatal(err)
	}
}

func TestPlacesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "gone", "state.db"), filepath.Join(dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "lonely.db-wal"), []byte("log"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		filepath.Join(dir, "missing", "state.db"): "no such file",
		filepath.Join(dir, "link.db"):             "no such file",
		filepath.Join(dir, "lonely.db"):           "put the file back",
		dir:                                       "directory",
	} {
		s, err := Open(t.Context(), path, Options{})
		if err == nil {
			mustClose(t, s)
			t.Errorf("%s opens", path)
		} else if !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := OpenView(t.Context(), filepath.Join(dir, "none.db"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a view of nothing: %v", err)
	}
	if mustRead(t, filepath.Join(dir, "lonely.db-wal")) != "log" {
		t.Error("a log without its file was touched")
	}
}

func TestPathsWithOddNames(t *testing.T) {
	for _, name := range []string{"a?mode=memory", "a#b", "with space", "100%", "%2e%2f", "ü \u202e", "a:b", "a&b=c;d", `back\slash`, "'quote\""} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, name, Options{Job: name}, 3)
			if info, err := os.Stat(path); err != nil || info.Size() == 0 {
				t.Fatalf("the file is not there: %v", err)
			}
			for _, open := range []func(context.Context, string, Options) (*Store, error){OpenView, OpenCopy, Open} {
				s, err := open(t.Context(), path, Options{Job: name})
				if err != nil {
					t.Fatal(err)
				}
				if n := listed(t, s); n != 3 {
					t.Errorf("%d records", n)
				}
				mustClose(t, s)
			}
		})
	}
}

func TestRelativePathAndLink(t *testing.T) {
	t.Chdir(t.TempDir())
	s := mustOpen(t, "state.db", Options{})
	if err := os.Symlink("state.db", "link.db"); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "link.db", Options{}); !errors.Is(err, checkpoint.ErrLocked) || !strings.Contains(err.Error(), "link.db") {
		t.Errorf("the same file by another name: %v", err)
	}
	mustClose(t, s)
	mustClose(t, mustOpen(t, "link.db", Options{}))
}

func TestEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenView(t.Context(), path, Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a view: %v", err)
	}
	c, err := OpenCopy(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	enlistMany(t, mustBegin(t, c), 2)
	mustClose(t, c)
	if mustRead(t, path) != "" {
		t.Error("a copy wrote to it")
	}
	s := mustOpen(t, path, Options{})
	enlistMany(t, mustBegin(t, s), 2)
	if n := listed(t, s); n != 2 {
		t.Errorf("%d records", n)
	}
}

func TestNewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	// What a crash in the first moment leaves is in nobody's way.
	for _, left := range []string{".new", ".new-journal", ".new-wal"} {
		if err := os.WriteFile(path+left, []byte("half a file"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := mustOpen(t, path, Options{})
	for _, name := range []string{path, path + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("others may read %s: %v", name, info.Mode())
		}
	}
	mustClose(t, s)
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Errorf("beside the file and its lock there is something left: %v", left)
	}
}

func TestCopyIsApart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{Job: "example"})
	l := mustBegin(t, s)
	enlistMany(t, l, 100) // in the write-ahead log alone, as yet
	c, err := OpenCopy(t.Context(), path, Options{Job: "example"})
	if err != nil {
		t.Fatal(err)
	}
	if n := listed(t, c); n != 100 {
		t.Errorf("the copy holds %d records", n)
	}
	enlistMany(t, mustBegin(t, c), 200)
	if a, b := listed(t, s), listed(t, c); a != 100 || b != 200 {
		t.Errorf("%d in the file and %d in the copy", a, b)
	}
	if _, err := l.Enlist(t.Context(), 1, entries(500, 1)); err != nil {
		t.Errorf("the file's own ledger: %v", err)
	}
	mustClose(t, c)
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("the copy stays: %v, %v", left, err)
	}
}

func TestOtherProcessHoldsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	other := startOther(t, path)
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, checkpoint.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second opener: %v", err)
	}
	for _, open := range []func(context.Context, string, Options) (*Store, error){OpenView, OpenCopy} {
		v, err := open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if n := listed(t, v); n != 500 {
			t.Errorf("%d records are seen while it writes", n)
		}
		mustClose(t, v)
	}
	killOther(other)
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the killed process left no log: %v", err)
	}
	v, err := OpenView(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path, Options{})
	if a, b := listed(t, v), listed(t, s); a != 500 || b != 500 {
		t.Errorf("after the kill a view has %d records and the store %d", a, b)
	}
	enlistMany(t, mustBegin(t, s), 600)
	if n := listed(t, v); n != 600 {
		t.Errorf("the view from before sees %d records", n)
	}
	mustClose(t, s)
	mustClose(t, v)
}

// A damaged log loses what stands in it from there on, and nothing else.
func TestDamagedLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	killOther(startOther(t, path))
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path+"-wal", info.Size()*9/10, strings.Repeat("\xff", 64))
	s := mustOpen(t, path, Options{})
	if n := listed(t, s); n > 500 {
		t.Errorf("%d records", n)
	}
	enlistMany(t, mustBegin(t, s), 500)
	if n := listed(t, s); n != 500 {
		t.Errorf("%d records after all were listed again", n)
	}
	mustClose(t, s)
	mustClose(t, mustOpen(t, path, Options{})) // the whole file is checked again
}

var update = flag.Bool("update", false, "write testdata anew")

// Files of every past schema open, and what stands in them is there. A fixture is never written anew once it is released.
func TestPastSchemas(t *testing.T) {
	for version := 1; version <= len(migrations); version++ {
		fixture := filepath.Join("testdata", fmt.Sprintf("schema-%d.sqlite", version))
		if *update && version == len(migrations) {
			writeFixture(t, fixture)
		}
		path := filepath.Join(t.TempDir(), "state.db")
		if err := os.WriteFile(path, []byte(mustRead(t, fixture)), 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, path, Options{Job: "example"})
		if n := listed(t, s); n != 30 {
			t.Errorf("schema %d: %d records", version, n)
		}
		l := mustBegin(t, s)
		if st, err := l.Status(t.Context()); err != nil || st.Cursor != "cursor" || !st.Complete || st.Generation != 1 {
			t.Errorf("schema %d: %+v, %v", version, st, err)
		}
		want := checkpoint.Record{ID: entries(0, 1)[0].ID, Title: entries(0, 1)[0].Title, Link: entries(0, 1)[0].Link, Generation: 1}
		done(&want, 0)
		if r, ok, err := l.Record(t.Context(), want.ID); err != nil || !ok || fmt.Sprint(r) != fmt.Sprint(want) {
			t.Errorf("schema %d: %+v, %v; want %+v", version, r, err, want)
		}
		if lies, reserved, ok, err := l.Where(t.Context(), "letter"); err != nil || !ok || strings.Join(lies, "/") != "Board/Letter.pdf" || strings.Join(reserved, "/") != "Board/Letter (2).pdf" {
			t.Errorf("schema %d: %q, %q, %v", version, lies, reserved, err)
		}
		if _, err := l.Enlist(t.Context(), 2, entries(0, 40)); err != nil || listed(t, s) != 40 {
			t.Errorf("schema %d: it cannot be gone on with: %v", version, err)
		}
	}
}

func writeFixture(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path)
	s := mustOpen(t, path, Options{Job: "example"})
	l := mustBegin(t, s)
	enlistMany(t, l, 30)
	if err := l.Advance(t.Context(), checkpoint.Position{Cursor: "cursor", Generation: 1, Complete: true}); err != nil {
		t.Fatal(err)
	}
	mustPlace(t, l, checkpoint.Node{ID: "board", Wanted: "Board", Folder: true}, "Board", true)
	mustPlace(t, l, checkpoint.Node{ID: "letter", ParentID: "board", Wanted: "Letter.pdf"}, "Letter.pdf", true)
	mustPlace(t, l, checkpoint.Node{ID: "letter", ParentID: "board", Wanted: "Letter"}, "Letter (2).pdf", false)
	mustClose(t, s)
	_ = os.Remove(path + ".lock")
}

func mustPlace(t testing.TB, l checkpoint.Ledger, n checkpoint.Node, name string, settle bool) {
	t.Helper()
	r := checkpoint.Reservation{Node: n, Names: func(yield func(string) bool) { yield(name) }}
	if _, err := l.Reserve(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	if !settle {
		return
	}
	if err := l.Settle(context.Background(), n.ID, checkpoint.Record{}); err != nil {
		t.Fatal(err)
	}
}

// A view of a file of an older schema says what is to be done.
func TestViewOfAnOlderSchema(t *testing.T) {
	path := filled(t, "state.db", Options{}, 1)
	known := migrations
	migrations = append(migrations[:len(migrations):len(migrations)], "CREATE TABLE more (x);")
	defer func() { migrations = known }()
	if _, err := OpenView(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "brings it up to date") {
		t.Errorf("a view: %v", err)
	}
	c, err := OpenCopy(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, c)
	mustClose(t, mustOpen(t, path, Options{}))
	v, err := OpenView(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, v)
}

// A migration that fails leaves the file at the version that it had.
func TestMigrationFails(t *testing.T) {
	path := filled(t, "state.db", Options{}, 5)
	known := migrations
	migrations = append(migrations[:len(migrations):len(migrations)], "CREATE TABLE more (x); NOT SQL;")
	_, err := Open(t.Context(), path, Options{})
	migrations = known
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("schema to version %d", len(known)+1)) {
		t.Errorf("open: %v", err)
	}
	s := mustOpen(t, path, Options{})
	if n := listed(t, s); n != 5 {
		t.Errorf("%d records", n)
	}
	var more int
	if err := s.read.QueryRowContext(t.Context(), "SELECT count(*) FROM sqlite_schema WHERE name = 'more'").Scan(&more); err != nil || more != 0 {
		t.Errorf("half of a migration stays: %d, %v", more, err)
	}
}

func TestNoGoroutineIsLeft(t *testing.T) {
	before := goleak.IgnoreCurrent()
	path := filled(t, "state.db", Options{Job: "example"}, 20)
	s := mustOpen(t, path, Options{Job: "example"})
	if _, err := Open(t.Context(), path, Options{}); err == nil {
		t.Error("opened twice")
	}
	for _, err := range s.Records(t.Context(), filesTask) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	mustClose(t, s)
	mustClose(t, s)
	for _, open := range []func(context.Context, string, Options) (*Store, error){Open, OpenView, OpenCopy} {
		if _, err := open(t.Context(), path, Options{Job: "another"}); err == nil {
			t.Error("another job's file opens")
		}
		c, err := open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		mustClose(t, c)
	}
	goleak.VerifyNone(t, before)
}

// Cancelled is not damaged.
func TestOpenCancelled(t *testing.T) {
	path := filled(t, "state.db", Options{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, open := range []func(context.Context, string, Options) (*Store, error){Open, OpenView, OpenCopy} {
		if _, err := open(ctx, path, Options{}); !errors.Is(err, context.Canceled) || errors.Is(err, ErrForeign) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if _, err := Open(ctx, filepath.Join(t.TempDir(), "new.db"), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Nothing but the lock appears beside another program's database.
func TestForeignFileGetsNoCompanions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	execIn(t, path, "PRAGMA journal_mode=WAL", "CREATE TABLE notes (text)")
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrForeign) {
		t.Fatalf("open: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 || left[1].Name() != "notes.db.lock" {
		t.Errorf("beside it: %v", left)
	}
}

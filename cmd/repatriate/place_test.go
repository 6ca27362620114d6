package main

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

// TestPlaceOfTheState: a state that cannot lie where the job file has it is a mistake of the job file, with a remedy; plan says so before it
// asks the provider for anything.
func TestPlaceOfTheState(t *testing.T) {
	s := simulated(t, googleOf(sim.Options{}))
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.Job), "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, s.Job, "state: simulation.db", "state: nodir/x.db")
	var asked atomic.Int64
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(provider.Close)
	edit(t, s.Job, `endpoint: "http`, `endpoint: "`+provider.URL+`/http`)
	for _, c := range []struct{ place, do string }{
		{"nodir/x.db", "make the folder, or set state in the job file"},
		{"file/x.db", "set state in the job file"},
	} {
		edit(t, s.Job, "state: nodir/x.db", "state: "+c.place)
		for _, command := range []string{"run", "plan"} {
			text := ran(t, exitUsage, command, s.Job).stderr.String()
			if !strings.Contains(text, c.do) || !strings.Contains(text, filepath.Dir(c.place)) {
				t.Errorf("%s, %s: %s", command, c.place, text)
			}
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
}

// TestRemediesOfPlaces: what the system says of a place has a remedy; other errors stay what they are.
func TestRemediesOfPlaces(t *testing.T) {
	for _, c := range []struct {
		err error
		do  string
	}{
		{syscall.EACCES, "let the user " + userName() + " write there"},
		{syscall.EPERM, "let the user " + userName() + " write there"},
		{syscall.EROFS, "nothing can be written there"},
		{syscall.ENOENT, "make the folder"},
		{syscall.ENOTDIR, "is no folder"},
		{syscall.EIO, ""},
	} {
		is := &fs.PathError{Op: "open", Path: "/a/x.db.lock", Err: c.err}
		got := placed(is)
		if !errors.Is(got, c.err) || !strings.Contains(got.Error(), c.do) {
			t.Errorf("%v: %v", c.err, got)
		}
		want := exitUsage
		if c.do == "" {
			want = exitInternal
		}
		if code := exitCode(t.Context(), got); code != want {
			t.Errorf("%v: exit code %d, want %d", c.err, code, want)
		}
	}
	if placed(nil) != nil {
		t.Error("success is made an error")
	}
}

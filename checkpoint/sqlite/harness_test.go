package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

var filesTask = checkpoint.Task{Account: "ada@example.org", Kind: "files", Collection: "drive"}

func mustOpen(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func mustBegin(t testing.TB, s *Store) checkpoint.Ledger {
	t.Helper()
	l, err := s.Begin(context.Background(), filesTask, "Drive")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// listed returns how many items the store counts, and fails if it does not balance.
func listed(t testing.TB, s *Store) int64 {
	t.Helper()
	all, err := s.Tasks(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, st := range all {
		if !st.Balanced() {
			t.Errorf("not balanced: %+v", st)
		}
		n += st.Listed
	}
	return n
}

// filled makes a state file with some records and returns its path.
func filled(t testing.TB, name string, o Options, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	s := mustOpen(t, path, o)
	enlistMany(t, mustBegin(t, s), n)
	mustClose(t, s)
	return path
}

func mustRead(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// otherProcess names the environment variable that holds the state file in which the other process works.
const otherProcess = "SQLITE_TEST_STATE"

// startOther starts a process that holds the file open with 500 acknowledged records, and returns when it does.
func startOther(t *testing.T, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestOtherProcess$")
	cmd.Env = append(os.Environ(), otherProcess+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { killOther(cmd) })
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the other process says %q", line)
	}
	return cmd
}

func killOther(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// TestOtherProcess is the other process.
func TestOtherProcess(t *testing.T) {
	path := os.Getenv(otherProcess)
	if path == "" {
		t.Skip("this is what other tests start")
	}
	s := mustOpen(t, path, Options{})
	enlistMany(t, mustBegin(t, s), 500)
	fmt.Println("ready")
	select {} // until it is killed
}

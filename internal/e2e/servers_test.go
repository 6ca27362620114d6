package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/realserver"
)

// accounts is how many accounts each server has: enough for each test to have some that no other uses.
const accounts = 400

// password is that of all accounts.
const password = "secret"

// servers are the real servers, started for the first test that needs them and shared by all.
type servers struct {
	mail, files, calendar *realserver.Server
}

// running are the shared servers.
var running struct {
	sync.Mutex
	servers *servers
	stop    []func() error
	used    int
}

// realServers returns the shared servers.
func realServers(tb testing.TB) *servers {
	tb.Helper()
	running.Lock()
	defer running.Unlock()
	if running.servers != nil {
		return running.servers
	}
	who := realserver.Accounts{Count: accounts, Password: password}
	s := &servers{
		mail: startServer(tb, "dovecot", func(dir string) (*realserver.Server, error) {
			return realserver.StartDovecot(dir, realserver.DovecotOptions{Accounts: who})
		}),
		files: startServer(tb, "apache", func(dir string) (*realserver.Server, error) {
			return realserver.StartApache(dir, realserver.ApacheOptions{Accounts: who, DepthInfinity: true})
		}),
		calendar: startServer(tb, "radicale", func(dir string) (*realserver.Server, error) {
			return realserver.StartRadicale(dir, realserver.RadicaleOptions{Accounts: who})
		}),
	}
	running.servers = s
	return s
}

// startServer starts a server in a directory that every system user may enter; a server that is missing skips the test.
func startServer(tb testing.TB, name string, start func(dir string) (*realserver.Server, error)) *realserver.Server {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rs-"+name)
	if err != nil {
		tb.Fatal(err)
	}
	running.stop = append(running.stop, func() error { return os.RemoveAll(dir) })
	server, err := start(dir)
	switch {
	case errors.Is(err, realserver.ErrNotInstalled) && os.Getenv("CI") != "true":
		tb.Skipf("%v (scripts/install-test-deps.sh installs it)", err)
	case err != nil:
		tb.Fatalf("start %s: %v", name, err)
	}
	running.stop = append(running.stop, server.Stop)
	return server
}

func stopServers() error {
	var errs []error
	for i := len(running.stop) - 1; i >= 0; i-- {
		errs = append(errs, running.stop[i]())
	}
	return errors.Join(errs...)
}

// fresh returns the name of an account that is empty on all shared servers.
func fresh(tb testing.TB) string {
	tb.Helper()
	running.Lock()
	defer running.Unlock()
	if running.used++; running.used > accounts {
		tb.Fatal("no accounts are left; raise their number")
	}
	return fmt.Sprintf("u%d", running.used)
}

// sharedData returns the files of a folder of real data that lies beside the repository, in the order of their names.
func sharedData(tb testing.TB, pattern string) []string {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("../../../shared/data", pattern))
	if err != nil {
		tb.Fatal(err)
	}
	if len(paths) == 0 {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the collection %s is missing", pattern)
		}
		tb.Skipf("the collection %s is missing", pattern)
	}
	return paths
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

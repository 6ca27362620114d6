// Package realserver starts real Dovecot, Cyrus, Radicale and Apache mod_dav
// servers for tests, benchmarks and trying things out.
//
// Each server listens on free ports of 127.0.0.1 only, keeps everything it
// writes beneath one directory and runs in the foreground as a child process,
// so that it is ended by its own process handle and never outlives the process
// that started it. The functions named after a server are for tests: they end
// the server with the test and skip the test when the server is not installed,
// unless the environment says CI=true, where that is a failure. A server that
// only root can start as asked, such as an Apache with a quota, skips the test of
// anybody else. The Start functions are for everything else.
//
// The configurations are for Dovecot 2.3, Cyrus 3.6, Radicale 3.1 and
// Apache 2.4, as Debian 12 packages them. scripts/install-test-deps.sh installs
// them.
package realserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ErrNotInstalled is wrapped by the errors of the Start functions when a
// program or module of the server is missing on this machine.
var ErrNotInstalled = errors.New("server is not installed")

// Account is a login and its password.
type Account struct {
	User     string
	Password string
}

// Accounts says which users a server knows. The zero value means eight users,
// u1 to u8, with the password "secret".
type Accounts struct {
	// Count is how many users named u1, u2, … there are; 0 means 8, a negative
	// number none.
	Count int
	// Names are further users, such as "alice" or "alice@example.org". They
	// must not contain colons, slashes or spaces.
	Names []string
	// Password is the password of all of them; empty means "secret".
	Password string
}

// list returns the accounts in order: u1, u2, …, then the further names.
func (a Accounts) list() []Account {
	password := a.Password
	if password == "" {
		password = "secret"
	}
	count := a.Count
	if count == 0 {
		count = 8
	}
	var all []Account
	for i := 1; i <= count; i++ {
		all = append(all, Account{User: fmt.Sprintf("u%d", i), Password: password})
	}
	for _, name := range a.Names {
		all = append(all, Account{User: name, Password: password})
	}
	return all
}

// master is the administrator that every server which has one is given.
var master = Account{User: "admin", Password: "adminsecret"}

// Server is a running server. Fields that do not apply to it are empty.
type Server struct {
	// Name is the program's name: dovecot, cyrus, radicale or apache.
	Name string
	// Dir holds everything the server writes.
	Dir string
	// IMAP and IMAPS are host:port; IMAP offers STARTTLS and plain logins.
	IMAP, IMAPS string
	// HTTP is the root URL without a trailing slash.
	HTTP string
	// CertFile is the self-signed certificate in PEM form, for localhost and
	// 127.0.0.1.
	CertFile string
	// Accounts are all users, u1 first.
	Accounts []Account
	// Master may act for every user. Dovecot: log in as "user*admin", or SASL
	// PLAIN with the user as authorization identity. Cyrus: SASL PLAIN in the
	// same way, or the HTTP header "Authorize-As: user". Apache: may use every
	// user's tree. Radicale has none.
	Master Account

	files, calendars, addressBooks string // URL forms with %s for the user
	launched                       launched
	process                        *process
	cleanup                        []func() error
}

// User returns the i-th account, counted from 1 as in u1.
func (s *Server) User(i int) Account { return s.Accounts[i-1] }

// FilesURL returns the WebDAV root of the user, with a trailing slash.
func (s *Server) FilesURL(user string) string { return expand(s.HTTP, s.files, user) }

// CalendarsURL returns the CalDAV calendar home of the user, with a trailing
// slash. Radicale's home holds address books too.
func (s *Server) CalendarsURL(user string) string { return expand(s.HTTP, s.calendars, user) }

// AddressBooksURL returns the CardDAV home of the user, with a trailing slash.
// Cyrus serves every card as vCard 3.0 unless the request asks for 4.0, by
// "Accept: text/vcard; version=4.0" or the attributes of CARDDAV:address-data.
func (s *Server) AddressBooksURL(user string) string { return expand(s.HTTP, s.addressBooks, user) }

func expand(root, form, user string) string {
	if form == "" {
		return ""
	}
	return root + fmt.Sprintf(form, user)
}

// Log returns the end of what the server logged, at most 8 KiB. Cyrus writes to
// syslog alone, so that only what it says before it opens syslog is here.
func (s *Server) Log() string {
	return tail(filepath.Join(s.Dir, "server.log")) + tail(filepath.Join(s.Dir, "output.log"))
}

// Stop ends the server with SIGTERM, and with SIGKILL when it does not obey
// within ten seconds, and returns when all of its processes are gone. It may be
// called twice.
func (s *Server) Stop() error { return s.end(s.process.stop) }

// Kill ends the server at once with SIGKILL, as a crash would, and returns when
// all of its processes are gone.
func (s *Server) Kill() error { return s.end(s.process.kill) }

func (s *Server) end(process func() error) error { return errors.Join(process(), s.release()) }

// release takes down what was set up beside the process, last first.
func (s *Server) release() error {
	var err error
	for i := len(s.cleanup) - 1; i >= 0; i-- {
		err = errors.Join(err, s.cleanup[i]())
	}
	s.cleanup = nil
	return err
}

// Crash is Kill of a server that Restart brings back: all that it had written
// stays, and so does what was set up beside it.
func (s *Server) Crash() error { return s.process.kill() }

// Halt is Stop of a server that Restart brings back.
func (s *Server) Halt() error { return s.process.stop() }

// Restart starts a server again that Crash or Halt ended, at the same addresses
// and on the same data, and returns when it answers. Somebody else may have
// taken an address meanwhile; that is an error, and Restart may be tried again.
// No other method may be called at the same time.
func (s *Server) Restart() error {
	old := s.launched.cmd
	cmd := exec.Command(old.Path, old.Args[1:]...)
	cmd.Env, cmd.Dir = old.Env, old.Dir
	if old.SysProcAttr != nil {
		attributes := *old.SysProcAttr
		cmd.SysProcAttr = &attributes
	}
	return s.start(cmd)
}

// Done is closed when the server's main process has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// forTest runs start in a directory of its own and ties the server to the test.
// The directory is not tb.TempDir, which servers that drop root cannot enter
// and whose paths are longer than a unix socket's may be.
func forTest(tb testing.TB, name string, start func(dir string) (*Server, error)) *Server {
	tb.Helper()
	dir, err := os.MkdirTemp("", "rs-"+name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("%s: %v", name, err)
		}
	})
	server, err := start(dir)
	if errors.Is(err, ErrNotInstalled) && os.Getenv("CI") != "true" {
		tb.Skipf("%v (scripts/install-test-deps.sh installs it)", err)
	}
	if errors.Is(err, os.ErrPermission) && os.Geteuid() != 0 {
		tb.Skipf("needs root: %v", err)
	}
	if err != nil {
		tb.Fatalf("start %s: %v", name, err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s log:\n%s", name, server.Log())
		}
		if err := server.Stop(); err != nil {
			tb.Errorf("stop %s: %v", name, err)
		}
	})
	return server
}

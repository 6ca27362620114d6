package realserver

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// ApacheOptions are the ways in which an Apache differs from the usual one.
type ApacheOptions struct {
	Accounts
	// MaxBody is the largest request body in bytes (413 beyond); 0 means
	// unlimited.
	MaxBody int64
	// DepthInfinity allows PROPFIND with Depth: infinity.
	DepthInfinity bool
	// Quota puts all data on a file system of that size, such as "20M", which
	// answers 507 when it is full. It needs root and is gone with the server.
	Quota string
}

// Apache starts an Apache with mod_dav for the duration of the test.
func Apache(tb testing.TB, opts ApacheOptions) *Server {
	tb.Helper()
	return forTest(tb, "apache", func(dir string) (*Server, error) { return StartApache(dir, opts) })
}

// StartApache starts an Apache with mod_dav that keeps everything beneath dir,
// which must exist. A user's files are in dir/data/USER.
func StartApache(dir string, opts ApacheOptions) (*Server, error) {
	return startAttempts(func() (*Server, error) { return startApache(dir, opts) })
}

// apacheConf is what conf/httpd.conf.tmpl is rendered with.
type apacheConf struct {
	ApacheOptions
	Dir     string
	Master  Account
	Port    int
	Root    bool
	Modules []string
}

func startApache(dir string, opts ApacheOptions) (*Server, error) {
	const program = "/usr/sbin/apache2"
	if err := needFiles("apache", program, "/usr/lib/apache2/modules/mod_dav.so"); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	conf := apacheConf{
		ApacheOptions: opts, Dir: dir, Master: master, Port: ports[0], Root: os.Geteuid() == 0,
		Modules: []string{"mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "alias", "setenvif", "mime", "dav", "dav_fs", "dav_lock"},
	}
	server := &Server{
		Name: "apache", Dir: dir, HTTP: "http://" + loopback(conf.Port), Accounts: opts.list(), Master: master, files: "/dav/%s/",
	}
	if err := writeApache(server, conf); err != nil {
		return nil, errors.Join(err, server.release())
	}
	cmd := exec.Command(program, "-f", filepath.Join(dir, "httpd.conf"), "-DFOREGROUND")
	return launch(server, cmd, nil, []string{loopback(conf.Port)})
}

func writeApache(s *Server, conf apacheConf) error {
	if err := makeDirs(s.Dir, "data", "var"); err != nil {
		return err
	}
	data := filepath.Join(s.Dir, "data")
	if conf.Quota != "" {
		if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size="+conf.Quota); err != nil {
			return fmt.Errorf("mount a file system of %s at %s: %w", conf.Quota, data, err)
		}
		s.cleanup = append(s.cleanup, func() error { return syscall.Unmount(data, 0) })
	}
	for _, account := range s.Accounts {
		if err := makeDirs(data, account.User); err != nil {
			return err
		}
	}
	hashed := func(a Account) string {
		sum := sha1.Sum([]byte(a.Password)) // one of htpasswd's formats, and cheap for each request
		return a.User + ":{SHA}" + base64.StdEncoding.EncodeToString(sum[:])
	}
	if err := writeFile(s.Dir, "htpasswd", lines(append([]Account{s.Master}, s.Accounts...), hashed)); err != nil {
		return err
	}
	if err := writeConf(s.Dir, "httpd.conf", conf); err != nil {
		return err
	}
	return chownApache(s.Dir, conf)
}

func chownApache(dir string, conf apacheConf) error {
	if !conf.Root {
		return nil
	}
	uid, gid, err := ids("www-data")
	if err != nil {
		return err
	}
	return chownTree(uid, gid, filepath.Join(dir, "data"), filepath.Join(dir, "var"))
}

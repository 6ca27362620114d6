package realserver

import (
	"cmp"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
)

// RadicaleOptions are the ways in which a Radicale differs from the usual one.
type RadicaleOptions struct {
	Accounts
	// MaxConnections at the same time; 0 means 32.
	MaxConnections int
	// MaxObject is the largest request body in bytes; 0 means 100 MB.
	MaxObject int
}

// Radicale starts a Radicale (CalDAV and CardDAV) for the duration of the test.
// A user's home is empty: collections are made with MKCALENDAR or extended
// MKCOL.
func Radicale(tb testing.TB, opts RadicaleOptions) *Server {
	tb.Helper()
	return forTest(tb, "radicale", func(dir string) (*Server, error) { return StartRadicale(dir, opts) })
}

// StartRadicale starts a Radicale that keeps everything beneath dir, which must
// exist and may be one that an earlier Radicale left.
func StartRadicale(dir string, opts RadicaleOptions) (*Server, error) {
	return startAttempts(func() (*Server, error) { return startRadicale(dir, opts) })
}

// radicaleConf is what conf/radicale.conf.tmpl is rendered with.
type radicaleConf struct {
	RadicaleOptions
	Dir  string
	Port int
}

func startRadicale(dir string, opts RadicaleOptions) (*Server, error) {
	// Debian's script names Debian's interpreter, whatever else is in PATH.
	const program = "/usr/bin/radicale"
	if err := needFiles("radicale", program); err != nil {
		return nil, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	conf := radicaleConf{RadicaleOptions: opts, Dir: dir, Port: ports[0]}
	conf.MaxConnections = cmp.Or(opts.MaxConnections, 32)
	conf.MaxObject = cmp.Or(opts.MaxObject, 100_000_000)
	server := &Server{
		Name: "radicale", Dir: dir, HTTP: "http://" + loopback(conf.Port), Accounts: opts.list(),
		calendars: "/%s/", addressBooks: "/%s/",
	}
	if err := writeRadicale(server, conf); err != nil {
		return nil, errors.Join(err, server.release())
	}
	cmd := exec.Command(program, "--config", filepath.Join(dir, "radicale.conf"))
	return launch(server, cmd, nil, []string{loopback(conf.Port)})
}

func writeRadicale(s *Server, conf radicaleConf) error {
	if err := makeDirs(s.Dir, "data"); err != nil {
		return err
	}
	plain := func(a Account) string { return a.User + ":" + a.Password }
	if err := writeFile(s.Dir, "htpasswd", lines(s.Accounts, plain)); err != nil {
		return err
	}
	return writeConf(s.Dir, "radicale.conf", conf)
}

package realserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed conf/*.tmpl
var templates embed.FS

// portAttempts is how often a start is repeated when a probed port was taken by
// somebody else before the server bound it.
const portAttempts = 3

// startAttempts calls start until it did not end early.
func startAttempts(start func() (*Server, error)) (*Server, error) {
	var server *Server
	var err error
	for range portAttempts {
		if server, err = start(); !errors.Is(err, errEarlyEnd) {
			return server, err
		}
	}
	return server, err
}

// launched is what a server is started with, once and again.
type launched struct {
	cmd        *exec.Cmd
	imap, http []string // addresses that answer when it is ready
}

// launch runs the server's command and waits until each address answers. What
// was set up for a server that does not start is taken down again.
func launch(s *Server, cmd *exec.Cmd, imap, http []string) (*Server, error) {
	s.launched = launched{cmd: cmd, imap: imap, http: http}
	if err := s.start(cmd); err != nil {
		return nil, errors.Join(err, s.release())
	}
	return s, nil
}

// start runs the command until each address answers; a server that does not come
// so far has ended.
func (s *Server) start(cmd *exec.Cmd) error {
	process, err := startProcess(s.Dir, cmd)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	s.process = process
	if err := process.waitReady(s.launched.imap, s.launched.http); err != nil {
		err = fmt.Errorf("%s: %w\n%s", s.Name, err, s.Log())
		return errors.Join(err, process.kill())
	}
	return nil
}

// freePorts returns ports of 127.0.0.1 that were free a moment ago.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// needFiles reports the first of the paths that is missing as ErrNotInstalled.
func needFiles(server string, paths ...string) error {
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("%w: %s (%s is missing)", ErrNotInstalled, server, path)
		}
	}
	return nil
}

// packageFile finds a file of a Debian package: beneath $REPATRIATE_TEST_DEPS if
// that is set, at its usual place, or where scripts/install-test-deps.sh unpacks a
// package that conflicts with an installed one. When it is nowhere the usual
// place is returned.
func packageFile(pkg, path string) string {
	candidates := []string{path, filepath.Join("/usr/local/lib/repatriate-test-deps", pkg, path)}
	if root := os.Getenv("REPATRIATE_TEST_DEPS"); root != "" {
		candidates = append([]string{filepath.Join(root, pkg, path)}, candidates...)
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(candidate); err == nil {
			return candidate
		}
	}
	return path
}

// writeConf renders conf/name.tmpl to dir/name.
func writeConf(dir, name string, data any) error {
	t, err := template.ParseFS(templates, "conf/"+name+".tmpl")
	if err != nil {
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, data); err != nil {
		return err
	}
	return writeFile(dir, name, text.String())
}

func writeFile(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// makeDirs creates directories beneath dir and lets servers that drop root
// enter dir itself.
func makeDirs(dir string, names ...string) error {
	for _, name := range names {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	return os.Chmod(dir, 0o755)
}

// lines joins one line for each account.
func lines(accounts []Account, form func(Account) string) string {
	var text strings.Builder
	for _, a := range accounts {
		text.WriteString(form(a) + "\n")
	}
	return text.String()
}

// chownTree gives everything beneath the directories to a user and group.
func chownTree(uid, gid int, dirs ...string) error {
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, uid, gid)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ids returns the numbers of a system user and its primary group.
func ids(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	return uid, gid, nil
}

// runner is the system user that a server's processes run as: the named one
// when started by root, otherwise whoever runs this.
func runner(name string) (*user.User, error) {
	if os.Geteuid() == 0 {
		return user.Lookup(name)
	}
	return user.Current()
}

// groupName returns the name of a group's number.
func groupName(gid string) (string, error) {
	group, err := user.LookupGroupId(gid)
	if err != nil {
		return "", err
	}
	return group.Name, nil
}

// writeCertificate writes a self-signed certificate for localhost and 127.0.0.1
// to dir/cert.pem and its key to dir/key.pem, and returns the former's path.
func writeCertificate(dir string) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return filepath.Join(dir, "cert.pem"), errors.Join(writeFile(dir, "cert.pem", string(certPEM)), writeFile(dir, "key.pem", string(keyPEM)))
}

// tail returns the last 8 KiB of a file, or nothing.
func tail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	const most = 8 << 10
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	from := max(0, info.Size()-most)
	text := make([]byte, info.Size()-from)
	n, _ := f.ReadAt(text, from)
	return string(text[:n])
}

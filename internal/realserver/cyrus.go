package realserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// CyrusOptions are the ways in which a Cyrus differs from the usual one.
type CyrusOptions struct {
	Accounts
	// QuotaKB is each user's storage in KiB, set when the account is first
	// used; 0 means unlimited.
	QuotaKB int
	// Scheduling turns CalDAV scheduling on (RFC 6638).
	Scheduling bool
	// MaxCalendarObject, MaxCard and MaxMessage are sizes in bytes; 0 means
	// unlimited.
	MaxCalendarObject, MaxCard, MaxMessage int
}

// Cyrus starts a Cyrus with IMAP, CalDAV, CardDAV and WebDAV for the duration of
// the test. Each user has an INBOX, the usual special mailboxes, a calendar
// "Default" and an address book "Default".
func Cyrus(tb testing.TB, opts CyrusOptions) *Server {
	tb.Helper()
	return forTest(tb, "cyrus", func(dir string) (*Server, error) { return StartCyrus(dir, opts) })
}

// StartCyrus starts a Cyrus that keeps everything beneath dir, which must exist
// and may be one that an earlier Cyrus left.
func StartCyrus(dir string, opts CyrusOptions) (*Server, error) {
	return startAttempts(func() (*Server, error) { return startCyrus(dir, opts) })
}

const (
	cyrusMaster   = "/usr/lib/cyrus/bin/master"
	cyrusHTTP     = "/usr/lib/cyrus/bin/httpd"
	cyrusPassword = "/usr/sbin/saslpasswd2"
)

// cyrusConf is what conf/imapd.conf.tmpl and conf/cyrus.conf.tmpl are rendered
// with.
type cyrusConf struct {
	CyrusOptions
	Dir, RunAs, IMAPExecutable string
	Master                     Account
	Port, TLSPort, HTTPPort    int
	VirtualDomains             bool
}

func startCyrus(dir string, opts CyrusOptions) (*Server, error) {
	conf := cyrusConf{CyrusOptions: opts, Dir: dir, Master: master}
	conf.IMAPExecutable = packageFile("cyrus-imapd", "/usr/lib/cyrus/bin/imapd")
	if err := needFiles("cyrus", cyrusMaster, cyrusHTTP, cyrusPassword, conf.IMAPExecutable); err != nil {
		return nil, err
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	conf.Port, conf.TLSPort, conf.HTTPPort = ports[0], ports[1], ports[2]
	server := &Server{
		Name: "cyrus", Dir: dir, IMAP: loopback(conf.Port), IMAPS: loopback(conf.TLSPort), HTTP: "http://" + loopback(conf.HTTPPort),
		Accounts: opts.list(), Master: master,
		files: "/dav/drive/user/%s/", calendars: "/dav/calendars/user/%s/", addressBooks: "/dav/addressbooks/user/%s/",
	}
	attributes, err := writeCyrus(server, &conf)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(cyrusMaster, "-C", filepath.Join(dir, "imapd.conf"), "-M", filepath.Join(dir, "cyrus.conf"),
		"-p", filepath.Join(dir, "master.pid"), "-l", "256", "-D")
	cmd.SysProcAttr = attributes
	if server, err = launch(server, cmd, []string{server.IMAP}, []string{loopback(conf.HTTPPort)}); err != nil {
		return nil, err
	}
	if err := createCyrusInboxes(server); err != nil {
		return nil, errors.Join(err, server.Kill())
	}
	return server, nil
}

// createCyrusInboxes logs every user in once: without the INBOX that Cyrus
// creates at the first IMAP login, it answers 500 to the user's DAV requests.
func createCyrusInboxes(s *Server) error {
	for _, account := range s.Accounts {
		dialogue := fmt.Sprintf("a LOGIN %q %q\r\nb LOGOUT\r\n", account.User, account.Password)
		// The server closes the connection after LOGOUT, hence the wait for more than there will be.
		answer, err := converse(s.IMAP, dialogue, 4<<10)
		if !strings.Contains(answer, "\na OK") {
			return fmt.Errorf("cyrus: first login of %s: %w: %s", account.User, err, answer)
		}
	}
	return nil
}

func writeCyrus(s *Server, conf *cyrusConf) (*syscall.SysProcAttr, error) {
	who, err := runner("cyrus")
	if err != nil {
		return nil, err
	}
	conf.RunAs = who.Username
	dirs := []string{"conf", "spool", "run", "proc", "lock", "sieve"}
	for _, name := range []string{"db", "socket", "log", "msg", "ptclient", "rpz", "sync", "backup", "user", "quota"} {
		dirs = append(dirs, "conf/"+name)
	}
	if err := makeDirs(s.Dir, dirs...); err != nil {
		return nil, err
	}
	if s.CertFile, err = writeCertificate(s.Dir); err != nil {
		return nil, err
	}
	for _, account := range append([]Account{s.Master}, s.Accounts...) {
		conf.VirtualDomains = conf.VirtualDomains || strings.Contains(account.User, "@")
		if err := addCyrusUser(s.Dir, account); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(writeConf(s.Dir, "imapd.conf", conf), writeConf(s.Dir, "cyrus.conf", conf), writeFile(s.Dir, "output.log", "")); err != nil {
		return nil, err
	}
	return cyrusAttributes(s.Dir, who.Uid, who.Gid)
}

// cyrusAttributes starts the master as its user at once instead of letting it
// drop root itself: the kernel forgets the wish to end with the parent when a
// process changes its user.
func cyrusAttributes(dir, uid, gid string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, _ := strconv.Atoi(uid)
	g, _ := strconv.Atoi(gid)
	if err := chownTree(u, g, dir); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(u), Gid: uint32(g), Groups: []uint32{uint32(g)}}}, nil
}

// addCyrusUser stores a password in the SASL database. The part after an "@" is
// the realm.
func addCyrusUser(dir string, account Account) error {
	name, realm, found := strings.Cut(account.User, "@")
	if !found {
		realm = "localhost"
	}
	cmd := exec.Command(cyrusPassword, "-f", filepath.Join(dir, "sasldb2"), "-c", "-p", "-u", realm, name)
	cmd.Stdin = strings.NewReader(account.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("saslpasswd2 %s: %w: %s", account.User, err, out)
	}
	return nil
}

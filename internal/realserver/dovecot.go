package realserver

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// DovecotOptions are the ways in which a Dovecot differs from the usual one.
// The zero value is a maildir with "/" between the levels of a mailbox name,
// no quota and fsync as an operator would have it.
type DovecotOptions struct {
	Accounts
	// Format is maildir (default), sdbox or mdbox.
	Format string
	// Layout of a maildir: fs (default; hierarchy separator "/") or ++
	// (separator ".").
	Layout string
	// Fsync is Dovecot's mail_fsync: optimized (default), never or always.
	Fsync string
	// Quota is each user's storage, such as "50M"; empty means unlimited.
	Quota string
	// QuotaMessages is how many messages a user may have; 0 means unlimited.
	QuotaMessages int
	// MaxConnections of one user from one address; 0 means 50.
	MaxConnections int
}

// Dovecot starts a Dovecot for the duration of the test.
func Dovecot(tb testing.TB, opts DovecotOptions) *Server {
	tb.Helper()
	return forTest(tb, "dovecot", func(dir string) (*Server, error) { return StartDovecot(dir, opts) })
}

// StartDovecot starts a Dovecot that keeps everything beneath dir, which must
// exist and may be one that an earlier Dovecot left: its mail is found again.
func StartDovecot(dir string, opts DovecotOptions) (*Server, error) {
	return startAttempts(func() (*Server, error) { return startDovecot(dir, opts) })
}

// dovecotConf is what conf/dovecot.conf.tmpl is rendered with.
type dovecotConf struct {
	DovecotOptions
	Dir, RunDir, PluginDir  string
	Programs                string // directory of dovecot-imapd's programs
	Port, TLSPort           int
	Location, Separator     string
	InternalUser, LoginUser string
	InternalGroup           string
	MailUID, MailGID        string
	Root                    bool
	SpecialUse              []string
	Unused                  []string // services that must exist all the same
}

// HasQuota says whether the quota plugin is needed.
func (c dovecotConf) HasQuota() bool { return c.Quota != "" || c.QuotaMessages > 0 }

func startDovecot(dir string, opts DovecotOptions) (*Server, error) {
	conf, err := newDovecotConf(dir, opts)
	if err != nil {
		return nil, err
	}
	server := &Server{
		Name: "dovecot", Dir: dir, IMAP: loopback(conf.Port), IMAPS: loopback(conf.TLSPort),
		Accounts: opts.list(), Master: master,
	}
	if err := writeDovecot(server, conf); err != nil {
		return nil, errors.Join(err, server.release())
	}
	cmd := exec.Command(dovecotProgram, "-F", "-c", filepath.Join(dir, "dovecot.conf"))
	return launch(server, cmd, []string{server.IMAP}, nil)
}

const dovecotProgram = "/usr/sbin/dovecot"

func newDovecotConf(dir string, opts DovecotOptions) (dovecotConf, error) {
	conf := dovecotConf{DovecotOptions: opts, Dir: dir, Root: os.Geteuid() == 0}
	imap := packageFile("dovecot-imapd", "/usr/lib/dovecot/imap")
	conf.Programs = filepath.Dir(imap)
	if err := needFiles("dovecot", dovecotProgram, imap); err != nil {
		return conf, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return conf, err
	}
	conf.Port, conf.TLSPort = ports[0], ports[1]
	conf.Fsync = cmp.Or(opts.Fsync, "optimized")
	conf.MaxConnections = cmp.Or(opts.MaxConnections, 50)
	conf.SpecialUse = []string{"Sent", "Drafts", "Trash", "Junk", "Archive"}
	conf.Unused = []string{"imap-hibernate", "imap-urlauth", "imap-urlauth-login", "imap-urlauth-worker"}
	conf.setLocation()
	return conf, conf.setUsers()
}

func (c *dovecotConf) setLocation() {
	c.Separator = "/"
	switch format := cmp.Or(c.Format, "maildir"); {
	case format != "maildir":
		c.Location = format + ":~/" + format
	case cmp.Or(c.Layout, "fs") == "fs":
		c.Location = "maildir:~/Maildir:LAYOUT=fs"
	default:
		c.Location, c.Separator = "maildir:~/Maildir", "."
	}
}

// setUsers chooses who runs what. Mail belongs to the system user "mail", which
// every Debian has; Dovecot refuses to use its own two for it.
func (c *dovecotConf) setUsers() error {
	who, err := runner("mail")
	if err != nil {
		return err
	}
	c.MailUID, c.MailGID = who.Uid, who.Gid
	c.InternalUser, c.LoginUser, c.InternalGroup = "dovecot", "dovenull", "dovecot"
	if !c.Root {
		c.InternalUser, c.LoginUser = who.Username, who.Username
		group, err := groupName(who.Gid)
		if err != nil {
			return err
		}
		c.InternalGroup = group
	}
	return nil
}

func writeDovecot(s *Server, conf dovecotConf) error {
	if err := makeDirs(s.Dir, "mail", "state"); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(s.Dir, "plugins")); err != nil {
		return err
	}
	var err error
	if s.CertFile, err = writeCertificate(s.Dir); err != nil {
		return err
	}
	if conf.PluginDir, err = dovecotPlugins(s.Dir); err != nil {
		return err
	}
	// A unix socket's path has at most 107 bytes, and Dovecot's are beneath this.
	if conf.RunDir, err = os.MkdirTemp("", "rs-run"); err != nil {
		return err
	}
	runDir := conf.RunDir
	s.cleanup = []func() error{func() error { return os.RemoveAll(runDir) }}
	if err := os.Chmod(runDir, 0o755); err != nil {
		return err
	}
	entry := func(suffix string) func(Account) string {
		return func(a Account) string { return fmt.Sprintf("%s:{PLAIN}%s%s", a.User, a.Password, suffix) }
	}
	if err := writeFile(s.Dir, "users", lines(s.Accounts, entry("::::::"))); err != nil {
		return err
	}
	if err := writeFile(s.Dir, "masters", lines([]Account{s.Master}, entry(""))); err != nil {
		return err
	}
	if err := writeConf(s.Dir, "dovecot.conf", conf); err != nil {
		return err
	}
	return chownMail(filepath.Join(s.Dir, "mail"), conf)
}

func chownMail(dir string, conf dovecotConf) error {
	if !conf.Root {
		return nil
	}
	uid, gid, err := ids("mail")
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// dovecotPlugins returns a directory that joins the plugins of dovecot-core
// with those of an unpacked dovecot-imapd, or nothing when all are at their
// usual place.
func dovecotPlugins(dir string) (string, error) {
	const usual = "/usr/lib/dovecot/modules"
	unpacked := filepath.Dir(packageFile("dovecot-imapd", usual+"/lib30_imap_zlib_plugin.so"))
	if unpacked == usual {
		return "", nil
	}
	joined := filepath.Join(dir, "plugins")
	if err := makeDirs(dir, "plugins"); err != nil {
		return "", err
	}
	for _, from := range []string{usual, unpacked} {
		entries, err := os.ReadDir(from)
		if err != nil {
			return "", err
		}
		for _, entry := range entries {
			if err := os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(joined, entry.Name())); err != nil {
				return "", err
			}
		}
	}
	return joined, nil
}

package imap_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/realserver"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sinks/sinktest"
)

// target is a running server with fresh accounts.
type target struct {
	address string
	login   func() (user, password string)
}

var (
	dateA = time.Date(2021, 3, 4, 23, 6, 7, 0, time.FixedZone("", 5*3600))
)

func dovecot(tb testing.TB, o realserver.DovecotOptions) target {
	o.Count = 40
	return serverTarget(realserver.Dovecot(tb, o))
}

func cyrus(tb testing.TB) target {
	return serverTarget(realserver.Cyrus(tb, realserver.CyrusOptions{Accounts: realserver.Accounts{Count: 40}}))
}

func serverTarget(s *realserver.Server) target {
	var n atomic.Int32
	return target{s.IMAP, func() (string, string) {
		a := s.User(int(n.Add(1)))
		return a.User, a.Password
	}}
}

func embeddedTarget(tb testing.TB) target {
	users := make([]embedded.User, 40)
	for i := range users {
		users[i] = embedded.User{Name: fmt.Sprintf("u%d", i+1), Password: "secret"}
	}
	m, err := embedded.StartMail(users)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = m.Close() })
	var n atomic.Int32
	return target{m.Addr, func() (string, string) { return fmt.Sprintf("u%d", n.Add(1)), "secret" }}
}

// account is one user of a target, and a second client that looks at the mailboxes as the user would.
type account struct {
	*imap.Sink
	tb             testing.TB
	address        string
	user, password string
}

func (t target) open(tb testing.TB, change func(*imap.Options)) *account {
	tb.Helper()
	user, password := t.login()
	return t.openAs(tb, user, password, change)
}

func (t target) openAs(tb testing.TB, user, password string, change func(*imap.Options)) *account {
	tb.Helper()
	o := imap.Options{URL: "imap://" + t.address, Insecure: true, User: user, Password: password, TempDir: tb.TempDir()}
	if change != nil {
		change(&o)
	}
	s, err := imap.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return &account{s, tb, t.address, user, password}
}

func (a *account) client() *imapclient.Client {
	a.tb.Helper()
	c, err := imapclient.DialInsecure(a.address, nil)
	if err != nil {
		a.tb.Fatal(err)
	}
	a.tb.Cleanup(func() { _ = c.Close() })
	if err := c.Login(a.user, a.password).Wait(); err != nil {
		a.tb.Fatal(err)
	}
	return c
}

// message is what the server shows of one.
type message struct {
	mailbox string
	uid     goimap.UID
	flags   []string
	date    time.Time
	body    []byte
}

// messages returns all that the account holds.
func (a *account) messages() []message {
	a.tb.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	var out []message
	for _, name := range a.mailboxes() {
		data, err := c.Select(name, &goimap.SelectOptions{ReadOnly: true}).Wait()
		if err != nil {
			a.tb.Fatalf("%s: %v", name, err)
		}
		if data.NumMessages == 0 {
			continue
		}
		section := &goimap.FetchItemBodySection{Peek: true}
		list, err := c.Fetch(goimap.SeqSet{{Start: 1, Stop: 0}}, &goimap.FetchOptions{UID: true, Flags: true, InternalDate: true, BodySection: []*goimap.FetchItemBodySection{section}}).Collect()
		if err != nil {
			a.tb.Fatal(err)
		}
		for _, m := range list {
			msg := message{mailbox: name, uid: m.UID, date: m.InternalDate, body: m.FindBodySection(section)}
			for _, f := range m.Flags {
				if f != `\Recent` {
					msg.flags = append(msg.flags, string(f))
				}
			}
			slices.Sort(msg.flags)
			out = append(out, msg)
		}
	}
	return out
}

func (a *account) mailboxes() []string {
	a.tb.Helper()
	c := a.client()
	defer func() { _ = c.Close() }()
	list, err := c.List("", "*", nil).Collect()
	if err != nil {
		a.tb.Fatal(err)
	}
	var names []string
	for _, d := range list {
		if !slices.Contains(d.Attrs, goimap.MailboxAttrNoSelect) && !slices.Contains(d.Attrs, goimap.MailboxAttrNonExistent) {
			names = append(names, d.Mailbox)
		}
	}
	return names
}

// duplicate copies a message into another mailbox, as a user would.
func (a *account) duplicate(location string) {
	a.tb.Helper()
	box, uid, _ := strings.Cut(location, ";")
	n, err := strconv.ParseUint(uid[strings.LastIndexByte(uid, '=')+1:], 10, 32)
	if err != nil {
		a.tb.Fatal(err)
	}
	c := a.client()
	defer func() { _ = c.Close() }()
	if _, err := c.Select(box, nil).Wait(); err != nil {
		a.tb.Fatal(err)
	}
	to := "Duplicates"
	if c.Create(to, nil).Wait() != nil {
		to = "INBOX." + to
		if err := c.Create(to, nil).Wait(); err != nil {
			a.tb.Fatal(err)
		}
	}
	if _, err := c.Copy(goimap.UIDSetNum(goimap.UID(n)), to).Wait(); err != nil {
		a.tb.Fatal(err)
	}
}

func item(id string, head string, body []byte) sinks.Item[sinks.Message] {
	text := fmt.Appendf(nil, "From: a@example.org\r\nSubject: %s\r\n%s\r\n%s", id, head, body)
	return sinks.Item[sinks.Message]{ID: id, Content: sinks.Message{
		Mailbox:      sinks.Mailbox{Path: []string{"INBOX"}},
		Flags:        []string{`\Seen`},
		InternalDate: dateA,
		Body:         sinktest.Bytes("v1-"+id, text),
	}}
}

func numbered(i int) sinks.Item[sinks.Message] {
	id := fmt.Sprintf("item %d", i)
	it := item(id, fmt.Sprintf("Message-ID: <m%d@example.org>\r\n", i), bytes.Repeat([]byte(id+"\r\n"), 60))
	it.Content.InternalDate = dateA.Add(time.Duration(i) * time.Hour)
	return it
}

func harness(t target, bigSize int64) sinktest.Harness[sinks.Message] {
	h := sinktest.Harness[sinks.Message]{
		Open: func(tb testing.TB) sinktest.Account[sinks.Message] {
			a := t.open(tb, nil)
			return sinktest.Account[sinks.Message]{Sink: a.Sink, Held: func(tb testing.TB) []string {
				var out []string
				for _, m := range a.messages() {
					out = append(out, m.mailbox+" "+sinktest.Digest(m.body))
				}
				return out
			}, Copy: func(_ testing.TB, at sinks.Receipt) { a.duplicate(at.Location) }}
		},
		Item: numbered,
		Digest: func(tb testing.TB, it sinks.Item[sinks.Message]) string {
			box := it.Content.Mailbox.Path[len(it.Content.Mailbox.Path)-1]
			return box + " " + sinktest.BodyDigest(tb, it.Content.Body)
		},
		Moved: func(it sinks.Item[sinks.Message]) sinks.Item[sinks.Message] {
			it.Content.Mailbox = sinks.Mailbox{Path: []string{"Elsewhere"}}
			return it
		},
		BigSize: bigSize,
	}
	if bigSize > 0 {
		h.Big = func(size int64) sinks.Item[sinks.Message] {
			it := item("big", "", nil)
			it.Content.Body = sinktest.Pattern("big", []byte("Subject: big\r\n\r\n"), size)
			return it
		}
	}
	return h
}

func TestEmbedded(t *testing.T) { sinktest.Run(t, harness(embeddedTarget(t), 0)) }
func TestDovecotFS(t *testing.T) {
	sinktest.Run(t, harness(dovecot(t, realserver.DovecotOptions{}), 64<<20))
}
func TestDovecotPlus(t *testing.T) {
	sinktest.Run(t, harness(dovecot(t, realserver.DovecotOptions{Layout: "++"}), 0))
}
func TestCyrus(t *testing.T) { sinktest.Run(t, harness(cyrus(t), 0)) }

// trusting returns a configuration that trusts the server's own certificate.
func trusting(tb testing.TB, s *realserver.Server) *tls.Config {
	tb.Helper()
	pem, err := os.ReadFile(s.CertFile)
	if err != nil {
		tb.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: pool}
}

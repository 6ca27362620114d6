package embedded

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
)

// Mail is an IMAP4rev1 server whose mail is held in memory, with LITERAL+,
// UIDPLUS, MOVE, SPECIAL-USE and CREATE-SPECIAL-USE, keywords of any name and "/"
// between the levels of a mailbox name. Each user has an INBOX at first.
type Mail struct {
	// Addr is host:port.
	Addr string
	// URL is imap://host:port.
	URL string

	users    map[string]*mailUser
	server   *imapserver.Server
	listener net.Listener
	done     chan struct{}
	fault    atomic.Pointer[func(command string) error]
}

// Mailbox is a mailbox with all of its messages.
type Mailbox struct {
	// Name has "/" between its levels.
	Name string
	// Use is the special use (RFC 6154), such as \Sent; may be empty.
	Use        string
	Subscribed bool
	Messages   []StoredMessage
}

// StoredMessage is a message as it lies on the server.
type StoredMessage struct {
	UID          uint32
	Flags        []string // sorted, without \Recent
	InternalDate time.Time
	Body         []byte
}

// StartMail starts an IMAP server.
func StartMail(users []User) (*Mail, error) {
	if _, err := accounts(users); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &Mail{Addr: listener.Addr().String(), users: map[string]*mailUser{}, listener: listener, done: make(chan struct{})}
	m.URL = "imap://" + m.Addr
	for _, user := range users {
		u := newMailUser(user)
		if err := u.create("INBOX", nil); err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		m.users[user.Name] = u
	}
	m.server = imapserver.New(m.options())
	go func() {
		defer close(m.done)
		_ = m.server.Serve(listener) // ends when the listener is closed, by Close alone
	}()
	return m, nil
}

func (m *Mail) options() *imapserver.Options {
	return &imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return &session{mail: m}, nil, nil
		},
		// BINARY and SEARCHRES stay out: the library claims more than it does.
		Caps: imap.CapSet{
			imap.CapIMAP4rev1: {}, imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapMove: {}, imap.CapESearch: {},
			imap.CapListExtended: {}, imap.CapListStatus: {}, imap.CapStatusSize: {},
			imap.CapSpecialUse: {}, imap.CapCreateSpecialUse: {}, imap.CapLiteralPlus: {},
		},
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0), // cut connections are everyday here
	}
}

// Close ends the server and all of its connections. It may be called once.
func (m *Mail) Close() error {
	// The listener is closed here too, because the library forgets one that its
	// Serve has not reached yet.
	err := errors.Join(m.server.Close(), ignoreClosed(m.listener.Close()))
	<-m.done
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Mailboxes returns all mailboxes of the user with their messages, in the order
// of their names. It reads them over IMAP.
func (m *Mail) Mailboxes(user string) ([]Mailbox, error) {
	u := m.users[user]
	if u == nil {
		return nil, fmt.Errorf("embedded: no user %q", user)
	}
	client, err := imapclient.DialInsecure(m.Addr, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	if err := client.Login(user, u.password).Wait(); err != nil {
		return nil, err
	}
	listed, err := client.List("", "*", &imap.ListOptions{ReturnSpecialUse: true, ReturnSubscribed: true}).Collect()
	if err != nil {
		return nil, err
	}
	var all []Mailbox
	for _, data := range listed {
		box, err := readMailbox(client, data)
		if err != nil {
			return nil, fmt.Errorf("embedded: mailbox %q: %w", data.Mailbox, err)
		}
		all = append(all, box)
	}
	slices.SortFunc(all, func(a, b Mailbox) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func readMailbox(client *imapclient.Client, data *imap.ListData) (Mailbox, error) {
	box := Mailbox{Name: data.Mailbox, Subscribed: slices.Contains(data.Attrs, imap.MailboxAttrSubscribed)}
	for _, attr := range data.Attrs {
		if isUse(attr) {
			box.Use = string(attr)
		}
	}
	selected, err := client.Select(data.Mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil || selected.NumMessages == 0 {
		return box, err
	}
	section := &imap.FetchItemBodySection{Peek: true}
	messages, err := client.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, BodySection: []*imap.FetchItemBodySection{section},
	}).Collect()
	for _, message := range messages {
		stored := StoredMessage{UID: uint32(message.UID), InternalDate: message.InternalDate, Body: message.FindBodySection(section)}
		for _, flag := range message.Flags {
			stored.Flags = append(stored.Flags, string(flag))
		}
		slices.Sort(stored.Flags)
		box.Messages = append(box.Messages, stored)
	}
	return box, err
}

// isUse says whether a mailbox attribute is a special use (RFC 6154 §2).
func isUse(attr imap.MailboxAttr) bool {
	switch attr {
	case imap.MailboxAttrAll, imap.MailboxAttrArchive, imap.MailboxAttrDrafts, imap.MailboxAttrFlagged,
		imap.MailboxAttrJunk, imap.MailboxAttrSent, imap.MailboxAttrTrash, imap.MailboxAttrImportant:
		return true
	}
	return false
}

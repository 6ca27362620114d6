package microsoft

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Message describes a mail that is to be added to a folder.
type Message struct {
	Raw        cloudsim.Content // what $value gives
	Received   time.Time        // zero: that of the Date header
	Unread     bool
	Draft      bool
	Flagged    bool
	Important  bool
	Categories []string
	// LastVerb is what the user did last: 102 and 103 are answers, 104 is a forwarding; 0 is nothing.
	LastVerb int
	// Corrupt says that Exchange cannot render it: $value answers ErrorCorruptData. Its text and its files can be had then.
	Corrupt bool
	Text    string
	Files   []Attachment
}

type mailbox struct {
	owner   string
	folders []*folder
	byID    map[string]*message // by both ids
	serial  int
}

// folder is a mail folder. Its log names what entered, changed and left.
type folder struct {
	id, name, known string
	parent          *folder
	hidden, search  bool
	messages        []*message // as they came
	log             []mailChange
	oldest          int // changes before have expired
}

type mailChange struct {
	message *message
	left    bool
}

type message struct {
	Message
	arrival   int // in its folder; grows with each
	immutable string
	folder    *folder
	change    int
	head      textproto.MIMEHeader
}

// wellKnownFolders are the folders of a new mailbox, by their well-known and their displayed names. This mailbox speaks German.
var wellKnownFolders = [][2]string{
	{"inbox", "Posteingang"}, {"drafts", "Entwürfe"}, {"sentitems", "Gesendete Elemente"}, {"deleteditems", "Gelöschte Elemente"},
	{"junkemail", "Junk-E-Mail"}, {"archive", "Archiv"}, {"outbox", "Postausgang"}, {"conversationhistory", "Aufgezeichnete Unterhaltungen"},
	{"syncissues", "Synchronisierungsprobleme"},
}

func (m *mailbox) init(owner string) {
	m.owner, m.byID = owner, map[string]*message{}
	for _, f := range wellKnownFolders {
		m.addFolder(f[1], nil).known = f[0]
	}
	m.addFolder("Konflikte", m.known("syncissues")).known = "conflicts"
	hidden := m.addFolder("Clutter", nil)
	hidden.hidden, hidden.known = true, "clutter"
	m.addFolder("Ungelesene E-Mail", nil).search = true
}

func (m *mailbox) addFolder(name string, parent *folder) *folder {
	m.serial++
	f := &folder{id: "AAMkADfolder" + base64.URLEncoding.EncodeToString(hashOf(m.owner, "folder", fmt.Sprint(m.serial))), name: name, parent: parent}
	m.folders = append(m.folders, f)
	return f
}

func (m *mailbox) known(name string) *folder {
	for _, f := range m.folders {
		if f.known == name {
			return f
		}
	}
	return nil
}

// find returns a folder by its id or well-known name.
func (m *mailbox) find(id string) *folder {
	for _, f := range m.folders {
		if f.id == id || f.known != "" && f.known == id {
			return f
		}
	}
	return nil
}

// Folder returns the id of a folder by names from the top with slashes between them; what is not there is made. The first name may be a
// well-known one in lower case, such as inbox.
func (d *Data) Folder(email, path string) (string, error) {
	id := ""
	err := d.withUser("folder", email, func(u *user) error {
		var at *folder
		for i, name := range strings.Split(path, "/") {
			next := u.mail.below(at, name)
			if i == 0 && u.mail.known(name) != nil {
				next = u.mail.known(name)
			}
			if next == nil {
				next = u.mail.addFolder(name, at)
			}
			at = next
		}
		id = at.id
		return nil
	})
	return id, err
}

func (m *mailbox) below(parent *folder, name string) *folder {
	for _, f := range m.folders {
		if f.parent == parent && f.name == name {
			return f
		}
	}
	return nil
}

// RenameFolder gives a folder another name.
func (d *Data) RenameFolder(email, id, name string) error {
	return d.withUser("rename folder", email, func(u *user) error {
		f := u.mail.find(id)
		if f == nil {
			return fmt.Errorf("no folder %s", id)
		}
		f.name = name
		return nil
	})
}

// MoveFolder puts a folder into another one, by its id or well-known name; empty: to the top. Nothing in it counts as changed.
func (d *Data) MoveFolder(email, id, into string) error {
	return d.withUser("move folder", email, func(u *user) error {
		f, to := u.mail.find(id), u.mail.find(into)
		if f == nil || f.known != "" || into != "" && to == nil || to.in(f) {
			return fmt.Errorf("the folder %s cannot be put into %q", id, into)
		}
		f.parent = to
		return nil
	})
}

// DeleteFolder removes a folder for good, with all that is in it.
func (d *Data) DeleteFolder(email, id string) error {
	return d.withUser("delete folder", email, func(u *user) error {
		f := u.mail.find(id)
		if f == nil || f.known != "" {
			return fmt.Errorf("the folder %s cannot be deleted", id)
		}
		u.mail.folders = slices.DeleteFunc(u.mail.folders, func(x *folder) bool {
			if !x.in(f) {
				return false
			}
			for _, m := range x.messages {
				delete(u.mail.byID, m.immutable)
				delete(u.mail.byID, m.plain())
			}
			return true
		})
		return nil
	})
}

// in reports whether the folder is the other one or lies in it.
func (f *folder) in(other *folder) bool {
	for ; f != nil; f = f.parent {
		if f == other {
			return true
		}
	}
	return false
}

// AddMessage adds a mail to a folder, by its id or well-known name, and gives its immutable id.
func (d *Data) AddMessage(email, folderID string, add Message) (string, error) {
	head := headerOf(add.Raw)
	if add.Received.IsZero() {
		add.Received = dateOf(head)
	}
	id := ""
	err := d.withUser("add message", email, func(u *user) error {
		f := u.mail.find(folderID)
		if f == nil {
			return fmt.Errorf("no folder %s", folderID)
		}
		if add.Received.IsZero() {
			add.Received = d.Now()
		}
		u.mail.serial++
		m := &message{Message: add, arrival: u.mail.serial, folder: f, head: head}
		m.immutable = "AAkALg" + base64.URLEncoding.EncodeToString(hashOf(u.id, "message", fmt.Sprint(m.arrival)))
		u.mail.byID[m.immutable], id = m, m.immutable
		u.mail.byID[m.plain()] = m
		f.messages = append(f.messages, m)
		f.note(m, false)
		return nil
	})
	return id, err
}

func (f *folder) note(m *message, left bool) {
	m.change++
	f.log = append(f.log, mailChange{m, left})
}

// plain is the id that changes when the message is moved.
func (m *message) plain() string {
	return "AAMkAD" + base64.URLEncoding.EncodeToString(hashOf(m.immutable, m.folder.id))
}

// headerOf reads at most the first 64 KiB.
func headerOf(raw cloudsim.Content) textproto.MIMEHeader {
	r, err := raw.Open(0)
	if err != nil {
		return nil
	}
	defer r.Close()
	head, _ := textproto.NewReader(bufio.NewReader(io.LimitReader(r, 64<<10))).ReadMIMEHeader()
	kept := textproto.MIMEHeader{}
	for _, name := range []string{"Subject", "From", "Message-Id", "Date"} {
		if v := head.Get(name); v != "" {
			kept.Set(name, v)
		}
	}
	return kept
}

// dateOf reads the Date header, and gives the zero time when there is none that can be understood.
func dateOf(head textproto.MIMEHeader) time.Time {
	date, err := mail.ParseDate(head.Get("Date"))
	if err != nil || date.Year() < 1970 || date.Year() > 2100 {
		return time.Time{}
	}
	return date
}

func decoded(text string) string {
	out, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		return strings.ToValidUTF8(text, "\ufffd")
	}
	return strings.ToValidUTF8(out, "\ufffd")
}

// ChangeMessage lets change edit what is said of a message: read, flagged, categories and so on.
func (d *Data) ChangeMessage(email, id string, change func(*Message)) error {
	return d.withMessage("change message", email, id, func(_ *mailbox, m *message) error {
		change(&m.Message)
		m.head = headerOf(m.Raw)
		m.folder.note(m, false)
		return nil
	})
}

// MoveMessage puts a message into another folder. Its immutable id stays.
func (d *Data) MoveMessage(email, id, folderID string) error {
	return d.withMessage("move message", email, id, func(b *mailbox, m *message) error {
		to := b.find(folderID)
		if to == nil {
			return fmt.Errorf("no folder %s", folderID)
		}
		delete(b.byID, m.plain())
		m.leave()
		b.serial++
		m.folder, m.arrival = to, b.serial
		b.byID[m.plain()] = m
		to.messages = append(to.messages, m)
		to.note(m, false)
		return nil
	})
}

// DeleteMessage removes a message for good.
func (d *Data) DeleteMessage(email, id string) error {
	return d.withMessage("delete message", email, id, func(b *mailbox, m *message) error {
		delete(b.byID, m.immutable)
		delete(b.byID, m.plain())
		m.leave()
		return nil
	})
}

func (m *message) leave() {
	m.folder.messages = slices.DeleteFunc(m.folder.messages, func(x *message) bool { return x == m })
	m.folder.note(m, true)
}

func (d *Data) withMessage(op, email, id string, do func(*mailbox, *message) error) error {
	return d.withUser(op, email, func(u *user) error {
		m := u.mail.byID[id]
		if m == nil {
			return fmt.Errorf("no message %s", id)
		}
		return do(&u.mail, m)
	})
}

// MessageInfo is a message of a mailbox.
type MessageInfo struct {
	ID     string   // immutable
	Folder []string // names from the top
	Known  string   // the folder's well-known name, if it has one
	Message
}

// Messages gives what is in a mailbox, in the order of arrival in their folders.
func (d *Data) Messages(email string) []MessageInfo {
	var out []MessageInfo
	_ = d.withUser("messages", email, func(u *user) error {
		for _, f := range u.mail.folders {
			for _, m := range f.messages {
				out = append(out, MessageInfo{m.immutable, f.names(), f.known, m.Message})
			}
		}
		return nil
	})
	return out
}

func (f *folder) names() []string {
	if f == nil {
		return nil
	}
	return append(f.parent.names(), f.name)
}

// ExpireMailDeltas makes every delta token of a mailbox that was handed out so far invalid.
func (d *Data) ExpireMailDeltas(email string) error {
	return d.withUser("expire", email, func(u *user) error {
		for _, f := range u.mail.folders {
			f.log = append(f.log, mailChange{})
			f.oldest = len(f.log)
		}
		return nil
	})
}

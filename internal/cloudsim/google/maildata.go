package google

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// firstHistory is the history id of an untouched mailbox.
const firstHistory = 100_000

// Label is a label of a mailbox. System labels exist from the start.
type Label struct {
	ID              string // chosen when empty
	Name            string // nested by "/"
	TextColor       string // "#rrggbb", with BackgroundColor
	BackgroundColor string
	HiddenInList    bool // labelListVisibility is labelHide
	HiddenMessages  bool // messageListVisibility is hide
}

// Message is a message to be added to a mailbox.
type Message struct {
	Raw    cloudsim.Content
	Labels []string  // names or ids; a name that does not exist becomes a new user label
	Date   time.Time // internalDate; zero: the Date header, or the organisation's time
	Thread string    // id of a message of the same conversation; empty: a conversation of its own
}

// MessageInfo tells what is in a mailbox, for tests that compare.
type MessageInfo struct {
	ID     string
	Labels []string // ids
	Date   time.Time
	Raw    cloudsim.Content
}

type message struct {
	id, thread uint64
	date       int64    // milliseconds since 1970
	labels     []string // sorted ids; never changed in place
	raw        cloudsim.Content
	historyID  uint64
}

type mailbox struct {
	labels    []Label
	system    int // how many of the labels are Google's own
	messages  map[uint64]*message
	sorted    []*message // newest first
	dirty     bool
	made      int // messages, deleted ones too
	historyID uint64
	history   []historyRecord
	oldest    uint64 // history ids below have expired
}

// historyRecord is one entry of history.list; one of the kinds messageAdded, messageDeleted, labelAdded and
// labelRemoved.
type historyRecord struct {
	id      uint64
	kind    string
	message message
	labels  []string // added or removed
}

func systemLabels() []string {
	return []string{"INBOX", "SENT", "DRAFT", "SPAM", "TRASH", "UNREAD", "STARRED", "IMPORTANT", "CHAT", "CATEGORY_PERSONAL",
		"CATEGORY_SOCIAL", "CATEGORY_PROMOTIONS", "CATEGORY_UPDATES", "CATEGORY_FORUMS"}
}

func (m *mailbox) init() {
	m.messages = map[uint64]*message{}
	m.historyID, m.oldest = firstHistory, firstHistory
	for _, name := range systemLabels() {
		m.labels = append(m.labels, Label{ID: name, Name: name})
	}
	m.system = len(m.labels)
}

// AddLabel adds a user label and gives its id; a label of that name may exist.
func (d *Data) AddLabel(email string, l Label) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return "", fmt.Errorf("add label: %w", err)
	}
	return u.mail.addLabel(l), nil
}

// RenameLabel gives a user label another name, by its present name or id. Gmail does not count that as a change of its messages.
func (d *Data) RenameLabel(email, label, name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return fmt.Errorf("rename label: %w", err)
	}
	i := u.mail.label(label)
	if i < u.mail.system || u.mail.label(name) >= 0 {
		return fmt.Errorf("rename label: no user label %q, or %q exists", label, name)
	}
	u.mail.labels[i].Name = name
	return nil
}

func (m *mailbox) addLabel(l Label) string {
	if i := m.label(l.Name); i >= 0 {
		return m.labels[i].ID
	}
	if l.ID == "" {
		l.ID = "Label_" + strconv.Itoa(len(m.labels)-m.system+1)
	}
	m.labels = append(m.labels, l)
	return l.ID
}

// label finds a label by name or id, and gives -1 when there is none.
func (m *mailbox) label(nameOrID string) int {
	return slices.IndexFunc(m.labels, func(l Label) bool { return l.Name == nameOrID || l.ID == nameOrID })
}

func (m *mailbox) labelIDs(names []string) []string {
	ids := make([]string, 0, len(names))
	for _, name := range names {
		ids = append(ids, m.addLabel(Label{Name: name}))
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// AddMessage adds a message as if it had just arrived and gives its id.
func (d *Data) AddMessage(email string, add Message) (string, error) {
	if add.Date.IsZero() {
		add.Date = headerDate(add.Raw)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return "", fmt.Errorf("add message: %w", err)
	}
	if add.Date.IsZero() {
		add.Date = d.Now()
	}
	msg := &message{date: add.Date.UnixMilli(), raw: add.Raw, labels: u.mail.labelIDs(add.Labels)}
	msg.id = u.mail.freeID(msg.date)
	msg.thread = msg.id
	if add.Thread != "" {
		if other, err := u.mail.find(add.Thread); err == nil {
			msg.thread = other.thread
		}
	}
	u.mail.messages[msg.id] = msg
	u.mail.sorted, u.mail.dirty = append(u.mail.sorted, msg), true
	u.mail.record("messageAdded", msg, nil)
	return formatID(msg.id), nil
}

// ImportMail adds a message with these labels (names or ids) and the time of its Date header, and gives its id.
func (d *Data) ImportMail(email string, raw []byte, labels ...string) (string, error) {
	return d.AddMessage(email, Message{Raw: cloudsim.Bytes(raw), Labels: labels})
}

// headerDate reads the Date header, and gives the zero time when there is none that can be understood.
func headerDate(raw cloudsim.Content) time.Time {
	header, _ := readHeader(raw)
	date, err := mail.ParseDate(header.Get("Date"))
	if err != nil || date.Year() < 1970 || date.Year() > 2100 {
		return time.Time{}
	}
	return date
}

// readHeader reads at most the first 64 KiB.
func readHeader(raw cloudsim.Content) (textproto.MIMEHeader, error) {
	r, err := raw.Open(0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return textproto.NewReader(bufio.NewReader(io.LimitReader(r, 64<<10))).ReadMIMEHeader()
}

// freeID makes an id that begins with the time, as Gmail's do. None comes back, not even of a message that was deleted.
func (m *mailbox) freeID(ms int64) uint64 {
	id := uint64(max(ms, 0))<<20 | uint64(m.made)&0xfffff
	for m.made++; m.messages[id] != nil; {
		id++
	}
	return id
}

func formatID(id uint64) string { return fmt.Sprintf("%016x", id) }

func (m *mailbox) find(id string) (*message, error) {
	n, err := strconv.ParseUint(id, 16, 64)
	if msg := m.messages[n]; err == nil && msg != nil {
		return msg, nil
	}
	return nil, fmt.Errorf("no message %s", id)
}

// record advances the history. Gmail's history ids grow with gaps.
func (m *mailbox) record(kind string, msg *message, labels []string) {
	m.historyID += 7
	msg.historyID = m.historyID
	m.history = append(m.history, historyRecord{m.historyID, kind, *msg, labels})
}

// listing gives the messages newest first.
func (m *mailbox) listing() []*message {
	if m.dirty {
		slices.SortFunc(m.sorted, func(a, b *message) int { return a.position().compare(b.position()) })
		m.dirty = false
	}
	return m.sorted
}

type mailPosition struct {
	date int64
	id   uint64
}

func (msg *message) position() mailPosition { return mailPosition{msg.date, msg.id} }

func (p mailPosition) compare(q mailPosition) int {
	if c := cmp.Compare(q.date, p.date); c != 0 {
		return c
	}
	return cmp.Compare(q.id, p.id)
}

// Relabel adds and removes labels (names or ids) of a message.
func (d *Data) Relabel(email, id string, add, remove []string) error {
	return d.withMessage("relabel", email, id, func(m *mailbox, msg *message) {
		added := slices.DeleteFunc(m.labelIDs(add), func(l string) bool { return slices.Contains(msg.labels, l) })
		removed := slices.DeleteFunc(m.labelIDs(remove), func(l string) bool { return !slices.Contains(msg.labels, l) })
		after := slices.Concat(msg.labels, added)
		after = slices.DeleteFunc(after, func(l string) bool { return slices.Contains(removed, l) })
		slices.Sort(after)
		msg.labels = after
		if len(added) > 0 {
			m.record("labelAdded", msg, added)
		}
		if len(removed) > 0 {
			m.record("labelRemoved", msg, removed)
		}
	})
}

// DeleteMessage removes a message for good. What a user deletes goes to the trash by Relabel instead.
func (d *Data) DeleteMessage(email, id string) error {
	return d.withMessage("delete message", email, id, func(m *mailbox, msg *message) {
		delete(m.messages, msg.id)
		m.sorted = slices.DeleteFunc(m.sorted, func(x *message) bool { return x == msg })
		m.record("messageDeleted", msg, nil)
	})
}

func (d *Data) withMessage(op, email, id string, edit func(*mailbox, *message)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	msg, err := u.mail.find(id)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	edit(&u.mail, msg)
	return nil
}

// Messages gives what is in a mailbox, newest first.
func (d *Data) Messages(email string) []MessageInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.byEmail[email]
	if u == nil {
		return nil
	}
	out := []MessageInfo{}
	for _, msg := range u.mail.listing() {
		out = append(out, MessageInfo{formatID(msg.id), slices.Clone(msg.labels), time.UnixMilli(msg.date).UTC(), msg.raw})
	}
	return out
}

// LabelName is the name of a label, and "" when there is no label of that id.
func (d *Data) LabelName(email, id string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.byEmail[email]; u != nil {
		if i := u.mail.label(id); i >= 0 && strings.EqualFold(u.mail.labels[i].ID, id) {
			return u.mail.labels[i].Name
		}
	}
	return ""
}

// ExpireHistory makes every history id of a mailbox that was handed out so far too old.
func (d *Data) ExpireHistory(email string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.byEmail[email]; u != nil {
		u.mail.historyID += 7
		u.mail.oldest = u.mail.historyID
		u.mail.history = nil
	}
}

package deltamodel

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/internal/embedded"
	"codeberg.org/repatriate/repatriate/internal/faultnet"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks/imap"
	"codeberg.org/repatriate/repatriate/sources"
)

// mail is a message, as the edits made it.
type mail struct {
	id     string
	raw    []byte
	at     time.Time
	labels []string // of Gmail
	folder *box     // of Exchange
	flags  map[string]bool
	erased bool

	lies []string // its lines on the target; nil: nowhere
}

// mailRules say where a message belongs on the target, and with which flags.
type mailRules interface {
	// place returns the mailboxes and the flags; none of the first if the message is none of those that are moved.
	place(m *mail) (boxes, flags []string)
	edit(d *dice) string
	// forget makes the provider forget the positions that it has handed out.
	forget()
}

// mailAccount is a mailbox with its model.
type mailAccount struct {
	mailRules
	b      *bench
	server *embedded.Mail
	proxy  *faultnet.Proxy
	labels string // see mapping.MailRules
	mails  []*mail
	serial int
}

// writing are the commands that change something; no body of a test holds one.
var writing = regexp.MustCompile(`(?m)^\S+ (UID )?(APPEND|STORE|COPY|MOVE|EXPUNGE|CREATE|DELETE|RENAME) [^\r\n]*`)

// newMailbox opens the target for a mailbox.
func newMailbox(a *mailAccount, open func() sources.Source[sources.Message]) world {
	a.server = value(embedded.StartMail([]embedded.User{{Name: owner, Password: password}}))
	a.b.atEnd(func() { _ = a.server.Close() })
	a.proxy = value(faultnet.Start(a.server.Addr, faultnet.Options{Hook: func(p faultnet.Passage) faultnet.Verdict {
		if p.Direction == faultnet.ToServer {
			if p.Begins {
				a.b.wire.request()
			}
			for _, command := range writing.FindAll(p.Data, -1) {
				a.b.wire.wrote(string(command))
			}
		}
		a.b.wire.event()
		return faultnet.Verdict{}
	}}))
	a.b.atEnd(func() { _ = a.proxy.Close() })
	return world{account: a, model: a, pass: passOver(a.b, "mail", oneCollection("mailbox", open), a.deliver)}
}

// most: a token, the folders or labels, the changes; greeting, login and the mailboxes.
func (a *mailAccount) most() int { return 24 }

func (a *mailAccount) deliver(ctx context.Context, c opened[sources.Message], l checkpoint.Ledger) error {
	sink, err := imap.Open(ctx, imap.Options{URL: "imap://" + a.proxy.Addr(), User: owner, Password: password, Insecure: true})
	if err != nil {
		return err
	}
	defer func() { _ = sink.Close() }()
	return engine.New(c.source, mapping.MailRules{Labels: a.labels}.Message, sink, a.b.options()).Run(ctx, l)
}

// lines returns what the message should be on the target now; nil: nothing.
func (a *mailAccount) lines(m *mail) []string {
	if m.erased {
		return nil
	}
	boxes, flags := a.place(m)
	slices.Sort(flags)
	var out []string
	for _, b := range boxes {
		out = append(out, line(b, m.raw, flags, m.at))
	}
	return out
}

func line(box string, raw []byte, flags []string, at time.Time) string {
	subject, _, _ := strings.Cut(string(raw), "\r\n")
	return fmt.Sprintf("%s: %s %.4x %s %s", box, subject, sha256.Sum256(raw), strings.Join(flags, ","), at.UTC().Format(time.RFC3339))
}

func (a *mailAccount) live() map[string]int {
	n := 0
	for _, m := range a.mails {
		if a.lines(m) != nil {
			n++
		}
	}
	return map[string]int{"mailbox": n}
}

// expire implements account.
func (a *mailAccount) expire(*dice) { a.forget() }

func (a *mailAccount) passed(whole bool) {
	if !whole {
		return
	}
	for _, m := range a.mails {
		if now := a.lines(m); now != nil || a.b.propagate {
			m.lies = now
		}
	}
}

func (a *mailAccount) differences() (wrong []string) {
	there := map[string]int{}
	for _, b := range value(a.server.Mailboxes(owner)) {
		for _, m := range b.Messages {
			for i, f := range m.Flags {
				m.Flags[i] = strings.ToLower(f)
			}
			slices.Sort(m.Flags)
			there[line(b.Name, m.Body, m.Flags, m.InternalDate)]++
		}
	}
	for _, m := range a.mails {
		for _, l := range m.lies {
			there[l]--
		}
	}
	for _, l := range slices.Sorted(maps.Keys(there)) {
		switch n := there[l]; {
		case n > 0:
			wrong = append(wrong, fmt.Sprintf("too much, %d times: %s", n, l))
		case n < 0:
			wrong = append(wrong, fmt.Sprintf("missing, %d times: %s", -n, l))
		}
	}
	return wrong
}

// newMail returns a message that no other one is like, most of the time.
func (a *mailAccount) newMail(d *dice) *mail {
	a.serial++
	m := &mail{at: time.Date(2025, 4, 1, 8, 0, a.serial, 0, time.UTC), flags: map[string]bool{}}
	// A message that is there twice shares copies after an interruption: which of them has one cannot be told.
	if other, ok := pickAny(d, a.mails); ok && d.chance(8) && a.labels != "copies" {
		m.raw, m.at = other.raw, other.at
		return m
	}
	m.raw = fmt.Appendf(nil, "Subject: mail %d\r\nFrom: bob@example.org\r\nMessage-ID: <%d@example.org>\r\nDate: %s\r\n\r\ntext %d%s\r\n",
		a.serial, a.serial, m.at.Format(time.RFC1123Z), a.serial, strings.Repeat(".", d.IntN(40)))
	return m
}

// some returns a message that is not erased and of which the condition holds.
func (a *mailAccount) some(d *dice, condition func(*mail) bool) (*mail, bool) {
	var found []*mail
	for _, m := range a.mails {
		if !m.erased && condition(m) {
			found = append(found, m)
		}
	}
	return pickAny(d, found)
}

func any1(*mail) bool { return true }

func (m *mail) String() string {
	subject, _, _ := strings.Cut(strings.TrimPrefix(string(m.raw), "Subject: "), "\r\n")
	return fmt.Sprintf("%s (…%s)", subject, m.id[max(0, len(m.id)-4):])
}

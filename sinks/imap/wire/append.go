package wire

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Message is what APPEND sends.
type Message struct {
	// Flags are atoms and system flags; they are checked again, for nothing else may get into the command.
	Flags []string
	// Date is the INTERNALDATE; the zero Time leaves it to the server.
	Date time.Time
	// Size is the exact number of bytes that Open's reader yields; more than zero.
	Size int64
	Open func() (io.ReadCloser, error)
}

// Answer is what became of one message.
type Answer struct {
	// UIDValidity and UID are zero when the server did not tell them.
	UIDValidity, UID uint32
	// Err is nil when the message is stored, and a StatusError when the server refused it.
	Err error
}

// errSource marks an error of a message's own reader.
type errSource struct{ error }

func (e errSource) Unwrap() error { return e.error }

// Sent is an APPEND command on its way.
type Sent struct {
	tag      string
	messages int
	refused  error // the answer, if it came before all was sent
}

// Pipelines reports whether a command may be sent before the answer to the one before has come: where no literal has to wait
// for the server's consent (LITERAL+, RFC 7888).
func (c *Conn) Pipelines() bool { return c.Has("LITERAL+") }

// Atomic reports whether one command takes several messages, of which all are stored or none (MULTIAPPEND, RFC 3502).
func (c *Conn) Atomic() bool { return c.Has("MULTIAPPEND") }

// Send sends one APPEND of the messages to the mailbox, which is named as it goes over the wire but for the quotes: of a single message,
// or of more where the server is Atomic. Where it Pipelines, several commands may be sent before Answer is called for each, in their order.
//
// An error means that the connection is of no use any more but for the answers to what was sent before; what became of the
// messages is not known.
func (c *Conn) Send(mailbox string, messages []Message) (Sent, error) {
	for _, m := range messages {
		if err := m.check(); err != nil {
			return Sent{}, err
		}
	}
	sent, err := c.send(mailbox, messages)
	if err != nil {
		return Sent{}, c.lastWords(err)
	}
	c.open++
	return sent, nil
}

func (c *Conn) send(mailbox string, messages []Message) (Sent, error) {
	sent := Sent{tag: c.nextTag(), messages: len(messages)}
	head := sent.tag + " APPEND " + quote(mailbox)
	for _, m := range messages {
		wait, err := c.literal(head, m)
		if err != nil {
			return sent, err
		}
		if wait {
			err = c.flushAndWait(sent.tag)
			var refused *StatusError
			if errors.As(err, &refused) && refused.Status != "BYE" {
				sent.refused = refused
				return sent, nil
			}
			if err != nil {
				return sent, err
			}
		}
		if err := c.body(m); err != nil {
			return sent, err
		}
		head = ""
	}
	_, err := c.w.WriteString("\r\n")
	if err == nil {
		err = c.w.Flush()
	}
	return sent, err
}

// literal announces a message. wait says that the server has to agree before the bytes may follow.
func (c *Conn) literal(head string, m Message) (wait bool, err error) {
	plus := c.Has("LITERAL+") || m.Size <= 4096 && (c.Has("LITERAL-") || c.Has("IMAP4REV2"))
	sign := "+"
	if !plus {
		sign = ""
	}
	date := ""
	if !m.Date.IsZero() {
		date = m.Date.Format(` "02-Jan-2006 15:04:05 -0700"`)
	}
	_, err = fmt.Fprintf(c.w, "%s (%s)%s {%d%s}\r\n", head, strings.Join(m.Flags, " "), date, m.Size, sign)
	return !plus, err
}

func (c *Conn) flushAndWait(tag string) error {
	if err := c.w.Flush(); err != nil {
		return err
	}
	return c.waitContinue(tag)
}

func (c *Conn) body(m Message) error {
	r, err := m.Open()
	if err != nil {
		return errSource{err}
	}
	defer func() { _ = r.Close() }()
	n, err := c.w.ReadFrom(source{io.LimitReader(r, m.Size)})
	if err == nil && n != m.Size {
		err = errSource{fmt.Errorf("the message has %d bytes instead of %d", n, m.Size)}
	}
	return err
}

// Answer reads the answer to the oldest command that has none yet, with one Answer for each of its messages: all the same where there are several.
//
// An error means that the connection is of no use any more, and that it is not known what became of the messages.
func (c *Conn) Answer(sent Sent) ([]Answer, error) {
	c.open--
	answers := make([]Answer, sent.messages)
	var r response
	err := sent.refused
	if err == nil {
		r, err = c.wait(sent.tag)
	}
	var status *StatusError
	if errors.As(err, &status) && status.Status != "BYE" {
		for i := range answers {
			answers[i].Err = status
		}
		return answers, nil
	}
	if err != nil {
		return nil, err
	}
	if validity, uids, ok := appendUIDs(r.args, len(answers)); ok && r.code == "APPENDUID" {
		for i, uid := range uids {
			answers[i] = Answer{UIDValidity: validity, UID: uid}
		}
	}
	return answers, nil
}

// lastWords returns what the server said before it cut the connection, if that can still be read, and otherwise err. What it said to
// earlier commands is left to Answer.
func (c *Conn) lastWords(err error) error {
	var own errSource
	var status *StatusError
	if errors.As(err, &own) || errors.As(err, &status) {
		return err
	}
	c.pace.timeout = time.Second
	if c.open > 0 {
		return err
	}
	for range maxChatter {
		r, readErr := c.read()
		if readErr != nil {
			return err
		}
		if r.status == "BYE" || r.status == "NO" || r.status == "BAD" {
			return errors.Join(r.failure(), err)
		}
	}
	return err
}

func (m Message) check() error {
	if m.Size <= 0 {
		return errSource{errors.New("a message without bytes cannot be appended")}
	}
	for _, f := range m.Flags {
		if !IsAtom(strings.TrimPrefix(f, `\`)) {
			return errSource{fmt.Errorf("%q is no flag", f)}
		}
	}
	return nil
}

// IsAtom reports whether s is an atom by RFC 9051 §9, and so may be a keyword.
func IsAtom(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte(`(){%*"\]`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}

// quote returns the quoted string of s, which holds no line break.
func quote(s string) string {
	return `"` + quoted.Replace(s) + `"`
}

var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "", "\x00", "")

// source marks errors of the reader, so that they are told from errors of the network.
type source struct{ io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = errSource{err}
	}
	return n, err
}

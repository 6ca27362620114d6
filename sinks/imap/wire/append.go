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

// Append appends the messages to the mailbox, named as it goes over the wire but for the quotes. Where the server has
// MULTIAPPEND and atomic is wanted all of them are stored or none: each Answer then tells the same. Otherwise each is a
// command of its own; with LITERAL+ these follow one another without waiting.
//
// An error means that the connection is of no use any more; what became of messages without an answer is not known.
func (c *Conn) Append(mailbox string, messages []Message, atomic bool) ([]Answer, error) {
	for _, m := range messages {
		if err := m.check(); err != nil {
			return nil, err
		}
	}
	if atomic && len(messages) > 1 && c.Has("MULTIAPPEND") {
		return c.multi(mailbox, messages)
	}
	answers := make([]Answer, len(messages))
	if !c.Has("LITERAL+") {
		for i := range messages {
			sent, err := c.send(mailbox, messages[i:i+1])
			if err == nil {
				err = c.answer(sent, answers[i:i+1])
			}
			if err != nil {
				return answers[:i], err
			}
		}
		return answers, nil
	}
	return c.pipeline(mailbox, messages, answers)
}

func (c *Conn) multi(mailbox string, messages []Message) ([]Answer, error) {
	sent, err := c.send(mailbox, messages)
	if err != nil {
		return nil, err
	}
	answers := make([]Answer, len(messages))
	if err := c.answer(sent, answers); err != nil {
		return nil, err
	}
	return answers, nil
}

func (c *Conn) pipeline(mailbox string, messages []Message, answers []Answer) ([]Answer, error) {
	tags := make([]command, len(messages))
	for i := range messages {
		var err error
		if tags[i], err = c.send(mailbox, messages[i:i+1]); err != nil {
			return c.drain(tags[:i], answers, err)
		}
	}
	for i := range tags {
		if err := c.answer(tags[i], answers[i:i+1]); err != nil {
			return answers[:i], err
		}
	}
	return answers, nil
}

// drain reads the answers that came before the connection broke.
func (c *Conn) drain(tags []command, answers []Answer, broken error) ([]Answer, error) {
	for i := range tags {
		if err := c.answer(tags[i], answers[i:i+1]); err != nil {
			return answers[:i], broken
		}
	}
	return answers[:len(tags)], broken
}

// command is an APPEND on its way; refused is the answer if it came before all was sent.
type command struct {
	tag     string
	refused error
}

// send sends one APPEND command with its messages.
func (c *Conn) send(mailbox string, messages []Message) (command, error) {
	sent := command{tag: c.nextTag()}
	head := sent.tag + " APPEND " + quote(mailbox)
	for _, m := range messages {
		wait, err := c.literal(head, m)
		if err != nil {
			return sent, c.lastWords(err)
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
			return sent, c.lastWords(err)
		}
		head = ""
	}
	_, err := c.w.WriteString("\r\n")
	if err == nil {
		err = c.w.Flush()
	}
	return sent, c.lastWords(err)
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
		return c.lastWords(err)
	}
	return c.waitContinue(tag)
}

func (c *Conn) body(m Message) error {
	r, err := m.Open()
	if err != nil {
		return errSource{err}
	}
	defer func() { _ = r.Close() }()
	n, err := io.Copy(onlyWriter{c.w}, source{io.LimitReader(r, m.Size)})
	if err == nil && n != m.Size {
		err = errSource{fmt.Errorf("the message has %d bytes instead of %d", n, m.Size)}
	}
	return err
}

// answer reads the answer to a command into one Answer for each of its messages.
func (c *Conn) answer(sent command, answers []Answer) error {
	if sent.refused != nil {
		for i := range answers {
			answers[i].Err = sent.refused
		}
		return nil
	}
	r, err := c.wait(sent.tag)
	var status *StatusError
	if errors.As(err, &status) && status.Status != "BYE" {
		for i := range answers {
			answers[i].Err = status
		}
		return nil
	}
	if err != nil {
		return err
	}
	if r.code == "APPENDUID" {
		if validity, uids, ok := appendUIDs(r.args, len(answers)); ok {
			for i, uid := range uids {
				answers[i] = Answer{UIDValidity: validity, UID: uid}
			}
		}
	}
	return nil
}

// lastWords returns what the server said before it cut the connection, if that can still be read, and otherwise err.
func (c *Conn) lastWords(err error) error {
	var own errSource
	if err == nil || errors.As(err, &own) {
		return err
	}
	c.pace.timeout = time.Second
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
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "", "\x00", "").Replace(s) + `"`
}

// source marks errors of the reader, so that they are told from errors of the network.
type source struct{ io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = errSource{err}
	}
	return n, err
}

// onlyWriter hides ReadFrom, which would flush the buffer for each small message.
type onlyWriter struct{ io.Writer }

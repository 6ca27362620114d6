// Package wire is an IMAP connection that does one thing: it appends messages, as fast as the server takes them.
//
// It speaks the greeting, STARTTLS, LOGIN and AUTHENTICATE PLAIN, CAPABILITY, NOOP, and APPEND with what RFC 3502
// (MULTIAPPEND), RFC 7888 (LITERAL+, LITERAL-) and RFC 4315 (UIDPLUS) add to it. Literals are streamed. Everything that
// the server says is bounded: lines, literals, the number of answers, and the time that it may be silent.
package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const (
	// writeBuffer is the size of one write to the network.
	writeBuffer = 64 << 10
	// DefaultTimeout is how long a server may be silent, or refuse to take bytes, when nothing else is said.
	DefaultTimeout = 5 * time.Minute
	// maxChatter is how many untagged responses may precede an answer.
	maxChatter = 10_000
)

// noDeadline takes a deadline away.
var noDeadline time.Time

// ErrProtocol says that the server sent what is no IMAP response, or more of it than is sensible.
var ErrProtocol = errors.New("the answer does not follow the IMAP protocol")

// StatusError is an answer other than OK (RFC 9051 §7.1).
type StatusError struct {
	// Status is NO, BAD or BYE.
	Status string
	// Code is the response code in upper case without its arguments, such as OVERQUOTA; may be empty.
	Code string
	// Text is the server's words, as sent.
	Text string
}

func (e *StatusError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the server answered %s: %q", e.Status, e.Text)
	}
	return fmt.Sprintf("the server answered %s [%s]: %q", e.Status, e.Code, e.Text)
}

// Conn is a connection. It is for one goroutine at a time, but for Close.
type Conn struct {
	net  net.Conn
	pace *paced
	r    *bufio.Reader
	w    *bufio.Writer
	caps map[string]bool
	tag  int
	open int // commands that were sent and have no answer yet
	used time.Time
	// Commands counts the commands sent.
	Commands int
}

// New takes over a network connection and reads the server's greeting. timeout is how long the server may be silent;
// zero means DefaultTimeout. When New fails the connection is closed.
func New(nc net.Conn, timeout time.Duration) (*Conn, error) {
	if timeout <= 0 {
		timeout = DefaultTimeout
	}
	c := &Conn{pace: &paced{timeout: timeout}}
	c.attach(nc)
	r, err := c.read()
	if err == nil && (r.tag != "*" || r.status != "OK" && r.status != "PREAUTH") {
		err = r.failure()
	}
	if err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("greeting: %w", err)
	}
	return c, nil
}

func (c *Conn) attach(nc net.Conn) {
	c.net, c.pace.Conn = nc, nc
	c.r = bufio.NewReaderSize(c.pace, 8<<10)
	c.w = bufio.NewWriterSize(c.pace, writeBuffer)
	c.used = time.Now()
}

// Close cuts the connection. It may be called at any time, from any goroutine, and ends what the connection is doing.
func (c *Conn) Close() error { return c.net.Close() }

// Logout says goodbye and closes the connection; it waits for no answer.
func (c *Conn) Logout() error {
	_ = c.net.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(c.net, c.nextTag()+" LOGOUT\r\n")
	return c.net.Close()
}

// Has reports whether the server offers a capability, given in upper case.
func (c *Conn) Has(capability string) bool { return c.caps[capability] }

// idleCheck is how long a connection may be unused before it is asked whether it still works.
const idleCheck = time.Minute

// Alive reports whether the connection can be used: a server ends idle ones with BYE or without a word.
func (c *Conn) Alive() bool {
	if time.Since(c.used) > idleCheck {
		_, err := c.command("NOOP")
		return err == nil
	}
	for range maxChatter {
		if quiet, err := c.quiet(); quiet || err != nil {
			return err == nil
		}
		if r, err := c.read(); err != nil || r.status == "BYE" {
			return false
		}
	}
	return false
}

// quiet reports whether the server has nothing to say at the moment.
func (c *Conn) quiet() (bool, error) {
	if c.r.Buffered() > 0 {
		return false, nil
	}
	defer func(t time.Duration) { c.pace.timeout = t }(c.pace.timeout)
	c.pace.timeout = time.Millisecond
	_, err := c.r.Peek(1)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true, nil
	}
	return false, err
}

func (c *Conn) nextTag() string {
	c.tag++
	c.Commands++
	return fmt.Sprintf("A%d", c.tag)
}

// command sends one command and returns its OK; any other answer is a StatusError.
func (c *Conn) command(text string) (response, error) {
	tag := c.nextTag()
	if _, err := c.w.WriteString(tag + " " + text + "\r\n"); err != nil {
		return response{}, err
	}
	if err := c.w.Flush(); err != nil {
		return response{}, err
	}
	return c.wait(tag)
}

// wait reads up to the answer with the tag.
func (c *Conn) wait(tag string) (response, error) {
	for range maxChatter {
		r, err := c.read()
		switch {
		case err != nil:
			return r, err
		case r.tag == tag && r.status == "OK":
			return r, nil
		case r.tag == tag, r.status == "BYE":
			return r, r.failure()
		case r.tag != "*":
			return r, fmt.Errorf("%w: an answer to no command", ErrProtocol)
		}
	}
	return response{}, fmt.Errorf("%w: too many responses", ErrProtocol)
}

// read returns the next response and takes note of capabilities.
func (c *Conn) read() (response, error) {
	line, err := readLine(c.r)
	if err != nil {
		return response{}, err
	}
	r, err := parse(line)
	if err != nil {
		return response{}, err
	}
	c.used = time.Now()
	if r.code == "CAPABILITY" {
		c.setCaps(r.args)
	} else if list, ok := cutPrefixFold(r.text, "CAPABILITY "); ok && r.tag == "*" && r.status == "" {
		c.setCaps(list)
	}
	return r, nil
}

func (c *Conn) setCaps(list string) {
	c.caps = map[string]bool{}
	for _, name := range strings.Fields(list) {
		c.caps[strings.ToUpper(name)] = true
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}

// paced gives each read and write its own deadline: what counts is that the server goes on, not how long all of it takes.
type paced struct {
	net.Conn
	timeout time.Duration
}

func (p *paced) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(p.timeout))
	return p.Conn.Read(b)
}

func (p *paced) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(p.timeout))
	return p.Conn.Write(b)
}

package wire

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// ErrNoTLS says that the server does not offer STARTTLS.
var ErrNoTLS = errors.New("the server does not offer STARTTLS")

// StartTLS encrypts the connection (RFC 9051 §6.2.1). What the server said before is forgotten.
func (c *Conn) StartTLS(ctx context.Context, config *tls.Config) error {
	if err := c.needCaps(); err != nil {
		return err
	}
	if !c.Has("STARTTLS") {
		return ErrNoTLS
	}
	if _, err := c.command("STARTTLS"); err != nil {
		return fmt.Errorf("STARTTLS: %w", err)
	}
	if c.r.Buffered() > 0 { // somebody put plain text in front of the encrypted answers
		return fmt.Errorf("STARTTLS: %w: bytes after the answer", ErrProtocol)
	}
	c.caps = nil
	encrypted := tls.Client(c.net, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("STARTTLS: %w", err)
	}
	c.attach(encrypted)
	return nil
}

// Login logs in with AUTHENTICATE PLAIN (RFC 4616), acting for identity when that is not empty, or with LOGIN where the
// server does not offer PLAIN. The capabilities are known afterwards.
func (c *Conn) Login(identity, user, password string) error {
	if err := c.needCaps(); err != nil {
		return err
	}
	var err error
	switch {
	case c.Has("AUTH=PLAIN"):
		err = c.authenticate(identity + "\x00" + user + "\x00" + password)
	case identity != "":
		err = &StatusError{Status: "NO", Code: "AUTHENTICATIONFAILED", Text: "the server does not offer AUTH=PLAIN"}
	default:
		c.caps = nil
		err = c.login(user, password)
	}
	if err != nil {
		return fmt.Errorf("login: %w", err)
	}
	return c.needCaps()
}

func (c *Conn) authenticate(plain string) error {
	secret := base64.StdEncoding.EncodeToString([]byte(plain))
	initial := c.Has("SASL-IR")
	c.caps = nil
	if initial {
		_, err := c.command("AUTHENTICATE PLAIN " + secret)
		return err
	}
	tag, err := c.begin("AUTHENTICATE PLAIN\r\n")
	if err != nil {
		return err
	}
	if _, err := c.w.WriteString(secret + "\r\n"); err != nil {
		return err
	}
	if err := c.w.Flush(); err != nil {
		return err
	}
	_, err = c.wait(tag)
	return err
}

// login sends user and password as literals, which take any byte.
func (c *Conn) login(user, password string) error {
	tag, err := c.begin(fmt.Sprintf("LOGIN {%d}\r\n", len(user)))
	if err != nil {
		return err
	}
	if err := c.more(tag, fmt.Sprintf("%s {%d}\r\n", user, len(password))); err != nil {
		return err
	}
	if _, err := c.w.WriteString(password + "\r\n"); err != nil {
		return err
	}
	if err := c.w.Flush(); err != nil {
		return err
	}
	_, err = c.wait(tag)
	return err
}

// begin sends a command up to where the server has to ask for more.
func (c *Conn) begin(text string) (tag string, err error) {
	tag = c.nextTag()
	return tag, c.more(tag, tag+" "+text)
}

func (c *Conn) more(tag, text string) error {
	if _, err := c.w.WriteString(text); err != nil {
		return err
	}
	if err := c.w.Flush(); err != nil {
		return err
	}
	return c.waitContinue(tag)
}

// waitContinue reads up to the continuation request. A tagged answer instead of it is a StatusError.
func (c *Conn) waitContinue(tag string) error {
	for range maxChatter {
		r, err := c.read()
		switch {
		case err != nil:
			return err
		case r.tag == "+":
			return nil
		case r.tag == tag, r.status == "BYE":
			return r.failure()
		case r.tag != "*":
			return fmt.Errorf("%w: an answer to no command", ErrProtocol)
		}
	}
	return fmt.Errorf("%w: too many responses", ErrProtocol)
}

func (c *Conn) needCaps() error {
	if c.caps != nil {
		return nil
	}
	if _, err := c.command("CAPABILITY"); err != nil {
		return fmt.Errorf("CAPABILITY: %w", err)
	}
	if c.caps == nil {
		return fmt.Errorf("CAPABILITY: %w: no capabilities", ErrProtocol)
	}
	return nil
}

// AppendLimit returns the largest message that the server takes, by RFC 7889; ok is false if it does not tell.
func (c *Conn) AppendLimit() (limit int64, ok bool) {
	for name := range c.caps {
		if value, found := strings.CutPrefix(name, "APPENDLIMIT="); found {
			n, err := number(value)
			return int64(n), err == nil
		}
	}
	return 0, false
}

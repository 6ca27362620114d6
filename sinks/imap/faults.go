package imap

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/emersion/go-imap/v2"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sinks/imap/wire"
)

// classify returns err with its meaning, and without the password. An error that has a meaning keeps it.
func (s *Sink) classify(op string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	status := statusOf(err)
	if status != nil && status.Status != "BYE" {
		f := meaning(status)
		f.Err = fmt.Errorf("%s: %w", op, s.tidy(status))
		return f
	}
	if status != nil {
		err = s.tidy(status)
	}
	reason := fault.TargetUnavailable
	if errors.Is(err, wire.ErrProtocol) {
		reason = fault.TargetBadAnswer
	}
	return fault.New(fault.Retry, reason, "%s: %w", op, s.masked(err))
}

// masked returns err without the password in its text, and with no more of it than is worth keeping.
func (s *Sink) masked(err error) error {
	text := httpx.OneLine(s.mask.Text(err.Error()))
	if text == err.Error() {
		return err
	}
	return maskedError{text, err}
}

type maskedError struct {
	text string
	err  error
}

func (e maskedError) Error() string { return e.text }
func (e maskedError) Unwrap() error { return e.err }

// statusOf returns the server's answer in err, or nil.
func statusOf(err error) *wire.StatusError {
	var ours *wire.StatusError
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *imap.Error
	if errors.As(err, &theirs) {
		return &wire.StatusError{Status: string(theirs.Type), Code: strings.ToUpper(string(theirs.Code)), Text: theirs.Text}
	}
	return nil
}

// hintLogin is for refused credentials.
const hintLogin = "check the user and password of the account (or of the master user) on the target"

// meaning says what is to be done about a NO or BAD (RFC 9051 §7.1, RFC 4469 §3 for TOOBIG, RFC 9208 for OVERQUOTA).
func meaning(s *wire.StatusError) *fault.Error {
	switch s.Code {
	case "OVERQUOTA":
		return &fault.Error{Action: fault.FailTask, Reason: fault.TargetQuota, Hint: "the account is full: raise its quota and run again"}
	case "TOOBIG":
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetTooBig}
	case "LIMIT", "TOOMANY":
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetLimit}
	case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED":
		return &fault.Error{Action: fault.FailTask, Reason: fault.TargetAuth, Hint: hintLogin}
	case "UNAVAILABLE", "SERVERBUG", "CONTACTADMIN":
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetUnavailable}
	case "ALREADYEXISTS": // Dovecot's answer to APPEND when another session opens a mailbox for the first time at the same moment
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetUnavailable}
	case "INUSE":
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetLocked}
	case "NOPERM":
		return &fault.Error{Action: fault.FailItem, Reason: fault.TargetForbidden}
	case "TRYCREATE", "NONEXISTENT":
		return &fault.Error{Action: fault.Retry, Reason: fault.TargetConflict, Hint: "the mailbox vanished"}
	}
	return &fault.Error{Action: fault.FailItem, Reason: fault.TargetInvalid}
}

// maxWords is how much of the server's words is kept.
const maxWords = 300

// tidy returns the answer with words that are safe to show. Some servers repeat a command that they refuse, LOGIN among them.
func (s *Sink) tidy(a *wire.StatusError) *wire.StatusError {
	text := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s.mask.Text(a.Text), ""))
	if len(text) > maxWords {
		text = strings.ToValidUTF8(text[:maxWords], "") + "…"
	}
	code := a.Code
	if len(code) > 40 || !wire.IsAtom(code) {
		code = ""
	}
	return &wire.StatusError{Status: a.Status, Code: code, Text: text}
}

// conflict says that the target was changed by somebody else, whose version stays.
func conflict(format string, args ...any) error {
	return fault.New(fault.FailItem, fault.TargetConflict, format, args...)
}

// refused reports whether the server answered NO or BAD, so that the connection is still good.
func refused(err error) bool {
	s := statusOf(err)
	return s != nil && s.Status != "BYE"
}

// Package fault says what an error means for the work that met it.
//
// An error is classified once, at the edge that knows the protocol (a source or a sink), acted on once, in the
// engine, and counted once, from the records. An error that nobody classified is retried a bounded number of times
// and then fails its item; it is never taken for a skip.
package fault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Action is what is to be done about an error.
type Action uint8

const (
	// Retry asks for the same call again after a pause; see Error.After.
	Retry Action = iota
	// Skip leaves the item out for a documented, lasting and consistent reason. A transient error is never a skip.
	Skip
	// FailItem gives this item up for now and goes on with the others; the retry command takes it up again.
	FailItem
	// FailTask stops the whole task: nothing else in it could succeed either. With After it is parked that long.
	FailTask
)

// String returns the name of the action for logs.
func (a Action) String() string {
	return [...]string{"retry", "skip", "fail item", "fail task"}[a&3]
}

// Reason is the stable, documented name of a cause, such as "source.malware". Reports count by it, so that it never
// carries anything of the item.
type Reason string

// Error is an error together with its meaning.
type Error struct {
	Action Action
	Reason Reason
	// After is the least pause that the other side asked for. With Retry it is the pause before the next attempt,
	// with FailTask the time after which the task may be started again (a daily cap). Zero: nothing was asked.
	After time.Duration
	// Hint tells an administrator what to do about it; may be empty.
	Hint string
	// Err is the cause, with the operation that met it. It never holds a secret.
	Err error
}

// New returns an Error of the given meaning; format and args make its cause and may wrap an error with %w.
func New(a Action, r Reason, format string, args ...any) *Error {
	return &Error{Action: a, Reason: r, Err: fmt.Errorf(format, args...)}
}

// WithAfter returns a copy of e that asks for a pause of at least d.
func (e *Error) WithAfter(d time.Duration) *Error {
	c := *e
	c.After = d
	return &c
}

// WithHint returns a copy of e that tells the administrator what to do.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return string(e.Reason)
	case e.Hint != "":
		return fmt.Sprintf("%v (%s): %s", e.Err, e.Reason, e.Hint)
	default:
		return fmt.Sprintf("%v (%s)", e.Err, e.Reason)
	}
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Of returns the meaning of err: the first Error in its chain, or Retry with the reason Unknown for an error that
// nobody classified. It returns nil for a nil err. Cancellation is no fault: ask Cancelled first.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Action: Retry, Reason: Unknown, Err: err}
}

// Cancelled reports whether ctx has ended. Work that is stopped so has not failed; it is left as it was, and the next
// run finds it again. Only the caller's own context counts: a deadline inside a client is an ordinary error.
func Cancelled(ctx context.Context) bool { return ctx.Err() != nil }

// maxText bounds what is kept of an error's text, in bytes.
const maxText = 2000

// Text returns the text of an error for records: as it is, unless it is of a length that says nothing more to anybody.
func Text(err error) string {
	s := err.Error()
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "…"
	}
	return s
}

package progress

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/report"
)

// event is something that people are told of in a line of its own: an item that failed, a task that stopped, or a message.
type event struct {
	account, kind string
	called        string    // the account's name for people
	title, reason string    // of an item
	cause         error     // of a task
	until         time.Time // when the task goes on; the zero time if nobody knows
	message       string
}

// news are the events that were not told yet. Those beyond a few are counted.
type news struct {
	events []event
	items  int // of them
	more   int
}

// mostNews bounds the items that are told of at once, four times as much all events, and tellEvery is how often that is.
const (
	mostNews  = 5
	tellEvery = time.Second
)

// say takes note of an event. Items leave room for messages and for tasks that stopped.
func (n *news) say(e event) {
	item := e.message == "" && e.cause == nil
	switch {
	case item && n.items == mostNews, len(n.events) == 4*mostNews:
		n.more++
		return
	case item:
		n.items++
	}
	n.events = append(n.events, e)
}

// Bounds of what a line shows, in characters.
const (
	maxName  = 60
	maxTitle = 60
	maxCause = 300
)

// text says what happened on one line. Names of others are shown without what could steer the terminal.
func (e event) text() string {
	whose := cmp.Or(e.called, report.Clean(e.account, maxName)) + ", " + e.kind
	switch {
	case e.message != "":
		return e.message
	case e.cause != nil:
		parked := ""
		if !e.until.IsZero() {
			parked = "; parked until " + clock(e.until, time.Now())
		}
		return fmt.Sprintf("stopped: %s: %s%s", whose, report.Clean(e.cause.Error(), maxCause), parked)
	case e.title == "":
		return fmt.Sprintf("failed: %s: an item: %s", whose, e.reason)
	}
	return fmt.Sprintf("failed: %s: %s: %s", whose, report.Clean(e.title, maxTitle), e.reason)
}

// log writes the event for programs. Titles stay out of logs.
func (e event) log(to *slog.Logger) {
	switch {
	case e.message != "":
		to.Info(e.message)
	case e.cause != nil:
		attrs := []any{"account", e.account, "kind", e.kind, "reason", fault.Of(e.cause).Reason, "error", e.cause}
		if !e.until.IsZero() {
			attrs = append(attrs, "until", e.until)
		}
		to.Warn("task stopped", attrs...)
	default:
		to.Warn("item failed", "account", e.account, "kind", e.kind, "reason", e.reason)
	}
}

// clock tells a time for people: that of day, with the day if it is another one.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("Mon 2 Jan 15:04")
}

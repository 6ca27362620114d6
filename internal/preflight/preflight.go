// Package preflight finds out whether a migration can begin: what keeps it from beginning, for whom, and what to do about it.
//
// What is looked at are Checks, which sources and sinks offer for what they know; this package runs them side by side, skips those that
// an earlier one made idle, and says once what is the same for many accounts.
package preflight

import (
	"context"
	"fmt"

	"codeberg.org/repatriate/repatriate/fault"
)

// Level says how much a finding matters.
type Level uint8

// The levels.
const (
	OK      Level = iota
	Warning       // the migration can begin, and something will be missing or slow
	Error         // the migration cannot begin for whom it concerns
)

// String returns the level as one word.
func (l Level) String() string { return [...]string{"ok", "warning", "error", "?"}[l&3] }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Side is what is looked at.
type Side string

// The sides.
const (
	Source Side = "source"
	Target Side = "target"
)

// Finding is one thing that was found out.
type Finding struct {
	Level Level `json:"level"`
	// Side says what it concerns.
	Side Side `json:"side"`
	// Reason is the one that a run would meet; may be empty.
	Reason fault.Reason `json:"reason,omitempty"`
	// What was found, Why it matters, and what to Do about it. Why and Do may be empty.
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	Do   string `json:"do,omitempty"`
}

// Log takes what one check finds. It is for one goroutine.
type Log struct {
	found []Finding
	used  int64 // bytes that the source holds; 0: not known
	room  int64 // bytes that the target has left, plus one; 0: not known
}

// OK notes what is well.
func (l *Log) OK(format string, args ...any) {
	l.found = append(l.found, Finding{What: fmt.Sprintf(format, args...)})
}

// Warn notes what does not keep the migration from beginning.
func (l *Log) Warn(what, why, do string) {
	l.found = append(l.found, Finding{Level: Warning, What: what, Why: why, Do: do})
}

// Fail notes an error by its meaning; see Of.
func (l *Log) Fail(err error) { l.found = append(l.found, Of(err)) }

// Refuse notes what keeps the migration from beginning.
func (l *Log) Refuse(r fault.Reason, what, do string) {
	l.found = append(l.found, Finding{Level: Error, Reason: r, What: what, Why: whys[r], Do: do})
}

// Uses notes how many bytes the source holds.
func (l *Log) Uses(bytes int64) { l.used = bytes }

// Room notes how many bytes the target has left.
func (l *Log) Room(bytes int64) { l.room = max(bytes, 0) + 1 }

// Findings returns what was noted so far.
func (l *Log) Findings() []Finding { return l.found }

func (l *Log) failed() bool {
	for _, f := range l.found {
		if f.Level == Error {
			return true
		}
	}
	return false
}

// Probe looks at one thing and notes what it finds. An error is a finding, too: see Of.
type Probe func(ctx context.Context, l *Log) error

// Check is a Probe with what it looks at.
type Check struct {
	Side Side
	// Kinds are what of the job depends on it; none: all kinds. An error makes later checks of the same side for these kinds idle.
	Kinds []string
	// Login names the server and the account there that is logged in with; empty: none that other checks share. One that was refused once is
	// not tried again: servers lock out whoever tries a wrong password too often.
	Login string
	Probe Probe
}

// kind returns what it looks at; nothing if that is no single kind.
func (c Check) kind() []string {
	if len(c.Kinds) == 1 {
		return c.Kinds
	}
	return nil
}

// Account is one account of the job with its checks, which are made in their order.
type Account struct {
	Name string
	// Also are further names, such as the one on the target, by which texts may call it.
	Also   []string
	Checks []Check
}

// Of returns an error as a finding: with the hint of its fault, and with what a run would call it.
func Of(err error) Finding {
	f := fault.Of(err)
	what := err.Error()
	if f.Err != nil {
		what = f.Err.Error()
	}
	return Finding{Level: Error, Reason: f.Reason, What: what, Why: whys[f.Reason], Do: f.Hint}
}

// whys say what follows from a reason for a migration that is about to begin.
var whys = map[fault.Reason]string{
	fault.Unknown:            "a run would meet the same error",
	fault.SourceAuth:         "without a token nothing can be read",
	fault.SourceScopeMissing: "what the permission is for cannot be read",
	fault.SourceForbidden:    "the account cannot be read",
	fault.SourceServiceOff:   "there is nothing to read, and the collection would stop",
	fault.SourceSuspended:    "the provider gives nothing of a suspended account",
	fault.SourceAccountGone:  "there is nobody to read",
	fault.SourceUnavailable:  "the provider cannot be reached",
	fault.SourceThrottled:    "a quota is used up for the moment",
	fault.SourceDailyLimit:   "nothing more can be read today",
	fault.TargetAuth:         "nothing can be written without a login",
	fault.TargetForbidden:    "nothing can be written",
	fault.TargetQuota:        "what does not fit fails",
	fault.TargetInvalid:      "nothing can be written where nothing is",
	fault.TargetUnavailable:  "the target cannot be reached",
	fault.TargetBadAnswer:    "no answer of this server can be relied on",
	fault.TargetUnsupported:  "what a run needs is not there",
	fault.TargetHeard:        "importing calendars would mail people",
	fault.TargetThrottled:    "the target asks to slow down",
	fault.TargetLimit:        "collections that are missing on the target cannot be made",
	fault.TargetConflict:     "something else lies where the check wants to write",
}

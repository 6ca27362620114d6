package imap

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// place is where a message lies. UIDs are never used twice while UIDVALIDITY stays (RFC 9051 §2.3.1.1).
type place struct {
	mailbox       string
	validity, uid uint32
}

// String writes the place like the path of an IMAP URL (RFC 5092): "INBOX;UIDVALIDITY=7/;UID=42".
func (p place) String() string {
	return fmt.Sprintf("%s;UIDVALIDITY=%d/;UID=%d", url.PathEscape(p.mailbox), p.validity, p.uid)
}

// parsePlace reads what String wrote.
func parsePlace(s string) (place, error) {
	fail := func() (place, error) {
		return place{}, fault.New(fault.FailItem, fault.TargetBadAnswer, "the receipt %q names no message", s)
	}
	box, rest, ok := strings.Cut(s, ";UIDVALIDITY=")
	validity, uid, ok2 := strings.Cut(rest, "/;UID=")
	if !ok || !ok2 {
		return fail()
	}
	name, err := url.PathUnescape(box)
	v, err2 := strconv.ParseUint(validity, 10, 32)
	u, err3 := strconv.ParseUint(uid, 10, 32)
	if err != nil || err2 != nil || err3 != nil || name == "" || v == 0 || u == 0 {
		return fail()
	}
	return place{name, uint32(v), uint32(u)}, nil
}

// state is what a receipt remembers beyond the place.
type state struct {
	// Flags are those that were written, by which a later pass tells the user's changes from the source's.
	Flags []string `json:"flags,omitempty"`
	// Copies are the places of further copies.
	Copies []string `json:"copies,omitempty"`
	// MessageID, Size and Date find the message again when UIDVALIDITY has changed.
	MessageID string `json:"mid,omitempty"`
	Size      int64  `json:"size,omitempty"`
	Date      int64  `json:"date,omitempty"`
	// Losses are those of the message's bytes and date, which only its writing showed.
	Losses []sinks.Loss `json:"losses,omitempty"`
	// Digest is that of what the server holds, where it is not that of the bytes that were read.
	Digest string `json:"digest,omitempty"`
	// Found says that the message, or a copy of it, was found by a search and not written, and that it may have been there before.
	Found bool `json:"found,omitempty"`
	// Made are the names of the mailboxes that were made for the message to lie in.
	Made []string `json:"made,omitempty"`
	// Next is what a write under way makes of the message; with an item that has a place, what lies there may still be as it was.
	Next *intent `json:"next,omitempty"`
}

func (s state) String() string {
	b, _ := json.Marshal(s) // strings and numbers alone
	return string(b)
}

func parseState(s string) (state, error) {
	var st state
	if s == "" {
		return st, nil
	}
	if err := json.Unmarshal([]byte(s), &st); err != nil {
		return st, fault.New(fault.FailItem, fault.TargetBadAnswer, "the receipt's state cannot be read: %w", err)
	}
	return st, nil
}

// traits returns by what the message is found again.
func (s state) traits() traits {
	t := traits{messageID: s.MessageID, size: s.Size}
	if s.Date != 0 {
		t.date = time.Unix(s.Date, 0)
	}
	return t
}

// traits tell one message from another.
type traits struct {
	// messageID is empty where the message has none that can be searched for.
	messageID string
	// size is that of the message as it was sent to the server.
	size int64
	// date is the INTERNALDATE; the zero Time if the server chose it.
	date time.Time
	// digest is the SHA-256 of what was sent; nil if it is not known.
	digest []byte
}

func (t traits) state() state {
	s := state{MessageID: t.messageID, Size: t.size}
	if !t.date.IsZero() {
		s.Date = t.date.Unix()
	}
	return s
}

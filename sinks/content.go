package sinks

import (
	"errors"
	"strings"
	"time"
)

// File is one node of a WebDAV tree.
type File struct {
	// Path is where the node is to lie, by segments from the account's root; each is a legal name on the target.
	// In the receipt it stands in Location as PathLocation writes it.
	Path   []string
	Folder bool
	// Created and Modified are kept where the target takes them; zero if unknown.
	Created, Modified time.Time
	MediaType         string
	Body              Body
}

// PathLocation returns the Location of a path: its segments joined by "/". No segment may hold a "/".
func PathLocation(path []string) string { return strings.Join(path, "/") }

// LocationPath returns the segments of a Location that PathLocation made.
func LocationPath(location string) []string {
	if location == "" {
		return nil
	}
	return strings.Split(location, "/")
}

// Message is one mail of an IMAP account.
type Message struct {
	// Mailbox is where the message lies, by levels; ["INBOX"] is the inbox.
	Mailbox Mailbox
	// Copies are further mailboxes that are to show it as well.
	Copies []Mailbox
	// Flags are system flags (\Seen) and keywords ($Important) by RFC 9051 §2.3.2.
	Flags []string
	// InternalDate is when the message was received.
	InternalDate time.Time
	// MessageID is the Message-ID without angle brackets, if known before reading; may be empty.
	MessageID string
	// Body is the message by RFC 5322.
	Body Body
}

// Mailbox names a mailbox by levels, in Unicode; the sink writes the delimiter and the encoding.
type Mailbox struct {
	Path []string
	// Use is a special use by RFC 6154, such as \Sent, or empty. A mailbox of that use is taken whatever its name.
	Use string
}

// Event is one calendar object resource by RFC 4791 §4.1.
type Event struct {
	UID string
	// Data is the iCalendar object by RFC 5545, with CRLF, complete with its time zones.
	Data []byte
	// Times is a digest of when the event takes place by the provider's description (recur.Times), for an Inspector to expand what lies on
	// the target and compare; empty where it cannot be told.
	Times string
}

// Task is one calendar object resource that holds a VTODO (RFC 4791 §4.1).
type Task struct {
	UID string
	// Data is the iCalendar object by RFC 5545, with CRLF, complete with its time zones.
	Data []byte
}

// Contact is one address object resource by RFC 6352 §5.1.
type Contact struct {
	UID string
	// Data is the vCard by RFC 6350 or RFC 2426, with CRLF, without its photo.
	Data []byte
	// Photo is the picture; without Open there is none, and an Open that returns ErrNoPhoto says the same.
	Photo Body
}

// ErrNoPhoto says that a contact has no picture.
var ErrNoPhoto = errors.New("the contact has no photo")

// Collection is a calendar or address book to be there before its items are written.
type Collection struct {
	// ID is the collection's id at the source; the name of the collection on the target is derived from it.
	ID string
	// Name, Description, Color (#RRGGBB) and TimeZone (IANA) are shown to the user; each may be empty.
	Name, Description, Color, TimeZone string
	// Primary marks the account's main calendar: it is merged into the target's default one where there is one.
	Primary bool
	// Components are the iCalendar components that it takes, such as VEVENT.
	Components []string
}

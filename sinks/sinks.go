// Package sinks is the contract of everything that items are written to.
//
// A Sink writes one kind of content into one account of a target, in the words of the target's RFC: mailboxes and flags,
// paths, iCalendar objects. The child packages implement it for each protocol; sinktest holds the suite that every one
// of them passes.
package sinks

import (
	"context"
	"errors"
	"io"
)

// Content is the set of what can be written.
type Content interface {
	File | Message | Event | Task | Contact
}

// Sink writes one kind of content to one account. It is safe for concurrent use. Errors carry a fault.Error where the
// sink knows what they mean.
type Sink[T Content] interface {
	// Put makes the target hold the item as given. It may be repeated with the same item: what lies there already is
	// not written again. prev is the receipt of what the item replaces, and zero when it is new. What somebody else
	// changed since prev, or put in the place, is left alone: the fault is then target.conflict. Where the target takes a UID but
	// once, an object that has it already may stand for the item; it is Unchanged then, or there is a TakenError.
	// A body that breaks off leaves nothing behind.
	Put(ctx context.Context, item Item[T], prev Receipt) (Written, error)

	// Remove takes away what lies at prev, if nobody changed it since. What is gone already is no error.
	Remove(ctx context.Context, prev Receipt) error
}

// Finder is for protocols whose write cannot safely be repeated, such as IMAP APPEND: after an interrupted Put the
// engine asks for the receipt that got lost.
type Finder[T Content] interface {
	// Find returns the receipts of all objects that may be the item as an interrupted Put left it, the likeliest
	// first; none if it is not there. Those that belong to other items are the engine's to leave out.
	Find(ctx context.Context, item Item[T]) ([]Receipt, error)
}

// Item is one thing as the target is to hold it.
type Item[T Content] struct {
	// ID is the item's id at the source: the same in every pass, so that names on the target may be derived from it.
	ID string
	// Again says that an earlier Put of this item may have reached the target without an answer.
	Again bool
	// Note is called by a Finder before anything is written that cannot be repeated, and makes durable that this is about to begin. The
	// state is the receipt's until the Put has ended; what Recover needs is in it. After an error nothing may be written. nil: nobody
	// takes notes.
	Note    func(ctx context.Context, state string) error
	Content T
}

// Body is a stream of bytes that can be opened anew for each attempt.
type Body struct {
	// Version changes whenever the bytes do. When it equals Receipt.BodyVersion the bytes need not be sent again.
	Version string
	// Size is the number of bytes, or -1 where it is known only after reading.
	Size int64
	// MD5 and SHA256 are digests known before the transfer, in lower-case hex, or empty.
	MD5, SHA256 string
	// Open starts the stream at its first byte; who opens closes. An error other than io.EOF means that the bytes
	// so far must not be kept.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Differs tells, after a stream was read to its end, how its bytes differ from what the provider holds; nil: not at all. Sinks need
	// not ask.
	Differs func() string
}

// Receipt is where an item lies on the target, and its version there. The zero Receipt means nowhere.
type Receipt struct {
	// Location is a path, an href, or mailbox and UID: whatever finds the object again.
	Location string `json:"location,omitempty"`
	// Version changes whenever the object on the target does: an ETag, a MODSEQ; empty where the target has none.
	Version string `json:"version,omitempty"`
	// BodyVersion is the Body.Version that was written.
	BodyVersion string `json:"body,omitempty"`
	// State is the sink's own, such as further places of the same message; opaque to everybody else.
	State string `json:"state,omitempty"`
}

// IsZero reports whether the receipt points nowhere. Of an item that was taken away its State may be left, to tell what was made for it.
func (r Receipt) IsZero() bool { return r.Location == "" }

// Loss is something of an item that could not come along although the item did.
type Loss struct {
	// Reason is stable and documented, such as "file.renamed"; reports count by it.
	Reason string `json:"reason"`
	// Detail says in words what was lost of this item; may be empty.
	Detail string `json:"detail,omitempty"`
}

// Written is the outcome of a Put.
type Written struct {
	Receipt Receipt
	// Losses are those that only the writing could show.
	Losses []Loss
	// Unchanged says that the target held the item already, so that nothing was written.
	Unchanged bool
	// Digest is a digest of what the target holds, for an Inspector to find it again. It is given where that is not the body's bytes:
	// for content without a Body, and for bodies that are not written as they were read. Empty: what was known before still holds.
	Digest string
}

// TakenError says that another object of the item's UID lies at Location, so that the item was not written.
type TakenError struct {
	Location string
	// Err says in what way it is another one.
	Err error
}

func (e *TakenError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *TakenError) Unwrap() error { return e.Err }

// ErrNothing says that nothing lies where an object was to be read.
var ErrNothing = errors.New("nothing lies there")

// Package sources is the contract of everything that items are read from.
//
// A Source reads one collection and yields its items as the provider has them, in the provider's own words: labels,
// recurrence rules, parents by id. The child packages implement it for each provider; sourcetest holds the suite that
// every one of them passes.
package sources

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
)

// ErrCursorExpired says that the provider no longer knows the position that a cursor holds. The collection must be
// listed anew, from the empty cursor.
var ErrCursorExpired = errors.New("the cursor has expired at the provider")

// ErrGone says that the item does not exist at the provider, or no longer.
var ErrGone = errors.New("the item does not exist at the provider")

// Cursor is where to go on in a collection's changes. It is opaque outside the source that made it; the empty cursor
// starts with a full listing. It holds no secret and may be stored.
type Cursor string

// Content is the set of what can be moved.
type Content interface {
	File | Message | Event | Contact | Task
}

// Source reads one collection. It keeps no position of its own: all that is needed to go on is in the cursor, so that
// any process may continue where another one stopped. It is safe for concurrent use. Errors carry a fault.Error
// where the source knows what they mean.
type Source[T Content] interface {
	// Changes returns the page of items after the cursor. Pages may be empty, may repeat an item and may list
	// a child before its parent. ErrCursorExpired: start again with the empty cursor.
	Changes(ctx context.Context, after Cursor) (Page[T], error)

	// Fetch returns one item as it is now, with its content. It completes an item that was listed as a stub, and
	// serves a later attempt at a failed one. ErrGone if it is not there (or no longer part of the collection).
	Fetch(ctx context.Context, id string) (Item[T], error)
}

// Relister is a Source whose full listing leaves out what changed of items that an earlier one held, unless it is asked for it. It costs more
// than such a listing, so that the first one goes without.
type Relister[T Content] interface {
	// Relist begins a full listing of what was listed before, in the place of Changes with the empty cursor.
	Relist(ctx context.Context) (Page[T], error)
}

// Holder is a Source of a tree whose changes report a folder alone when it comes back with all that is in it: from the trash, or from
// where the account could not see it.
type Holder interface {
	// Holds yields the ids of the collection's items that lie in the folders themselves, as it is now, in any order. After an error
	// nothing more is yielded.
	Holds(ctx context.Context, folders []string) iter.Seq2[string, error]
}

// Page is one step through a collection's changes.
type Page[T Content] struct {
	Items []Item[T]
	// Next is the cursor after this page. It may be stored as soon as every item of the page has a final record.
	Next Cursor
	// More says that there is more to read now. On the last page of a pass it is false, and Next serves the next pass.
	More bool
	// Listing says that the page belongs to a full listing, and ListingDone that it is the last page of one: an item
	// that no page of the listing held does not exist any more.
	Listing, ListingDone bool
}

// Item is one thing of a collection.
type Item[T Content] struct {
	// ID never changes and is unique in the collection.
	ID string
	// Version changes whenever the item does. It may be empty on a stub whose listing does not tell; such an item
	// counts as unchanged when it is known.
	Version string
	// Deleted says that the item is gone or trashed; only ID counts then.
	Deleted bool
	// Stub says that Content is not filled: Fetch does that.
	Stub bool
	// Title is what a person would call the item, and Link where it can be seen at the provider; both for reports
	// only, both may be empty.
	Title, Link string
	// Problem is what the source knows already at listing to keep the item from being moved, as an error that
	// carries a fault.Error. Content may be incomplete then.
	Problem error
	Content T
	// Release frees what Content holds beyond memory, such as a temporary file. It may be nil.
	Release func()
}

// Body is a stream of bytes that can be opened anew for each attempt.
type Body struct {
	// Version changes whenever the bytes do; an item whose name or labels alone changed keeps it.
	Version string
	// Size is the number of bytes, or -1 where it is known only after reading.
	Size int64
	// MD5 and SHA256 are the digests that the provider states, in lower-case hex, or empty. The source checks them.
	MD5, SHA256 string
	// Open starts the stream at its first byte. The reader goes on by itself after a broken connection where the
	// provider has range requests, and returns an error instead of io.EOF when length or digest are wrong; it holds
	// the last bytes back until they are proven. Who opens closes.
	Open func(ctx context.Context) (io.ReadCloser, error)
	// Differs tells, after a stream was read to its end, how its bytes differ from what the provider describes or holds: Rewritten,
	// Rebuilt, or "" for not at all. Nil: they never do, or that would be an error of the stream.
	Differs func() string
}

// How a body may differ.
const (
	// Rewritten: the provider describes other bytes than it gives, as SharePoint does for the files that it rewrites.
	Rewritten = "rewritten"
	// Rebuilt: the provider could not give the bytes, so that they were put together from what else it says.
	Rebuilt = "rebuilt"
)

// Collection is what has its own stream of changes: a drive, a mailbox, one calendar.
type Collection struct {
	// ID never changes and is unique among the account's collections of this kind.
	ID string
	// Name is what the user calls it; empty where there is only one.
	Name string
	// Primary marks the account's own drive, mailbox or main calendar.
	Primary bool
	// Description, Color (#RRGGBB) and TimeZone (IANA) belong to calendars; each may be empty.
	Description, Color, TimeZone string
}

// HexColor returns a colour in the form of Collection.Color, and nothing for what is none.
func HexColor(s string) string {
	if len(s) != 7 || s[0] != '#' || strings.Trim(strings.ToLower(s[1:]), "0123456789abcdef") != "" {
		return ""
	}
	return strings.ToLower(s)
}

// Account is one user or shared drive that the provider's directory lists.
type Account struct {
	// ID is the address or id by which the provider's interfaces name the account.
	ID string
	// Name is the display name.
	Name string
	// State is "active", "suspended", "archived", "disabled", "unlicensed" or "no_mailbox", or what a mailbox without a person
	// is for: "shared", "room" or "equipment". Shared marks shared drives.
	State  string
	Shared bool
	// Aliases are further addresses of the same account.
	Aliases []string
}

package sinks

import (
	"context"
	"iter"
)

// Inspector reads back what lies on the target, to verify and to undo. It writes nothing, and is safe for concurrent use.
type Inspector interface {
	// List yields what lies in a folder of a tree, given by its Location ("" is the account's root). Where there are no folders,
	// place is empty, and everything that lies where the sink could have written is yielded: all mailboxes of an account, the whole of
	// a calendar. A place that is not there holds nothing. After an error nothing more is yielded.
	List(ctx context.Context, place string) iter.Seq2[Object, error]
	// Read reads an object whole and returns it with the Digest that it has now. One that is gone meanwhile is ErrNothing.
	Read(ctx context.Context, o Object) (Object, error)
	// Expect tells by what the item is found on the target.
	Expect(p Proof) Expectation
	// Compare tells what the object at the item's Location is to the item. It asks no server.
	Compare(o Object, p Proof) Verdict
}

// Object is one thing that lies on the target.
type Object struct {
	// Location is written as in receipts, and Version is what the object has now.
	Location, Version string
	Folder            bool
	// Size is the number of bytes, or -1 if it is not stated.
	Size int64
	// Digest is that of the content, as Proof has it; empty where only Read can tell.
	Digest string
	// Twin is the same for all objects that may be copies of one another, as far as can be told without Read; empty if nothing can.
	Twin string
	// Title is what the user calls it: a name, a subject; may be empty.
	Title string
	// State is the sink's own.
	State string
}

// Proof is what the ledger knows of an item that was written.
type Proof struct {
	// Receipt is where the item lies; in a tree the Location is the one that it has by now.
	Receipt Receipt
	// Bytes is the size of the body that was written, and Digest "sha256:" and the digest of its bytes, or Written.Digest where the sink
	// gave one; empty if it is not known.
	Bytes  int64
	Digest string
}

// Expectation is by what an item is found on the target.
type Expectation struct {
	// Twin is Object.Twin of the item and of its copies.
	Twin string
	// Also are the Locations of further objects that stand for the item: a message's copies in other mailboxes.
	Also []string
	// Foreign says that what stands for the item lay on the target before, or may have: it is not ours, and Remove refuses it.
	Foreign bool
	// Made names what was made for the item to lie in; see Clearer.
	Made []string
}

// Verdict is what an object is to an item.
type Verdict int

// The verdicts.
const (
	// Alike says that nothing speaks against the object as far as it was looked at; only Read can prove more.
	Alike Verdict = iota
	// Same says that the object's content is the item's.
	Same
	// Touched says that the object has another version than when it was written. If it was not read yet, the content may be the same.
	Touched
	// Differs says that the content is another one although nobody changed the object as far as the server tells.
	Differs
	// Mistimed says that nobody changed the object, but that it takes place at other times than its source says.
	Mistimed
)

// String returns the verdict as one word.
func (v Verdict) String() string {
	return [...]string{"alike", "same", "touched", "differs", "mistimed", "?"}[min(v, 5)]
}

// Clearer is a sink that makes what its items lie in: mailboxes, calendars, address books.
type Clearer interface {
	// Clear removes those in which nothing lies any more, of the ones in made (see Expectation) and of those that the sink itself knows to
	// be this program's, and returns their names. It may be repeated.
	Clear(ctx context.Context, made []string) ([]string, error)
}

// Package checkpoint is the contract of what a job remembers: its tasks, their cursors, and one record for each item
// that a source ever listed.
//
// The store is the ledger. Each item of a task has exactly one record in exactly one State, and the number of items
// listed is counted in the same transaction that first sees them, from the source's pages, so that
// listed = sum of all states holds at every moment, after a crash too.
package checkpoint

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrLocked says that another process holds the store.
var ErrLocked = errors.New("the state is in use by another process")

// ErrFenced says that the task was taken over by another worker: nothing more may be written to it.
var ErrFenced = errors.New("the task was taken over by another worker")

// Task names a unit of work within a job.
type Task struct {
	Account, Kind, Collection string
}

// State is the state of one item. Every state but Pending and Writing is final.
type State uint8

// The states of an item.
const (
	Pending State = iota // listed, not yet decided
	Writing              // a write may have reached the target; found again before it is repeated
	Copied
	CopiedWithLosses
	Skipped // left out for a documented reason
	Failed
	Removed // gone at the source
)

// States lists all states in their order.
var States = [...]State{Pending, Writing, Copied, CopiedWithLosses, Skipped, Failed, Removed}

// String returns the state's name as it stands in reports.
func (s State) String() string {
	return [...]string{"pending", "writing", "copied", "copied_with_losses", "skipped", "failed", "removed", "?"}[min(s, 7)]
}

// Final reports whether the item needs nothing more at its version.
func (s State) Final() bool { return s >= Copied }

// Unrecorded reports whether a write of the item may have reached the target without being on record.
func (s State) Unrecorded() bool { return s == Pending || s == Writing || s == Failed }

// Loss is a named loss of an item; see package sinks.
type Loss struct {
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// Record is what is remembered of one item.
type Record struct {
	// ID and Version are the source's.
	ID, Version string
	State       State
	// Reason and Message say why an item was skipped or failed; Losses what did not come along.
	Reason, Message string
	Losses          []Loss
	// Title and Link are for reports only.
	Title, Link string
	// Location, ReceiptVersion, BodyVersion and ReceiptState are the sink's receipt. For a node of a Tree, Location is not
	// kept up to date when a folder above it moves: the Tree has the place.
	Location, ReceiptVersion, BodyVersion, ReceiptState string
	// Bytes is the size of the body that was moved, and Digest "sha256:" and its hex digest, as received.
	Bytes  int64
	Digest string
	// Attempts counts the tries of this version.
	Attempts int
	// Generation is the listing that last held the item; see Ledger.Enlist.
	Generation int64
}

// Status is what is remembered of a task as a whole.
type Status struct {
	Task
	// Name is what the user calls the collection.
	Name string
	// Target is the place on the target that the task's items are written to; empty where nobody noted it. See Aimer.
	Target string
	// Cursor is where to go on; empty at the very start.
	Cursor string
	// Generation counts the full listings that were begun.
	Generation int64
	// Complete says that at least one full listing was worked through to its end.
	Complete bool
	// Listed counts the items that the source's pages ever held, each once.
	Listed int64
	// Counts holds the number of records by state, and Bytes the sum of their bodies.
	Counts [len(States)]int64
	Bytes  int64
	// Reasons counts skipped and failed records by reason and records with losses by the losses' reasons.
	Reasons map[string]int64
	// Error is what stopped the task last, empty after a good end; Until is when a parked task may start again.
	Error string
	Until time.Time
}

// Balanced reports whether the listing's count equals the sum of the records in all states.
func (s Status) Balanced() bool {
	var sum int64
	for _, n := range s.Counts {
		sum += n
	}
	return sum == s.Listed
}

// Store holds the tasks of one job.
type Store interface {
	// Begin returns the ledger of a task and claims it for this worker; a task that is not known is made. name is what
	// the user calls the collection.
	Begin(ctx context.Context, t Task, name string) (Ledger, error)
	// Tasks returns the status of each task, counted from the records, in order of account, kind, collection.
	Tasks(ctx context.Context) ([]Status, error)
	// Reader yields what the store holds.
	Reader
	// Sealer closes the job.
	Sealer
	// Aimer remembers where a task's items go.
	Aimer
	Close() error
}

// Reader yields what a store holds. The consumer may write to the store meanwhile.
type Reader interface {
	// Records yields the records of a task in the given states (none given: all), in order of id.
	Records(ctx context.Context, t Task, states ...State) iter.Seq2[Record, error]
	// Nodes yields the nodes of a task's Tree with their places, in order of id.
	Nodes(ctx context.Context, t Task) iter.Seq2[Placement, error]
	// Check yields what breaks a Rule, at most a few findings for each rule and task. An error says that the check could
	// not be made, not that something was found.
	Check(ctx context.Context) iter.Seq2[Finding, error]
}

// Sealer remembers whether the job is closed: the last pass before the cut-over was made. It keeps nobody from writing.
type Sealer interface {
	// Seal notes when the job was closed; the zero Time opens it again.
	Seal(ctx context.Context, at time.Time) error
	// Sealed returns when the job was closed, in UTC; the zero Time if it is open.
	Sealed(ctx context.Context) (time.Time, error)
}

// Aimer remembers the place on the target that the items of a task are written to, so that somebody who has them go elsewhere can be
// told what does not lie there.
type Aimer interface {
	// Aim notes the place of a task that is known; of another task it notes nothing.
	Aim(ctx context.Context, t Task, target string) error
}

// Ledger is the one writer of a task. It is safe for concurrent use. When a method returns, what it wrote survives a
// crash of the process and of the machine.
type Ledger interface {
	// Status returns the task's status without counts.
	Status(ctx context.Context) (Status, error)
	// Enlist takes note of the items of one page: unknown ids become Pending records and are counted as listed, known ones
	// are marked as seen in this generation, unless they were in a later one. It returns the record of each entry, in order; an id that stands twice is
	// counted once. All of it is one transaction. An entry without an id is an error.
	Enlist(ctx context.Context, generation int64, entries []Entry) ([]Record, error)
	// Save replaces records. Concurrent calls may share one transaction. All records of one call are in the same one. A
	// record that was never enlisted is an error: the ledger would no longer balance.
	Save(ctx context.Context, records ...Record) error
	// Advance stores the task's position. The caller has saved every record that it passes. held are the ids of the items of the pages that
	// it passes: in the same transaction they are marked as seen in the position's generation, unless they were in a later one.
	Advance(ctx context.Context, p Position, held ...string) error
	// Lookup answers questions about records.
	Lookup
	// Tree holds the places of the nodes of a drive.
	Tree
}

// Entry is an item as a page lists it.
type Entry struct {
	ID, Title, Link string
}

// Position is what changes when a task goes on.
type Position struct {
	Cursor     string
	Generation int64
	Complete   bool
	Error      string
	Until      time.Time
}

// Lookup finds records otherwise than by page.
type Lookup interface {
	// Record returns the record of an id; ok is false if there is none.
	Record(ctx context.Context, id string) (r Record, ok bool, err error)
	// AtLocation returns the id of the record whose receipt points at the location; empty if there is none.
	AtLocation(ctx context.Context, location string) (id string, err error)
	// Shared reports whether the receipt of a record other than that of the id points at the location, in any task of the same
	// account; those that are Removed do not count.
	Shared(ctx context.Context, location, id string) (bool, error)
	// InState returns up to limit records in one of the states with an id above after, in order of id.
	InState(ctx context.Context, after string, limit int, states ...State) ([]Record, error)
	// Unseen returns up to limit records with an id above after, not yet Removed, that were last seen in an earlier generation.
	Unseen(ctx context.Context, generation int64, after string, limit int) ([]Record, error)
}

// Node is the place of one node on the target.
type Node struct {
	ID string
	// ParentID is the id of the folder that holds it; empty at the top.
	ParentID string
	// Name is its name on the target, unique among its siblings without regard to case.
	Name string
	// Wanted is the source's name that Name was made from: while it and the parent stay the same, so does Name.
	Wanted string
	Folder bool
}

// Reservation asks for the place of a node.
type Reservation struct {
	Node
	// Names are the candidates for Name, best first; it never ends. Two sequences that begin with the same two names are
	// the same, so that a store need not try the first thousand again for each of a thousand twins.
	Names iter.Seq[string]
	// Anew gives the node another name than it has, since its own is taken on the target: the first of Names that is free. From
	// then on that is its name. The caller leaves out of Names what the node lies at or has reserved.
	Anew bool
}

// Tree remembers where the nodes of a drive lie on the target. A node has a place where it lies and, while it is being
// moved, a second one that is reserved for it.
type Tree interface {
	// Reserve gives each node a place: the first of its names that no sibling lies at or has reserved, without regard to
	// case and Unicode form. A node that already lies, or has reserved a place, under this parent with this Wanted keeps
	// its name, unless it asks for one anew. The same call again, without that, returns the same places. All of it is one
	// transaction, in the order given; the answers have the same order. Node.Name of the argument is ignored.
	Reserve(ctx context.Context, nodes ...Reservation) ([]Node, error)
	// Settle says that the node now lies where it was reserved, and saves its record in the same transaction; a record
	// without an id saves none.
	Settle(ctx context.Context, id string, r Record) error
	// Where returns the path at which the node lies, outermost first, and its reserved path if there is one (otherwise the
	// same). ok is false if the node lies nowhere yet; the reserved path is returned all the same. A folder on the way that
	// lies nowhere yet counts with its reserved place; a path on which a folder has no place at all is nil. Folders that lie
	// in one another are an error.
	Where(ctx context.Context, id string) (lies, reserved []string, ok bool, err error)
	// Children returns up to limit nodes that lie in the folder, with an id above after.
	Children(ctx context.Context, id, after string, limit int) ([]Node, error)
	// Forget takes the node's places away.
	Forget(ctx context.Context, id string) error
	// Places tells of the nodes one by one.
	Places
}

// Places looks at the places of a Tree's nodes, each under its parent.
type Places interface {
	// Place returns the places of a node; ok is false if it has none.
	Place(ctx context.Context, id string) (p Placement, ok bool, err error)
	// Moving returns up to limit nodes that lie at one place and have another one reserved, with an id above after, in order of id.
	Moving(ctx context.Context, after string, limit int) ([]Placement, error)
}

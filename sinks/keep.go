package sinks

import (
	"context"
	"errors"
)

// Keeper is a sink that can keep two things where there is one place: an item, and what the target's user has there or made of it. After a
// Put that ended in target.conflict or target.uid_conflict the caller asks for one of the two and puts the item again, with the receipt
// that it is given. That Put may conflict again, since the user goes on working.
//
// Both may be repeated, and may be cut off at any point: nothing is written twice, and nothing of the user's is lost. Where the user removed
// the item, both return a receipt with which it is written again at its place.
type Keeper[T Content] interface {
	// Beside finds a place for the item beside what lies in its own, which stays as it is. It writes nothing. In a tree the name is the
	// caller's to choose: ErrTaken asks for another Path, and the receipt that comes with it is good for that one.
	Beside(ctx context.Context, item Item[T], prev Receipt) (Receipt, error)
	// Aside gives what lies in the item's place another name, as it is. The loss says which, with a Reason that ends in AsideSuffix; it is
	// nil if nothing was in the way any more. Where that is not possible without telling other people, the receipt is one of Beside.
	Aside(ctx context.Context, item Item[T], prev Receipt) (Receipt, *Loss, error)
}

// ErrTaken says that something of the user's lies in an item's place.
var ErrTaken = errors.New("the place is taken on the target")

// AsideSuffix ends the reasons of losses that say where something of the user's lies since. They stay with the item's record.
const AsideSuffix = ".conflict_aside"

// Seeker is a Finder whose objects a user can move within the account. Where the source is to win, an item that is not where it was put is
// looked for everywhere.
type Seeker[T Content] interface {
	// Seek returns where in the account the item of the receipt may lie now, each as a receipt; none if it was deleted. Those that belong
	// to other items are the engine's to leave out. The loss says that the user moved or deleted it.
	Seek(ctx context.Context, item Item[T], prev Receipt) ([]Receipt, Loss, error)
}

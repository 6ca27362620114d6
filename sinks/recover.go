package sinks

import "context"

// Recoverer is a sink that finds what an interrupted Put left without being given the item: that may be gone at the source by then, or belong
// elsewhere.
type Recoverer interface {
	// Recover returns what an interrupted Put of the item may have left on the target, each as a receipt with which it can be put and removed;
	// none if nothing lies there that is the item's for certain. p is what the ledger knows of the item. Its State is what was noted before the
	// write (Item.Note, Tracer), and in a tree the Location is the place that the item was to have. What belongs to other items is the
	// engine's to leave out. What may have been there before is given, too, and Expect says that it is Foreign. The fault target.conflict
	// says that something lies there which cannot be told from its user's own.
	Recover(ctx context.Context, id string, p Proof) ([]Receipt, error)
}

// Tracer is a Recoverer that has to know what an item was to be, and whose writes are not noted one by one.
type Tracer[T Content] interface {
	Recoverer
	// Trace returns the State to remember of an item that has not been put yet. noted is what was remembered of it before, and is returned as it
	// is where it still serves: an earlier Put may have got no answer. It asks nobody.
	Trace(content T, noted string) string
}

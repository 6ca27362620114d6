package sources

import "context"

// Counter is a Source that can ask the provider how many items its collection holds, without listing them: a proof of the
// listing that does not come from it.
type Counter interface {
	// Count returns the provider's own count as it is now. It costs a few small requests.
	Count(ctx context.Context) (Count, error)
}

// Count is a provider's own count of a collection.
type Count struct {
	// By is who counts: "Gmail".
	By string
	// Total is the number of items.
	Total int64
	// Apart are those of them that the source does not list. An item may stand in several.
	Apart []Apart
}

// Apart is a number of items that a source leaves out of its listing.
type Apart struct {
	// What they are, after a number: "in spam".
	What  string
	Total int64
}

// Package mapping turns items as a provider has them into items as a target is to hold them.
//
// Everything here is a pure function of the item and the job's rules: no network, no disk, no clock. What cannot be
// carried over is a named Loss, never silence.
package mapping

import (
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// Loss is something of an item that could not come along although the item did.
type Loss = sinks.Loss

// Func maps one content. Losses are what could not be carried over although the item could; an error carries a
// fault.Error that skips or fails the item.
type Func[S sources.Content, T sinks.Content] func(S) (T, []Loss, error)

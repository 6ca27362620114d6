package sinks

import "context"

// Discard is a Sink that keeps nothing: with it, the pipeline is a dry run.
type Discard[T Content] struct{}

// Put reads nothing and writes nothing.
func (Discard[T]) Put(_ context.Context, item Item[T], prev Receipt) (Written, error) {
	r := Receipt{Location: item.ID}
	if f, ok := any(item.Content).(File); ok {
		r.Location = PathLocation(f.Path)
	}
	return Written{Receipt: r}, nil
}

// Remove does nothing.
func (Discard[T]) Remove(context.Context, Receipt) error { return nil }

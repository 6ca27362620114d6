package engine

import (
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// Source returns what the engine reads.
func (e *Engine[S, T]) Source() sources.Source[S] { return e.src }

// Sink returns what the engine writes to.
func (e *Engine[S, T]) Sink() sinks.Sink[T] { return e.sink }

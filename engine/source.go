package engine

import "codeberg.org/repatriate/repatriate/sources"

// Source returns what the engine reads.
func (e *Engine[S, T]) Source() sources.Source[S] { return e.src }

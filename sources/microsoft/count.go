package microsoft

import (
	"context"

	"codeberg.org/repatriate/repatriate/sources"
)

// Count implements sources.Counter: the sum of what Exchange counts in each of the folders that are read.
func (s *mailSource) Count(ctx context.Context) (sources.Count, error) {
	w, err := s.walkAll(ctx)
	return sources.Count{By: "Exchange", Total: w.total}, err
}

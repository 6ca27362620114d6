// Package pause waits.
package pause

import (
	"context"
	"time"
)

// For returns nil when d has passed, and ctx's error if that ends before.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

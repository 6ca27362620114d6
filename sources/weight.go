package sources

import (
	"context"
	"errors"
)

// ErrNoWeight says that the provider does not tell how many bytes a collection takes.
var ErrNoWeight = errors.New("the provider does not tell how many bytes it takes")

// Weigher is a Source that can ask the provider how many bytes its collection takes of the account's quota, without listing it.
// ErrNoWeight where the provider does not tell.
type Weigher interface {
	Weigh(ctx context.Context) (Weight, error)
}

// Weight is what a provider says that a collection takes. It is no sum of the sizes of what is listed: older versions count as well, and
// documents of the provider's own have another size when they are exported.
type Weight struct {
	// By is who says so: "Drive".
	By string
	// Bytes are those of the quota that are used, without the trash where the provider tells the two apart.
	Bytes int64
}

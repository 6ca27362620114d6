package google

import "context"

// remembered is a value that is asked for at most once, by however many callers; an error is not kept.
type remembered[T any] struct {
	lock  chan struct{}
	value *T
}

func newRemembered[T any]() remembered[T] { return remembered[T]{lock: make(chan struct{}, 1)} }

// get returns the value, and asks for it if it is not known. Who waits for another caller's answer may give up.
func (r *remembered[T]) get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	var zero T
	select {
	case r.lock <- struct{}{}:
	case <-ctx.Done():
		return zero, ctx.Err()
	}
	defer func() { <-r.lock }()
	if r.value != nil {
		return *r.value, nil
	}
	v, err := ask(ctx)
	if err != nil {
		return zero, err
	}
	r.value = &v
	return v, nil
}

// set gives the value, unless it is known.
func (r *remembered[T]) set(v T) {
	r.lock <- struct{}{}
	if r.value == nil {
		r.value = &v
	}
	<-r.lock
}

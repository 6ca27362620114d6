// Package remembered keeps what is asked for once, such as an id that never changes.
package remembered

import "context"

// Value is a value that is asked for at most once, by however many callers; an error is not kept.
type Value[T any] struct {
	lock  chan struct{}
	value *T
}

// New returns a value that is not known yet.
func New[T any]() Value[T] { return Value[T]{lock: make(chan struct{}, 1)} }

// Get returns the value, and asks for it if it is not known. Who waits for another caller's answer may give up.
func (r *Value[T]) Get(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	return r.get(ctx, ask, false)
}

// Renew asks for the value even if it is known. Where that fails, what was known stays.
func (r *Value[T]) Renew(ctx context.Context, ask func(context.Context) (T, error)) (T, error) {
	return r.get(ctx, ask, true)
}

func (r *Value[T]) get(ctx context.Context, ask func(context.Context) (T, error), anew bool) (v T, err error) {
	select {
	case r.lock <- struct{}{}:
	case <-ctx.Done():
		return v, ctx.Err()
	}
	defer func() { <-r.lock }()
	if r.value != nil && !anew {
		return *r.value, nil
	}
	got, err := ask(ctx)
	if err != nil {
		return v, err
	}
	r.value = &got
	return got, nil
}

// Set gives the value, unless it is known.
func (r *Value[T]) Set(v T) {
	r.lock <- struct{}{}
	if r.value == nil {
		r.value = &v
	}
	<-r.lock
}

package sqlite

import (
	"context"
	"errors"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// errView says that the store was opened for reading.
var errView = errors.New("it is open for reading only")

// Seal implements checkpoint.Sealer.
func (s *Store) Seal(ctx context.Context, at time.Time) error {
	var closed int64
	if !at.IsZero() {
		closed = at.UnixNano()
	}
	if s.writer == nil {
		return named(s.path, errView)
	}
	return named(s.path, s.writer.write(ctx, func(ctx context.Context, x *session) error {
		_, err := x.seal.ExecContext(ctx, closed)
		return err
	}))
}

// Sealed implements checkpoint.Sealer.
func (s *Store) Sealed(ctx context.Context) (time.Time, error) {
	tx, done, err := s.read.moment(ctx)
	if err != nil {
		return time.Time{}, named(s.path, err)
	}
	defer done()
	var closed int64
	if err := tx.QueryRowContext(ctx, "SELECT closed FROM job").Scan(&closed); err != nil || closed == 0 {
		return time.Time{}, named(s.path, err)
	}
	return time.Unix(0, closed).UTC(), nil
}

// Aim implements checkpoint.Aimer.
func (s *Store) Aim(ctx context.Context, t checkpoint.Task, target string) error {
	if s.writer == nil {
		return named(s.path, errView)
	}
	return named(s.path, s.writer.write(ctx, func(ctx context.Context, x *session) error {
		_, err := x.aim.ExecContext(ctx, target, t.Account, t.Kind, t.Collection)
		return err
	}))
}

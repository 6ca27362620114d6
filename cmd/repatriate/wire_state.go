package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
	"codeberg.org/repatriate/repatriate/internal/config"
)

// snapshotStore opens the job's state as it is at this moment, also while a run is under way. damaged says that there is a
// file, and that it cannot be used.
func snapshotStore(ctx context.Context, job *config.Job) (store checkpoint.Store, damaged bool, err error) {
	store, err = viewOf(ctx, job, sqlite.Options{Job: job.Job, Snapshot: true})
	return store, errors.Is(err, sqlite.ErrForeign), err
}

// createStore makes the state of a job that has none.
func createStore(ctx context.Context, job *config.Job, fill func(checkpoint.Store) error) error {
	err := sqlite.Create(ctx, job.StatePath(), sqlite.Options{Job: job.Job}, fill)
	if errors.Is(err, os.ErrExist) {
		return usage(fmt.Errorf("the job %q has a state: %w", job.Job, err))
	}
	return placed(err)
}

// otherState reports whether a state file was refused since it is another job's.
func otherState(err error) bool { return errors.Is(err, sqlite.ErrOtherJob) }

// diskFull reports whether the disk of the state file had no room.
func diskFull(err error) bool { return sqlite.IsFull(err) }

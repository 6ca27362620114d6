package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/checkpoint/checkpointtest"
	"codeberg.org/repatriate/repatriate/checkpoint/sqlite"
)

var backend = checkpointtest.Backend{
	Place: func(t testing.TB) string { return filepath.Join(t.TempDir(), "state.db") },
	Open: func(ctx context.Context, place string) (checkpoint.Store, error) {
		return sqlite.Open(ctx, place, sqlite.Options{Job: "test"})
	},
	View: func(ctx context.Context, place string) (checkpoint.Store, error) {
		return sqlite.OpenView(ctx, place, sqlite.Options{Job: "test"})
	},
	Exclusive: true,
}

func TestMain(m *testing.M) { checkpointtest.Main(m, backend) }

func TestSuite(t *testing.T) { checkpointtest.Run(t, backend) }

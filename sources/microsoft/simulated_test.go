package microsoft

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

const specification = "../../../shared/data/specs/oas-graph.json"

// readSchema is done once: the document is large.
var readSchema = sync.OnceValues(func() (*sim.Schema, error) { return sim.LoadSchema(specification) })

// graphSchema returns Graph's schema, or nil where the document is not at hand, which CI does not accept.
func graphSchema(t testing.TB) *sim.Schema {
	t.Helper()
	s, err := readSchema()
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		return nil
	}
	must(t, err)
	return s
}

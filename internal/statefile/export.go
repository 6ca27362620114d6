package statefile

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// Export writes all that the store holds. The store shall show one moment: what a run changes meanwhile would make an
// export that Import refuses.
func Export(ctx context.Context, w io.Writer, job string, store checkpoint.Store) error {
	tasks, err := store.Tasks(ctx)
	if err != nil {
		return fmt.Errorf("read the tasks: %w", err)
	}
	closed, err := store.Sealed(ctx)
	if err != nil {
		return fmt.Errorf("read the state: %w", err)
	}
	first := header{Format: Format, Version: Version, Job: text(job)}
	if !closed.IsZero() {
		first.Closed = &closed
	}
	e := newExporter(w)
	if err := e.write(line{Header: &first}); err != nil {
		return err
	}
	for _, t := range tasks {
		if err := e.task(ctx, store, t); err != nil {
			return err
		}
	}
	return e.end()
}

type exporter struct {
	out  *bufio.Writer
	sum  hash.Hash
	json *json.Encoder
	n    end
}

func newExporter(w io.Writer) *exporter {
	e := &exporter{out: bufio.NewWriterSize(w, 64<<10), sum: sha256.New()}
	e.json = json.NewEncoder(io.MultiWriter(e.out, e.sum))
	e.json.SetEscapeHTML(false)
	return e
}

func (e *exporter) write(l line) error {
	if err := e.json.Encode(l); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

func (e *exporter) task(ctx context.Context, store checkpoint.Store, t checkpoint.Status) error {
	e.n.Tasks++
	if err := e.write(line{Task: taskOf(t)}); err != nil {
		return err
	}
	for r, err := range store.Records(ctx, t.Task) {
		if err != nil {
			return fmt.Errorf("read the records: %w", err)
		}
		e.n.Records++
		if err := e.write(line{Record: recordOf(r)}); err != nil {
			return err
		}
	}
	for n, err := range store.Nodes(ctx, t.Task) {
		if err != nil {
			return fmt.Errorf("read the nodes: %w", err)
		}
		e.n.Nodes++
		if err := e.write(line{Node: nodeOf(n)}); err != nil {
			return err
		}
	}
	return nil
}

func (e *exporter) end() error {
	e.n.SHA256 = hex.EncodeToString(e.sum.Sum(nil))
	if err := e.write(line{End: &e.n}); err != nil {
		return err
	}
	if err := e.out.Flush(); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	return nil
}

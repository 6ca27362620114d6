package statefile

import (
	"context"
	"errors"
	"fmt"
	"io"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// batch is how many records or nodes are written at once.
const batch = 1000

// Counts are the numbers of what an export holds.
type Counts struct {
	Tasks, Records, Nodes int64
}

// Import reads an export of the job into an empty store. After an error, ErrFormat among them, the store holds a part and
// is of no use.
func Import(ctx context.Context, r io.Reader, job string, store checkpoint.Store) (Counts, error) {
	i := &importer{store: store}
	err := i.all(ctx, newReader(r), job)
	return Counts{i.n.Tasks, i.n.Records, i.n.Nodes}, err
}

func (i *importer) all(ctx context.Context, in *reader, job string) error {
	first, err := in.header(job)
	if err == nil && first.Closed != nil {
		err = i.store.Seal(ctx, *first.Closed)
	}
	if err != nil {
		return err
	}
	for {
		l, err := in.next()
		if err != nil {
			return err
		}
		if l.End != nil {
			return i.end(ctx, in, *l.End)
		}
		if err := in.about(i.line(ctx, l)); err != nil {
			return err
		}
	}
}

// importer writes the lines of an export to a store.
type importer struct {
	store  checkpoint.Store
	ledger checkpoint.Ledger // of the task; nil before the first
	task   *task
	n      end   // what was read
	held   int64 // the records of the task

	records    []checkpoint.Record
	nodes      []checkpoint.Placement
	lastRecord string
	lastNode   string
	known      map[checkpoint.Task]bool
}

func (i *importer) line(ctx context.Context, l line) error {
	switch {
	case l.Task != nil:
		return i.begin(ctx, l.Task)
	case i.task == nil:
		return fmt.Errorf("%w: it stands before the first task", ErrFormat)
	case l.Record != nil:
		return i.record(ctx, l.Record)
	case l.Node != nil:
		return i.node(ctx, l.Node)
	}
	return fmt.Errorf("%w: it is no line of an export", ErrFormat)
}

func (i *importer) begin(ctx context.Context, t *task) error {
	if err := i.finish(ctx); err != nil {
		return err
	}
	if i.known == nil {
		i.known = make(map[checkpoint.Task]bool)
	}
	if i.known[t.key()] {
		return fmt.Errorf("%w: a task stands twice", ErrFormat)
	}
	i.known[t.key()] = true
	l, err := i.store.Begin(ctx, t.key(), string(t.Name))
	if err != nil {
		return err
	}
	if t.Target != "" {
		if err := i.store.Aim(ctx, t.key(), string(t.Target)); err != nil {
			return err
		}
	}
	i.n.Tasks++
	i.task, i.ledger, i.held, i.lastRecord, i.lastNode = t, l, 0, "", ""
	return nil
}

func (i *importer) record(ctx context.Context, r *record) error {
	rec, err := r.checkpoint()
	if err != nil {
		return err
	}
	if rec.ID <= i.lastRecord || i.lastNode != "" {
		return fmt.Errorf("%w: the records do not stand in their order", ErrFormat)
	}
	i.lastRecord = rec.ID
	i.n.Records++
	i.held++
	if i.records = append(i.records, rec); len(i.records) == batch {
		return i.saveRecords(ctx)
	}
	return nil
}

func (i *importer) saveRecords(ctx context.Context) error {
	if len(i.records) == 0 {
		return nil
	}
	entries := make([]checkpoint.Entry, len(i.records))
	for k, r := range i.records {
		entries[k] = checkpoint.Entry{ID: r.ID, Title: r.Title, Link: r.Link}
	}
	if _, err := i.ledger.Enlist(ctx, i.task.Generation, entries); err != nil {
		return err
	}
	err := i.ledger.Save(ctx, i.records...)
	i.records = i.records[:0]
	return err
}

// finish writes what is left of the task, and its position.
func (i *importer) finish(ctx context.Context) error {
	if i.task == nil {
		return nil
	}
	if err := errors.Join(i.saveRecords(ctx), i.saveNodes(ctx)); err != nil {
		return err
	}
	if i.held != i.task.Listed {
		return fmt.Errorf("%w: the task above does not balance: %d were listed, and it has %d records; "+
			"'repatriate state check' says more where it comes from", ErrFormat, i.task.Listed, i.held)
	}
	return i.ledger.Advance(ctx, i.task.position())
}

// end compares what was read with what the last line says.
func (i *importer) end(ctx context.Context, in *reader, want end) error {
	if err := in.about(i.finish(ctx)); err != nil {
		return err
	}
	i.n.SHA256 = want.SHA256 // the reader compared it
	if i.n != want {
		return fmt.Errorf("%w: lines are missing: it has %d tasks, %d records and %d nodes, and should have %d, %d and %d",
			ErrFormat, i.n.Tasks, i.n.Records, i.n.Nodes, want.Tasks, want.Records, want.Nodes)
	}
	return in.nothingMore()
}

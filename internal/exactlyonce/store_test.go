package exactlyonce

import (
	"context"
	"errors"
	"iter"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// errDead is what a dead run gets from its store. Nobody reads it in the end.
var errDead = errors.New("the process is dead")

// mortalStore is a store whose user may die before and after each call: before, the call does nothing; after, it is done
// and the user never hears of it.
type mortalStore struct {
	checkpoint.Store
	points *points
}

func (s mortalStore) Begin(ctx context.Context, t checkpoint.Task, name string) (checkpoint.Ledger, error) {
	return written(s.points, "Begin", func() (checkpoint.Ledger, error) {
		l, err := s.Store.Begin(ctx, t, name)
		return mortalLedger{l, s.points}, err
	})
}

func (s mortalStore) Tasks(ctx context.Context) ([]checkpoint.Status, error) {
	return read(s.points, "Tasks", func() ([]checkpoint.Status, error) { return s.Store.Tasks(ctx) })
}

func (s mortalStore) Records(ctx context.Context, t checkpoint.Task, states ...checkpoint.State) iter.Seq2[checkpoint.Record, error] {
	return s.Store.Records(ctx, t, states...)
}

// mortalLedger is mortalStore for one task.
type mortalLedger struct {
	checkpoint.Ledger
	points *points
}

func written[V any](p *points, name string, call func() (V, error)) (V, error) {
	var none V
	if p.pass("store: before " + name) {
		return none, errDead
	}
	v, err := call()
	if p.pass("store: after " + name) {
		return none, errDead
	}
	return v, err
}

// read has one point alone: a death after a call that changes nothing is a death before the next one.
func read[V any](p *points, name string, call func() (V, error)) (V, error) {
	if p.pass("store: before " + name) {
		var none V
		return none, errDead
	}
	return call()
}

func done(p *points, name string, call func() error) error {
	_, err := written(p, name, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func (l mortalLedger) Status(ctx context.Context) (checkpoint.Status, error) {
	return read(l.points, "Status", func() (checkpoint.Status, error) { return l.Ledger.Status(ctx) })
}

func (l mortalLedger) Enlist(ctx context.Context, generation int64, entries []checkpoint.Entry) ([]checkpoint.Record, error) {
	return written(l.points, "Enlist", func() ([]checkpoint.Record, error) { return l.Ledger.Enlist(ctx, generation, entries) })
}

func (l mortalLedger) Save(ctx context.Context, records ...checkpoint.Record) error {
	return done(l.points, "Save", func() error { return l.Ledger.Save(ctx, records...) })
}

func (l mortalLedger) Advance(ctx context.Context, p checkpoint.Position, held ...string) error {
	return done(l.points, "Advance", func() error { return l.Ledger.Advance(ctx, p, held...) })
}

func (l mortalLedger) Record(ctx context.Context, id string) (r checkpoint.Record, ok bool, err error) {
	r, err = read(l.points, "Record", func() (checkpoint.Record, error) {
		r, ok, err = l.Ledger.Record(ctx, id)
		return r, err
	})
	return r, ok, err
}

func (l mortalLedger) AtLocation(ctx context.Context, location string) (string, error) {
	return read(l.points, "AtLocation", func() (string, error) { return l.Ledger.AtLocation(ctx, location) })
}

func (l mortalLedger) InState(ctx context.Context, after string, limit int, states ...checkpoint.State) ([]checkpoint.Record, error) {
	return read(l.points, "InState", func() ([]checkpoint.Record, error) { return l.Ledger.InState(ctx, after, limit, states...) })
}

func (l mortalLedger) Unseen(ctx context.Context, generation int64, after string, limit int) ([]checkpoint.Record, error) {
	return read(l.points, "Unseen", func() ([]checkpoint.Record, error) { return l.Ledger.Unseen(ctx, generation, after, limit) })
}

func (l mortalLedger) Reserve(ctx context.Context, nodes ...checkpoint.Reservation) ([]checkpoint.Node, error) {
	return written(l.points, "Reserve", func() ([]checkpoint.Node, error) { return l.Ledger.Reserve(ctx, nodes...) })
}

func (l mortalLedger) Settle(ctx context.Context, id string, r checkpoint.Record) error {
	return done(l.points, "Settle", func() error { return l.Ledger.Settle(ctx, id, r) })
}

func (l mortalLedger) Where(ctx context.Context, id string) (lies, reserved []string, ok bool, err error) {
	lies, err = read(l.points, "Where", func() ([]string, error) {
		lies, reserved, ok, err = l.Ledger.Where(ctx, id)
		return lies, err
	})
	return lies, reserved, ok, err
}

func (l mortalLedger) Children(ctx context.Context, id, after string, limit int) ([]checkpoint.Node, error) {
	return read(l.points, "Children", func() ([]checkpoint.Node, error) { return l.Ledger.Children(ctx, id, after, limit) })
}

func (l mortalLedger) Forget(ctx context.Context, id string) error {
	return done(l.points, "Forget", func() error { return l.Ledger.Forget(ctx, id) })
}

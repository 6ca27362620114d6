// Package readback compares what lies on the target with what a job's ledger says that was written, item by item.
//
// Each item of the ledger ends in one outcome: proven, changed by its user, different, or missing. What lies on the target beyond the
// ledger is a second copy of an item (extra), or nothing of ours. Everything is listed; what is read whole, beside, is what the listing
// cannot vouch for, and as much of the rest as is asked for.
package readback

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sinks"
)

// Outcome is what became of an item on the target.
type Outcome string

// The outcomes. Only Proven and Changed are as they should be.
const (
	Proven  Outcome = "proven"
	Changed Outcome = "changed" // it has another version than when it was written, or lies elsewhere
	Differs Outcome = "differs" // the content is another one, and nobody changed it as far as the server tells
	Missing Outcome = "missing" // it is not where it was written, nor found elsewhere
	Extra   Outcome = "extra"   // a second copy of an item, which the ledger does not know
)

// Outcomes lists them in the order of reports.
var Outcomes = []Outcome{Proven, Changed, Differs, Missing, Extra}

// Finding is one item that is not simply proven.
type Finding struct {
	Outcome Outcome `json:"outcome"`
	// ID and Link are the source's; empty for an extra object.
	ID   string `json:"id,omitempty"`
	Link string `json:"link,omitempty"`
	// Title is what the user calls it, and Location where it lies, or lay, on the target.
	Title    string `json:"title"`
	Location string `json:"location"`
	Detail   string `json:"detail"`
}

// usual are the details of findings of which there is no more to say than the outcome.
var usual = map[Outcome]string{
	Changed: "it has another version on the target than when it was written",
	Differs: "its content on the target is not what was written, and the server tells of no change",
	Extra:   "it is a second copy of an item that lies elsewhere",
}

// Usual reports whether Detail says no more than the outcome.
func (f Finding) Usual() bool {
	return f.Detail == usual[f.Outcome] || f.Detail == missingFrom("files") || f.Detail == missingFrom("calendar")
}

// missingFrom says where an item of a kind was looked for.
func missingFrom(kind string) string {
	if kind == "files" || kind == "mail" {
		return "it is not where it was written, nor anywhere else in the account"
	}
	return "it is not where it was written, nor anywhere else in the same collection"
}

// Result counts the outcomes of one task.
type Result struct {
	// Counts has the number of items with each outcome.
	Counts map[Outcome]int64
	// Findings are those of all items that are not proven, up to MostFindings.
	Findings []Finding
	// Read is how many objects were read whole, and Others how many lie beside those of the job: they are somebody else's.
	Read, Others int64
}

// Options say how closely is looked.
type Options struct {
	// Share is the part of the items that is read whole, from 0 to 1, always the same ones of a job: 0 reads what looks changed only.
	Share float64
	// Tree says that the task's items lie in folders.
	Tree bool
	// Parallel is the number of objects that are read at once; 0 means 8.
	Parallel int
	// Counters are added to as the work goes on; may be nil.
	Counters *engine.Counters
	// Patience repeats what a side refuses for the moment.
	Patience engine.Options
}

// Ledger is what is asked of a task's ledger.
type Ledger interface {
	Record(ctx context.Context, id string) (checkpoint.Record, bool, error)
	AtLocation(ctx context.Context, location string) (string, error)
	Children(ctx context.Context, id, after string, limit int) ([]checkpoint.Node, error)
}

// MostFindings bounds the findings of a task that are kept in words; all are counted.
const MostFindings = 10_000

// Verify compares one task's ledger with what lies on the target. Its error says that the comparison could not be brought to its end.
// A listing that breaks off is begun anew, and with it the comparison.
func Verify(ctx context.Context, store checkpoint.Store, task checkpoint.Task, ledger Ledger, target sinks.Inspector, o Options) (Result, error) {
	if o.Parallel <= 0 {
		o.Parallel = 8
	}
	if o.Counters == nil {
		o.Counters = new(engine.Counters)
	}
	var result Result
	err := engine.Persist(ctx, o.Patience, "verify", func() error {
		v := &verifier{o: o, store: store, task: task, ledger: ledger, target: target, result: Result{Counts: map[Outcome]int64{}}}
		err := v.run(ctx)
		result = v.result
		if err != nil {
			v.uncount()
		}
		return err
	})
	return result, err
}

// uncount takes back what an attempt in vain has counted.
func (v *verifier) uncount() {
	v.o.Counters.Listed.Add(-int64(len(v.known.ids)))
	for _, n := range v.result.Counts {
		v.o.Counters.Done.Add(-n)
	}
}

// verifier compares one task.
type verifier struct {
	o      Options
	store  checkpoint.Store
	task   checkpoint.Task
	ledger Ledger
	target sinks.Inspector
	known  known
	// readers reads what has to be read, several objects at once.
	readers *errgroup.Group

	mu        sync.Mutex
	result    Result
	strangers map[uint64][]stranger
	lost      []lost
	good      sinks.Object // one that could be read
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.learn(ctx); err != nil {
		return err
	}
	v.strangers = map[uint64][]stranger{}
	compare := v.flat
	if v.o.Tree {
		compare = v.tree
	}
	err := v.reading(ctx, compare)
	if err == nil && !v.o.Tree {
		err = v.reading(ctx, v.unseen)
	}
	if err != nil {
		return err
	}
	v.settle()
	return nil
}

// reading runs f and what it hands to the readers.
func (v *verifier) reading(ctx context.Context, f func(context.Context) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(v.o.Parallel)
	v.readers = g
	err := f(gctx)
	if waited := g.Wait(); waited != nil {
		return waited // it may be why f ended
	}
	return err
}

// flat compares items that lie in no folders.
func (v *verifier) flat(ctx context.Context) error {
	return v.list(ctx, "", func(o sinks.Object) error {
		id, err := v.ledger.AtLocation(ctx, o.Location)
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if id == "" {
			v.beside(ctx, o)
			return nil
		}
		rec, ok, err := v.ledger.Record(ctx, id)
		if err != nil || !ok {
			return errors.Join(err, fmt.Errorf("the ledger has no record of %s", id))
		}
		v.known.found(id)
		v.check(ctx, o, rec, proof(rec, o.Location))
		return nil
	})
}

// list calls each with the objects in a place.
func (v *verifier) list(ctx context.Context, place string, each func(sinks.Object) error) error {
	for o, err := range v.target.List(ctx, place) {
		if err != nil {
			return err
		}
		if err := each(o); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// proof is what the ledger knows of an item that lies at a location by now.
func proof(rec checkpoint.Record, location string) sinks.Proof {
	return sinks.Proof{
		Receipt: sinks.Receipt{Location: location, Version: rec.ReceiptVersion, BodyVersion: rec.BodyVersion, State: rec.ReceiptState},
		Bytes:   rec.Bytes, Digest: rec.Digest,
	}
}

// check compares an object with the item that lies there. What has to be read for it is read by and by.
func (v *verifier) check(ctx context.Context, o sinks.Object, rec checkpoint.Record, p sinks.Proof) {
	if rec.State == checkpoint.Removed {
		return // gone at the source, and kept on the target: nobody expects it, and it is none too many
	}
	verdict := v.target.Compare(o, p)
	switch chosen := v.chosen(rec.ID); {
	case o.Folder, o.Digest != "" && !ofBytes(o.Digest), !chosen && (o.Digest != "" || verdict == sinks.Same || verdict == sinks.Alike):
		if o.Digest != "" && !ofBytes(o.Digest) {
			v.readable(o)
		}
		v.judged(verdict, rec, o)
	default:
		o.Digest = "" // a server may state the one of the upload, whatever it holds by now
		v.readers.Go(func() error { return v.read(ctx, o, rec, p) })
	}
}

// readable notes an object that the server hands out.
func (v *verifier) readable(o sinks.Object) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.good = o
}

// ofBytes tells a digest of bytes from one of a meaning, for which the object was read already.
func ofBytes(digest string) bool { return strings.HasPrefix(digest, "sha256:") }

// chosen reports whether an item is among those that are read whole.
func (v *verifier) chosen(id string) bool {
	return v.o.Share >= 1 || v.o.Share > 0 && float64(hashOf(id))/math.MaxUint64 < v.o.Share
}

// read compares an object after it was read whole.
func (v *verifier) read(ctx context.Context, o sinks.Object, rec checkpoint.Record, p sinks.Proof) error {
	whole, err := v.whole(ctx, o)
	switch {
	case errors.Is(err, sinks.ErrNothing):
		v.missing(rec, p)
		return nil
	case v.unreadable(ctx, err):
		v.find(rec, Differs, o.Location, "the server does not hand it out: "+fault.Of(err).Error())
		return nil
	case err != nil:
		return patiently(ctx, err)
	}
	v.judged(v.target.Compare(whole, p), rec, whole)
	return nil
}

// patiently is the error of a read that was tried again often enough: the comparison is not begun anew for it.
func patiently(ctx context.Context, err error) error {
	if f := fault.Of(err); f.Action == fault.Retry && !fault.Cancelled(ctx) {
		return fault.New(fault.FailTask, f.Reason, "%w", err)
	}
	return err
}

// unreadable reports whether an error concerns one object alone, so that the others can still be looked at. A server that fails again and
// again with one object, and hands out another one, is not out of order as a whole.
func (v *verifier) unreadable(ctx context.Context, err error) bool {
	if err == nil || fault.Cancelled(ctx) {
		return false
	}
	switch fault.Of(err).Action {
	case fault.FailItem:
		return true
	case fault.Retry:
		v.mu.Lock()
		good := v.good
		v.mu.Unlock()
		if good.Location == "" {
			return false
		}
		_, err := v.target.Read(ctx, good)
		return err == nil
	}
	return false
}

// whole reads an object. What is not there is told without another attempt.
func (v *verifier) whole(ctx context.Context, o sinks.Object) (whole sinks.Object, err error) {
	var gone error
	err = engine.Persist(ctx, v.o.Patience, "read back", func() (err error) {
		whole, err = v.target.Read(ctx, o)
		if errors.Is(err, sinks.ErrNothing) {
			gone, err = err, nil
		}
		return err
	})
	if err = errors.Join(err, gone); err == nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.result.Read++
		v.good = o
	}
	return whole, err
}

// judged counts an item that lies where it should.
func (v *verifier) judged(verdict sinks.Verdict, rec checkpoint.Record, o sinks.Object) {
	switch verdict {
	case sinks.Alike, sinks.Same:
		v.count(Proven)
	case sinks.Touched:
		v.find(rec, Changed, o.Location, usual[Changed])
	case sinks.Mistimed:
		v.find(rec, Differs, o.Location, "it takes place at other times than at the provider, by the time zones that the server hands out with it")
	default:
		v.find(rec, Differs, o.Location, usual[Differs])
	}
}

func (v *verifier) count(out Outcome) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.result.Counts[out]++
	v.o.Counters.Done.Add(1)
}

func (v *verifier) find(rec checkpoint.Record, out Outcome, location, detail string) {
	v.tell(Finding{Outcome: out, ID: rec.ID, Link: rec.Link, Title: rec.Title, Location: location, Detail: detail})
}

// tell counts a finding and keeps its words.
func (v *verifier) tell(f Finding) {
	v.count(f.Outcome)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.result.Findings) < MostFindings {
		v.result.Findings = append(v.result.Findings, f)
	}
}

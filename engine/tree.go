package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/mapping"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// NameFunc gives a node of a drive its name on the target, and the loss if that is not the source's.
type NameFunc func(f sources.File) (name string, loss *sinks.Loss)

// OrphanFolder is the id of the folder for orphans, which is no item of a source but is put like one. No provider's id begins with a colon.
const OrphanFolder = ":orphans"

// tree is the order of a drive: folders before what they hold, each node at the place that the ledger's tree has for it.
// A node is known by its id, so that a renamed folder is one move, whatever lies in it.
type tree struct {
	src     sources.Source[sources.File]
	sink    sinks.Sink[sinks.File]
	name    NameFunc
	orphans string
	// tracer is nil where the sink needs no trace of what is about to be written.
	tracer sinks.Tracer[sinks.File]
	// lying are the paths of folders that are on the target, by their ids.
	lying sync.Map
}

type (
	fileWork = work[sources.File]
	filePass = pass[sources.File, sinks.File]
)

// steps puts folders first, level by level: new ones at once, moves one after the other since each changes where others
// lie; then the files; last what is gone, folders after what they held.
func (t *tree) steps(ctx context.Context, p *filePass, works []*fileWork) ([]step[sources.File], error) {
	if err := t.completeAll(ctx, p, works); err != nil {
		return nil, err
	}
	works, err := t.findParents(ctx, p, works)
	if err != nil {
		return nil, err
	}
	var folders, files, gone []*fileWork
	for _, w := range works {
		switch {
		case w.item.Deleted:
			gone = append(gone, w)
		case w.item.Content.Type == sources.Folder && w.item.Problem == nil:
			folders = append(folders, w)
		default:
			files = append(files, w)
		}
	}
	if err := t.checkAppeared(ctx, p, folders, works); err != nil {
		return nil, err
	}
	if err := t.ensureOrphans(ctx, p, works); err != nil {
		return nil, err
	}
	var steps []step[sources.File]
	for _, level := range levels(folders) {
		fresh, moved := split(level)
		steps = append(steps, t.reserving(p, fresh, false), t.reserving(p, moved, true))
	}
	leaves := t.reserving(p, files, false)
	leaves.leaves = true
	steps = append(steps, leaves)
	removals, err := t.removals(ctx, p, works, gone)
	return append(steps, removals...), err
}

// completeAll fetches the stubs, since a node without its parent has no place in the order.
func (t *tree) completeAll(ctx context.Context, p *filePass, works []*fileWork) error {
	return p.parallel(ctx, len(works), func(ctx context.Context, i int) error {
		w := works[i]
		if !w.item.Stub {
			return nil
		}
		err := p.persist(ctx, "fetch", func() error { return p.complete(ctx, w) })
		return asProblem(ctx, w, err)
	})
}

// asProblem keeps an error that concerns one item with the item; what ends the task is returned.
func asProblem(ctx context.Context, w *fileWork, err error) error {
	if err == nil {
		return nil
	}
	if f := fault.Of(err); f.Action == fault.FailTask || fault.Cancelled(ctx) || errors.Is(err, ErrDrained) {
		return err
	} else if f.Action == fault.Retry {
		c := *f
		c.Action = fault.FailItem
		err = &c
	}
	w.item.Stub, w.item.Problem = false, err
	return nil
}

func split(level []*fileWork) (fresh, moved []*fileWork) {
	for _, w := range level {
		if w.rec.Location == "" {
			fresh = append(fresh, w)
		} else {
			moved = append(moved, w)
		}
	}
	return fresh, moved
}

// reserving returns a step that reserves the places of its works when it begins.
func (t *tree) reserving(p *filePass, works []*fileWork, serial bool) step[sources.File] {
	return step[sources.File]{works: works, serial: serial, before: func(ctx context.Context) error {
		return t.reserve(ctx, p, works)
	}}
}

func (t *tree) reserve(ctx context.Context, p *filePass, works []*fileWork) error {
	t.lying.Clear()
	var placed []*fileWork
	var asked []checkpoint.Reservation
	for _, w := range works {
		if err := t.finishMove(ctx, p, w); err != nil {
			return err
		}
		if w.item.Problem != nil {
			continue
		}
		node, loss := t.node(w)
		w.losses = nil
		if loss != nil {
			w.losses = append(w.losses, *loss)
		}
		asked = append(asked, checkpoint.Reservation{Node: node, Names: mapping.Variants(node.Wanted, node.Folder)})
		placed = append(placed, w)
	}
	if len(asked) == 0 {
		return nil
	}
	nodes, err := p.ledger.Reserve(ctx, asked...)
	if err != nil {
		return ledgerError(fmt.Errorf("reserve places: %w", err))
	}
	for i, n := range nodes {
		placed[i].name = n.Name
		if n.Name != asked[i].Wanted {
			placed[i].losses = []sinks.Loss{otherName(placed[i], asked[i].Wanted, n)}
		}
	}
	return t.traceAll(ctx, p, placed)
}

// node returns the item as a node that wants a place, and the loss if the target takes its name only in another form.
func (t *tree) node(w *fileWork) (checkpoint.Node, *sinks.Loss) {
	name, loss := t.name(w.item.Content)
	return checkpoint.Node{ID: w.item.ID, ParentID: parentOf(w), Wanted: name, Folder: w.item.Content.Type == sources.Folder}, loss
}

// beside reserves a name that is derived from the item's own alone, so that it is the same in every pass.
func (t *tree) beside(ctx context.Context, p *filePass, w *fileWork, content *sinks.File) error {
	node, _ := t.node(w)
	from := mapping.BesideNumber(node.Wanted, content.Path[len(content.Path)-1], node.Folder) + 1
	nodes, err := p.ledger.Reserve(ctx, checkpoint.Reservation{Node: node, Names: mapping.Beside(node.Wanted, node.Folder, from), Anew: true})
	if err != nil {
		return ledgerError(fmt.Errorf("reserve another place: %w", err))
	}
	if _, content.Path, _, err = p.ledger.Where(ctx, node.ID); err != nil {
		return ledgerError(err)
	}
	w.name = nodes[0].Name
	w.losses = []sinks.Loss{otherName(w, node.Wanted, nodes[0])}
	return nil
}

// otherName is the loss of a node that could not have its name: a sibling has it, or the target's user has something under it.
func otherName(w *fileWork, wanted string, n checkpoint.Node) sinks.Loss {
	loss := sinks.Loss{Reason: mapping.FileRenamed, Detail: mapping.Renaming(w.item.Content.Name, n.Name) + ", since a sibling has the name"}
	if mapping.BesideNumber(wanted, n.Name, n.Folder) > 0 {
		loss.Reason = mapping.FileConflictRenamed
		loss.Detail = mapping.Renaming(w.item.Content.Name, n.Name) + ", since the user of the target has something else under the name"
	}
	return loss
}

// parentOf returns the id of the node that holds the item on the target.
func parentOf(w *fileWork) string {
	if w.item.Content.Orphan {
		return OrphanFolder
	}
	return w.item.Content.ParentID
}

func (t *tree) place(ctx context.Context, p *filePass, w *fileWork, content *sinks.File, prev *sinks.Receipt) ([]sinks.Loss, error) {
	above, err := t.above(ctx, p, w)
	if err != nil {
		return nil, err
	}
	if w.rec.Location == "" && w.name != "" {
		content.Path = append(above, w.name)
		return nil, nil
	}
	lies, reserved, ok, err := p.ledger.Where(ctx, w.item.ID)
	if err != nil {
		return nil, ledgerError(err)
	}
	if ok && beneath(reserved, lies) {
		return nil, errInItself
	}
	content.Path = reserved
	if ok && prev.Location != "" {
		prev.Location = sinks.PathLocation(lies)
	}
	return nil, nil
}

// above returns the path of the folder that is to hold the item.
func (t *tree) above(ctx context.Context, p *filePass, w *fileWork) ([]string, error) {
	parent := parentOf(w)
	if parent == "" {
		return nil, nil
	}
	path, err := t.lies(ctx, p, parent)
	if err != nil {
		return nil, err
	}
	if path == nil {
		return nil, fault.New(fault.FailItem, fault.TargetNoParent, "the folder of %q could not be made", w.item.Content.Name)
	}
	return slices.Clone(path), nil
}

// lies returns where a folder lies on the target; nil: it does not. It is asked for each of its children, and so remembered until the next
// step begins: no folder is taken away in a step that puts something into it, and none is moved in one that puts something new there.
func (t *tree) lies(ctx context.Context, p *filePass, folder string) ([]string, error) {
	if path, known := t.lying.Load(folder); known {
		return path.([]string), nil
	}
	path, _, there, err := p.ledger.Where(ctx, folder)
	if err != nil || !there {
		return nil, ledgerError(err)
	}
	t.lying.Store(folder, path)
	return path, nil
}

func (t *tree) written(ctx context.Context, p *filePass, rec checkpoint.Record) error {
	return p.ledger.Settle(ctx, rec.ID, rec)
}

func (t *tree) located(ctx context.Context, p *filePass, rec checkpoint.Record) (sinks.Receipt, error) {
	r := receipt(rec)
	lies, _, ok, err := p.ledger.Where(ctx, rec.ID)
	if err != nil {
		return r, ledgerError(err)
	}
	if !ok {
		return sinks.Receipt{}, nil // somebody else may lie at the record's location by now
	}
	r.Location = sinks.PathLocation(lies)
	return r, nil
}

func (t *tree) resume(ctx context.Context, p *filePass) error {
	if !p.resumed.Load() {
		return nil
	}
	return t.finishMoves(ctx, p)
}

func (t *tree) removed(ctx context.Context, p *filePass, id string) error {
	return p.ledger.Forget(ctx, id)
}

// ensureOrphans makes the folder for orphans before the first of them is written.
func (t *tree) ensureOrphans(ctx context.Context, p *filePass, works []*fileWork) error {
	for _, w := range works {
		if !w.item.Deleted && w.item.Problem == nil && w.item.Content.Orphan {
			return t.makeOrphanFolder(ctx, p)
		}
	}
	return nil
}

func (t *tree) makeOrphanFolder(ctx context.Context, p *filePass) error {
	if _, _, ok, err := p.ledger.Where(ctx, OrphanFolder); err != nil || ok {
		return ledgerError(err)
	}
	node := checkpoint.Node{ID: OrphanFolder, Wanted: t.orphans, Folder: true}
	if _, err := p.ledger.Reserve(ctx, checkpoint.Reservation{Node: node, Names: mapping.Variants(t.orphans, true)}); err != nil {
		return ledgerError(err)
	}
	_, path, _, err := p.ledger.Where(ctx, OrphanFolder)
	if err != nil {
		return ledgerError(err)
	}
	folder := sinks.Item[sinks.File]{ID: OrphanFolder, Again: true, Content: sinks.File{Path: path, Folder: true}}
	var written sinks.Written
	err = p.persist(ctx, "make a folder", func() (err error) {
		written, err = t.sink.Put(ctx, folder, sinks.Receipt{})
		return err
	})
	if err != nil {
		return fmt.Errorf("make the folder %q: %w", strings.Join(path, "/"), err)
	}
	if !written.Unchanged {
		node.Wanted = madeHere + written.Receipt.State
		if _, err := p.ledger.Reserve(ctx, checkpoint.Reservation{Node: node, Names: slices.Values(path)}); err != nil {
			return ledgerError(err)
		}
	}
	return ledgerError(p.ledger.Settle(ctx, OrphanFolder, checkpoint.Record{}))
}

// madeHere begins what the folder for orphans is Wanted as if a run is sure that it made it, before the State of its receipt: it has no
// record.
const madeHere = ":made "

// MadeOrphans returns the receipt of a node that lies at the path, if it is a folder for orphans that the job made.
func MadeOrphans(n checkpoint.Node, path string) (sinks.Receipt, bool) {
	state, ok := strings.CutPrefix(n.Wanted, madeHere)
	return sinks.Receipt{Location: path, State: state}, ok && n.ID == OrphanFolder
}

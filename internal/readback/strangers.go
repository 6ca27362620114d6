package readback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/sinks"
)

// stranger is a copy of an item at a place that the ledger does not know.
type stranger struct{ location, title string }

// lost is an item that is not where it was written.
type lost struct {
	rec      checkpoint.Record
	location string
	identity uint64
	known    bool // whether identity says something
}

// beside looks at an object that no item of the ledger has as its place.
func (v *verifier) beside(ctx context.Context, o sinks.Object) {
	switch {
	case v.known.foundAlso(o.Location):
		return // a further copy that an item has by right
	case o.Folder || !v.known.mayBeCopy(o):
		v.other()
	case o.Digest != "":
		v.copied(o)
	default:
		v.readers.Go(func() error {
			whole, err := v.whole(ctx, o)
			switch {
			case errors.Is(err, sinks.ErrNothing):
				return nil
			case v.unreadable(ctx, err):
				v.other()
				return nil
			case err == nil:
				v.copied(whole)
			}
			return err
		})
	}
}

func (v *verifier) other() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.result.Others++
}

// copied keeps a copy until it is known whether its item is missed elsewhere.
func (v *verifier) copied(o sinks.Object) {
	id, ok := identity(o.Digest, o.Twin)
	if !ok || !v.known.isCopy(o) {
		v.other()
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.strangers[id] = append(v.strangers[id], stranger{o.Location, o.Title})
}

// unseen looks for each item that the listing did not show: some lie where nothing was listed.
func (v *verifier) unseen(ctx context.Context) error {
	for rec, err := range v.store.Records(ctx, v.task) {
		if err != nil {
			return fmt.Errorf("read the ledger: %w", err)
		}
		if rec.Location == "" || rec.State == checkpoint.Removed {
			continue
		}
		if v.known.pending(rec.ID) {
			v.seek(ctx, rec, rec.Location)
		}
		for _, at := range v.target.Expect(proof(rec, rec.Location)).Also {
			if !v.known.sawAlso(at) {
				v.find(rec, Missing, at, "a further copy of it is not where it was written")
			}
		}
	}
	return ctx.Err()
}

// seek reads what the listing did not show.
func (v *verifier) seek(ctx context.Context, rec checkpoint.Record, location string) {
	p := proof(rec, location)
	v.readers.Go(func() error { return v.read(ctx, sinks.Object{Location: location, Size: -1}, rec, p) })
}

// missing notes an item that is not where it was written.
func (v *verifier) missing(rec checkpoint.Record, p sinks.Proof) {
	id, ok := identity(rec.Digest, v.target.Expect(p).Twin)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost = append(v.lost, lost{rec, p.Receipt.Location, id, ok})
}

// settle matches what is missing with what lies elsewhere; the rest is missing indeed, and there twice.
func (v *verifier) settle() {
	var moved []string
	for _, l := range v.lost {
		copies := v.strangers[l.identity]
		if !l.known || len(copies) == 0 {
			continue
		}
		v.strangers[l.identity] = copies[1:]
		v.find(l.rec, Changed, copies[0].location, "it was moved there from "+l.location)
		moved = append(moved, l.location)
	}
	slices.Sort(moved)
	for _, l := range v.lost {
		_, found := slices.BinarySearch(moved, l.location)
		i, _ := slices.BinarySearch(moved, l.location+"/")
		switch {
		case found:
		case i < len(moved) && strings.HasPrefix(moved[i], l.location+"/"):
			v.find(l.rec, Changed, l.location, "what lay in the folder was moved elsewhere")
		default:
			v.find(l.rec, Missing, l.location, missingFrom(v.task.Kind))
		}
	}
	for _, copies := range v.strangers {
		for _, c := range copies {
			v.tell(Finding{Outcome: Extra, Title: c.title, Location: c.location, Detail: usual[Extra]})
		}
	}
}

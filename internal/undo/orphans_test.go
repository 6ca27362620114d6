package undo_test

import (
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
	"codeberg.org/repatriate/repatriate/engine"
)

// The folder for orphans has no record. One that a run made goes with what lies in it; one that was there, or of which nobody knows, stays.
func TestFolderForOrphans(t *testing.T) {
	for _, c := range []struct{ name, wanted, left string }{
		{"made by a run", ":made in the account", ""},
		{"there before", "_Orphans", "_Orphans"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, true)
			node := checkpoint.Node{ID: engine.OrphanFolder, Wanted: c.wanted, Folder: true}
			_, err := w.ledger.Reserve(t.Context(), checkpoint.Reservation{Node: node, Names: func(yield func(string) bool) { yield("_Orphans") }})
			must(t, err)
			must(t, w.ledger.Settle(t.Context(), engine.OrphanFolder, checkpoint.Record{}))
			w.target.held["_Orphans"] = ""
			foretold, err := w.undo(t, true)
			must(t, err)
			r, err := w.undo(t, false)
			must(t, err)
			if foretold.Removed != r.Removed || foretold.Stayed != r.Stayed || foretold.Own != r.Own {
				t.Errorf("a dry run says %+v, and %+v came of it", foretold, r)
			}
			if w.left() != c.left || r.Removed+r.Stayed != 1 || r.Own != r.Removed {
				t.Errorf("%q stays; %+v", w.left(), r)
			}
			_, _, lies, err := w.ledger.Where(t.Context(), engine.OrphanFolder)
			if must(t, err); lies != (c.left != "") {
				t.Errorf("by the ledger it lies there: %v", lies)
			}
		})
	}
}

package checkpointtest

import (
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// neverListed saves records of items that no page held: the ledger would no longer balance, so all of the call is refused.
func neverListed(t *testing.T, b Backend) {
	s := newBench(t, b)
	known := s.enlist("known")[0]
	known.State = checkpoint.Copied
	unknown := checkpoint.Record{ID: "unknown", State: checkpoint.Copied}
	if err := s.l.Save(t.Context(), known, unknown); err == nil {
		t.Error("a record that was never listed was saved")
	}
	reserve(t, s.l, "unknown", "", "name", "name")
	if err := s.l.Settle(t.Context(), "unknown", unknown); err == nil {
		t.Error("a record that was never listed was settled")
	}
	wantWhere(t, s.l, "unknown", "-", "name")
	if st := s.status(); st.Listed != 1 || st.Counts[checkpoint.Pending] != 1 || !st.Balanced() {
		t.Errorf("what was refused was done in part: %+v", st)
	}
}

// noID lists an item without an id, which would be counted and never found again.
func noID(t *testing.T, b Backend) {
	s := newBench(t, b)
	if _, err := s.l.Enlist(t.Context(), 1, []checkpoint.Entry{{ID: "x"}, {}}); err == nil {
		t.Error("an item without an id was listed")
	}
	if st := s.status(); st.Listed != 0 || !st.Balanced() {
		t.Errorf("half of a page was listed: %+v", st)
	}
}

// lossesWithoutNames counts records that say they have losses and name none.
func lossesWithoutNames(t *testing.T, b Backend) {
	s := newBench(t, b)
	records := s.enlist("x", "y", "z")
	records[0].State = checkpoint.CopiedWithLosses
	records[1].State, records[1].Losses = checkpoint.Copied, []checkpoint.Loss{{Reason: "of an earlier version"}}
	records[2].State, records[2].Reason = checkpoint.Pending, "of an earlier try"
	s.save(records...)
	if st := s.status(); st.Counts[checkpoint.CopiedWithLosses] != 1 || len(st.Reasons) != 0 {
		t.Errorf("status %+v", st)
	}
}

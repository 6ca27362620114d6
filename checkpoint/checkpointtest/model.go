package checkpointtest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// model is what a store should hold of one task.
type model struct {
	records    map[string]checkpoint.Record
	listed     int64
	generation int64
	position   checkpoint.Position
}

// counts returns what Tasks should say.
func (m *model) counts() (counts [len(checkpoint.States)]int64, bytes int64, reasons map[string]int64) {
	reasons = make(map[string]int64)
	for _, r := range m.records {
		counts[r.State]++
		bytes += r.Bytes
		switch r.State {
		case checkpoint.Skipped, checkpoint.Failed:
			reasons[r.Reason]++
		case checkpoint.CopiedWithLosses:
			seen := make(map[string]bool)
			for _, l := range r.Losses {
				seen[l.Reason] = true
			}
			for reason := range seen {
				reasons[reason]++
			}
		}
	}
	return counts, bytes, reasons
}

func (m *model) sorted(keep func(checkpoint.Record) bool) (out []checkpoint.Record) {
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		if keep(m.records[id]) {
			out = append(out, m.records[id])
		}
	}
	return out
}

// randomOperations does whatever a ledger can do, in any order, and compares after each step.
func randomOperations(t *testing.T, b Backend) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newBench(shortLived{TB: t, rt: rt}, b)
		m := &model{records: make(map[string]checkpoint.Record), generation: 1}
		rt.Repeat(map[string]func(*rapid.T){
			"enlist":  func(rt *rapid.T) { m.enlist(rt, s) },
			"save":    func(rt *rapid.T) { m.save(rt, s) },
			"advance": func(rt *rapid.T) { m.advance(rt, s) },
			"relist":  func(*rapid.T) { m.generation++ },
			"reopen":  func(*rapid.T) { s.reopen() },
			"unseen":  func(rt *rapid.T) { m.unseen(rt, s) },
			"states":  func(rt *rapid.T) { m.states(rt, s) },
			"locate":  func(rt *rapid.T) { m.locate(rt, s) },
			"":        func(*rapid.T) { m.check(rt, s) },
		})
	})
}

// shortLived is a test whose clean-up runs at the end of one of rapid's attempts.
type shortLived struct {
	testing.TB
	rt *rapid.T
}

func (s shortLived) Cleanup(f func())          { s.rt.Cleanup(f) }
func (s shortLived) Fatalf(f string, a ...any) { s.rt.Fatalf(f, a...) }
func (s shortLived) Errorf(f string, a ...any) { s.rt.Errorf(f, a...) }

var anyID = rapid.SampledFrom([]string{"a", "b", "B", "c/d", "é", "ü'; --", "id with space", "\u202e", "zz", "z\x00z"})

func (m *model) enlist(rt *rapid.T, s *bench) {
	ids := rapid.SliceOfN(anyID, 0, 6).Draw(rt, "ids")
	entries := make([]checkpoint.Entry, 0, len(ids))
	for _, id := range ids {
		entries = append(entries, checkpoint.Entry{ID: id, Title: "t" + id, Link: "l" + id})
	}
	got, err := s.l.Enlist(context.Background(), m.generation, entries)
	if err != nil {
		rt.Fatalf("enlist: %v", err)
	}
	for i, id := range ids {
		r, known := m.records[id]
		if !known {
			m.listed++
			r = checkpoint.Record{ID: id, Title: "t" + id, Link: "l" + id}
		}
		r.Generation = m.generation
		m.records[id] = r
		if diff := cmp.Diff(r, got[i], cmpopts.EquateEmpty()); diff != "" {
			rt.Fatalf("enlist returns for %q (-want +got):\n%s", id, diff)
		}
	}
}

func (m *model) save(rt *rapid.T, s *bench) {
	var records []checkpoint.Record
	for range rapid.IntRange(1, 3).Draw(rt, "n") {
		old, ok := m.records[anyID.Draw(rt, "id")]
		if !ok {
			continue
		}
		records = append(records, change(rt, old))
	}
	if len(records) == 0 {
		return
	}
	if err := s.l.Save(context.Background(), records...); err != nil {
		rt.Fatalf("save: %v", err)
	}
	for _, r := range records {
		m.records[r.ID] = r
	}
}

func change(rt *rapid.T, r checkpoint.Record) checkpoint.Record {
	text := rapid.StringN(0, 12, 40)
	reason := rapid.SampledFrom([]string{"source.malware", "target.quota", "file.renamed", "event.guests"})
	// Title and Link stay as they were listed: a store may refresh them from each page.
	r.Version = text.Draw(rt, "version")
	r.State = rapid.SampledFrom(checkpoint.States[:]).Draw(rt, "state")
	r.Reason, r.Message, r.Losses = "", "", nil
	switch r.State {
	case checkpoint.Skipped, checkpoint.Failed:
		r.Reason, r.Message = reason.Draw(rt, "reason"), text.Draw(rt, "message")
	case checkpoint.CopiedWithLosses:
		for range rapid.IntRange(1, 3).Draw(rt, "losses") {
			r.Losses = append(r.Losses, checkpoint.Loss{Reason: reason.Draw(rt, "loss"), Detail: text.Draw(rt, "detail")})
		}
	}
	r.Location = "at:" + r.ID + text.Draw(rt, "location")
	r.ReceiptVersion, r.BodyVersion, r.ReceiptState = text.Draw(rt, "etag"), text.Draw(rt, "body"), text.Draw(rt, "sink's")
	r.Bytes = rapid.Int64Range(0, 1<<50).Draw(rt, "bytes")
	r.Digest, r.Attempts = text.Draw(rt, "digest"), rapid.IntRange(0, 9).Draw(rt, "attempts")
	return r
}

func (m *model) advance(rt *rapid.T, s *bench) {
	m.position = checkpoint.Position{
		Cursor: rapid.String().Draw(rt, "cursor"), Generation: m.generation,
		Complete: rapid.Bool().Draw(rt, "complete"), Error: rapid.StringN(0, 9, 30).Draw(rt, "error"),
	}
	held := rapid.SliceOfN(anyID, 0, 4).Draw(rt, "held")
	if err := s.l.Advance(context.Background(), m.position, held...); err != nil {
		rt.Fatalf("advance: %v", err)
	}
	for _, id := range held {
		if r, ok := m.records[id]; ok {
			r.Generation = max(r.Generation, m.generation)
			m.records[id] = r
		}
	}
}

func (m *model) unseen(rt *rapid.T, s *bench) {
	after, limit := anyID.Draw(rt, "after"), rapid.IntRange(1, 4).Draw(rt, "limit")
	got, err := s.l.Unseen(context.Background(), m.generation, after, limit)
	if err != nil {
		rt.Fatalf("unseen: %v", err)
	}
	want := m.sorted(func(r checkpoint.Record) bool {
		return r.ID > after && r.State != checkpoint.Removed && r.Generation < m.generation
	})
	same(rt, "unseen", want[:min(limit, len(want))], got)
}

func (m *model) states(rt *rapid.T, s *bench) {
	states := rapid.SliceOfNDistinct(rapid.SampledFrom(checkpoint.States[:]), 1, 3, rapid.ID).Draw(rt, "states")
	after, limit := anyID.Draw(rt, "after"), rapid.IntRange(1, 4).Draw(rt, "limit")
	got, err := s.l.InState(context.Background(), after, limit, states...)
	if err != nil {
		rt.Fatalf("in state: %v", err)
	}
	want := m.sorted(func(r checkpoint.Record) bool { return slices.Contains(states, r.State) })
	same(rt, "records in state", want, s.all(mailTask, states...))
	want = slices.DeleteFunc(want, func(r checkpoint.Record) bool { return r.ID <= after })
	same(rt, "in state", want[:min(limit, len(want))], got)
}

func (m *model) locate(rt *rapid.T, s *bench) {
	id := anyID.Draw(rt, "id")
	want, known := m.records[id]
	got, ok, err := s.l.Record(context.Background(), id)
	if err != nil || ok != known {
		rt.Fatalf("record %q: %v, %v; want %v", id, ok, err, known)
	}
	if !known {
		return
	}
	same(rt, "record", []checkpoint.Record{want}, []checkpoint.Record{got})
	if want.Location == "" {
		return
	}
	if at, err := s.l.AtLocation(context.Background(), want.Location); err != nil || at != id {
		rt.Fatalf("at %q: %q, %v; want %q", want.Location, at, err, id)
	}
}

func (m *model) check(rt *rapid.T, s *bench) {
	st := s.status()
	counts, bytes, reasons := m.counts()
	want := checkpoint.Status{
		Task: mailTask, Name: "Name", Cursor: m.position.Cursor, Generation: m.position.Generation, Complete: m.position.Complete,
		Listed: m.listed, Counts: counts, Bytes: bytes, Reasons: reasons, Error: m.position.Error,
	}
	if diff := cmp.Diff(want, st, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("status (-want +got):\n%s", diff)
	}
	if !st.Balanced() {
		rt.Fatalf("not balanced: %+v", st)
	}
	same(rt, "records", m.sorted(func(checkpoint.Record) bool { return true }), s.all(mailTask))
}

func same(rt *rapid.T, what string, want, got []checkpoint.Record) {
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		rt.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

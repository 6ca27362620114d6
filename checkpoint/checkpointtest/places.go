package checkpointtest

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// numbered yields a name, then the name with " (2)", " (3)" and so on.
func numbered(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, ok := 2, yield(name); ok; i++ {
			ok = yield(fmt.Sprintf("%s (%d)", name, i))
		}
	}
}

// spot is one place of a node in the model.
type spot struct{ parent, name, wanted string }

// placed is a node in the model; a spot that is nil is not there.
type placed struct{ lies, planned *spot }

// forest is what a Tree should hold.
type forest map[string]placed

// folderIDs are folders; each may lie only in an earlier one, so that they never form a ring.
var folderIDs = []string{"d1", "d2", "d3"}

var nodeIDs = append([]string{"f1", "f2", "f3", "f4", "f5", "f6"}, folderIDs...)

// sibling is the form in which the names of the model's small world are compared.
func sibling(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "e\u0301", "\u00e9")
}

// randomPlaces reserves, settles and forgets in any order, and compares all places after each step.
func randomPlaces(t *testing.T, b Backend) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newBench(shortLived{TB: t, rt: rt}, b)
		f := make(forest)
		rt.Repeat(map[string]func(*rapid.T){
			"reserve": func(rt *rapid.T) { f.reserve(rt, s) },
			"settle":  func(rt *rapid.T) { f.settle(rt, s) },
			"forget":  func(rt *rapid.T) { f.forget(rt, s) },
			"reopen":  func(*rapid.T) { s.reopen() },
			"":        func(rt *rapid.T) { f.check(rt, s) },
		})
	})
}

func (f forest) reserve(rt *rapid.T, s *bench) {
	var asked []checkpoint.Reservation
	var want []checkpoint.Node
	for range rapid.IntRange(1, 4).Draw(rt, "n") {
		id := rapid.SampledFrom(nodeIDs).Draw(rt, "id")
		parents := append([]string{""}, folderIDs...)
		if i := slices.Index(folderIDs, id); i >= 0 {
			parents = parents[:i+1]
		}
		n := checkpoint.Node{
			ID: id, ParentID: rapid.SampledFrom(parents).Draw(rt, "parent"), Folder: strings.HasPrefix(id, "d"),
			Wanted: rapid.SampledFrom([]string{"a", "A", "a (2)", "\u00e9", "e\u0301", "\u00c9"}).Draw(rt, "wanted"),
		}
		asked = append(asked, checkpoint.Reservation{Node: n, Names: numbered(n.Wanted)})
		n.Name = f.place(n)
		want = append(want, n)
	}
	for range 2 { // the same call again has the same answer, unless it asks for one node in two places
		got, err := s.l.Reserve(context.Background(), asked...)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			rt.Fatalf("reserve: %v (-want +got):\n%s", err, diff)
		}
		if twice(asked) {
			return
		}
	}
}

func twice(asked []checkpoint.Reservation) bool {
	ids := make(map[string]bool)
	for _, r := range asked {
		ids[r.ID] = true
	}
	return len(ids) < len(asked)
}

// place is Reserve for one node, by the words of the contract.
func (f forest) place(n checkpoint.Node) string {
	p := f[n.ID]
	if old := p.planned; old != nil && old.parent == n.ParentID && old.wanted == n.Wanted {
		return old.name
	}
	p.planned = nil
	f[n.ID] = p
	if p.lies != nil && p.lies.parent == n.ParentID && p.lies.wanted == n.Wanted {
		return p.lies.name
	}
	for name := range numbered(n.Wanted) {
		if f.free(n, name) {
			p.planned = &spot{n.ParentID, name, n.Wanted}
			f[n.ID] = p
			return name
		}
	}
	return ""
}

func (f forest) free(n checkpoint.Node, name string) bool {
	for id, p := range f {
		for _, at := range []*spot{p.lies, p.planned} {
			if id != n.ID && at != nil && at.parent == n.ParentID && sibling(at.name) == sibling(name) {
				return false
			}
		}
	}
	return true
}

func (f forest) settle(rt *rapid.T, s *bench) {
	id := rapid.SampledFrom(nodeIDs).Draw(rt, "id")
	if err := s.l.Settle(context.Background(), id, checkpoint.Record{}); err != nil {
		rt.Fatalf("settle: %v", err)
	}
	if p := f[id]; p.planned != nil {
		f[id] = placed{lies: p.planned}
	}
}

func (f forest) forget(rt *rapid.T, s *bench) {
	id := rapid.SampledFrom(nodeIDs).Draw(rt, "id")
	if err := s.l.Forget(context.Background(), id); err != nil {
		rt.Fatalf("forget: %v", err)
	}
	delete(f, id)
}

// path returns the way to a spot; nil if a folder on it has no place.
func (f forest) path(at *spot) (path []string) {
	for at != nil {
		path = append([]string{at.name}, path...)
		if at.parent == "" {
			return path
		}
		up := f[at.parent]
		if at = up.lies; at == nil {
			at = up.planned
		}
	}
	return nil
}

func (f forest) check(rt *rapid.T, s *bench) {
	for _, id := range nodeIDs {
		p := f[id]
		wantLies := f.path(p.lies)
		wantReserved := wantLies
		if p.planned != nil {
			wantReserved = f.path(p.planned)
		}
		lies, reserved, ok, err := s.l.Where(context.Background(), id)
		if err != nil || ok != (wantLies != nil) || !slices.Equal(lies, wantLies) || !slices.Equal(reserved, wantReserved) {
			rt.Fatalf("where is %s: %q, %q, %v, %v; want %q, %q", id, lies, reserved, ok, err, wantLies, wantReserved)
		}
	}
	for _, parent := range append([]string{""}, folderIDs...) {
		after, limit := rapid.SampledFrom(append([]string{""}, nodeIDs...)).Draw(rt, "after"), rapid.IntRange(1, 4).Draw(rt, "limit")
		want := f.children(parent, after)
		got, err := s.l.Children(context.Background(), parent, after, limit)
		if diff := cmp.Diff(want[:min(limit, len(want))], got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			rt.Fatalf("children of %q: %v (-want +got):\n%s", parent, err, diff)
		}
	}
	f.checkPlacements(rt, s)
}

func (f forest) checkPlacements(rt *rapid.T, s *bench) {
	after, limit := rapid.SampledFrom(append([]string{""}, nodeIDs...)).Draw(rt, "after"), rapid.IntRange(1, 4).Draw(rt, "limit")
	var moving []checkpoint.Placement
	for _, id := range slices.Sorted(slices.Values(nodeIDs)) {
		want := f.placement(id)
		got, ok, err := s.l.Place(context.Background(), id)
		if diff := cmp.Diff(want, got); err != nil || ok && diff != "" || !ok && (want.Lies != nil || want.Reserved != nil) {
			rt.Fatalf("the places of %s: %v, %v (-want +got):\n%s", id, ok, err, diff)
		}
		if want.Lies != nil && want.Reserved != nil && id > after {
			moving = append(moving, want)
		}
	}
	got, err := s.l.Moving(context.Background(), after, limit)
	if diff := cmp.Diff(moving[:min(limit, len(moving))], got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		rt.Fatalf("moving: %v (-want +got):\n%s", err, diff)
	}
}

// placement is what Place should tell of a node.
func (f forest) placement(id string) checkpoint.Placement {
	of := func(s *spot) *checkpoint.Place {
		if s == nil {
			return nil
		}
		return &checkpoint.Place{ParentID: s.parent, Name: s.name, Wanted: s.wanted}
	}
	return checkpoint.Placement{ID: id, Folder: strings.HasPrefix(id, "d"), Lies: of(f[id].lies), Reserved: of(f[id].planned)}
}

func (f forest) children(parent, after string) (out []checkpoint.Node) {
	for _, id := range slices.Sorted(maps.Keys(f)) {
		if at := f[id].lies; at != nil && at.parent == parent && id > after {
			out = append(out, checkpoint.Node{ID: id, ParentID: parent, Name: at.name, Wanted: at.wanted, Folder: strings.HasPrefix(id, "d")})
		}
	}
	return out
}

// sameNames has many nodes of one name come and go in one folder.
func sameNames(t *testing.T, b Backend) {
	const n = 3000
	s := newBench(t, b)
	ask := func(from, to int) (last string) {
		t.Helper()
		var asked []checkpoint.Reservation
		for i := from; i < to; i++ {
			node := checkpoint.Node{ID: fmt.Sprint(i), ParentID: "dir", Wanted: "Untitled"}
			asked = append(asked, checkpoint.Reservation{Node: node, Names: numbered("Untitled")})
		}
		got, err := s.l.Reserve(t.Context(), asked...)
		if err != nil {
			t.Fatal(err)
		}
		return got[len(got)-1].Name
	}
	for from := 0; from < n; from += 500 {
		if got, want := ask(from, from+500), fmt.Sprintf("Untitled (%d)", from+500); got != want {
			t.Fatalf("the last name is %q, want %q", got, want)
		}
	}
	if err := s.l.Forget(t.Context(), "1233"); err != nil {
		t.Fatal(err)
	}
	if got := ask(n, n+1); got != "Untitled (1234)" {
		t.Errorf("the first free name is not taken: %q", got)
	}
	if got, want := ask(n+1, n+2), fmt.Sprintf("Untitled (%d)", n+1); got != want {
		t.Errorf("the next name is %q, want %q", got, want)
	}
	// Some of the many ask for the same in other letters: their own places are not in their way.
	settle(t, s.l, "76")
	settle(t, s.l, "50")
	for _, c := range [][2]string{{"76", "UNTITLED (77)"}, {"50", "UNTITLED (51)"}} {
		id, want := c[0], c[1]
		r := checkpoint.Reservation{Node: checkpoint.Node{ID: id, ParentID: "dir", Wanted: "UNTITLED"}, Names: numbered("UNTITLED")}
		if got, err := s.l.Reserve(t.Context(), r); err != nil || got[0].Name != want {
			t.Errorf("in other letters: %+v, %v; want %q", got, err, want)
		}
	}
}

// swappedNames has two siblings that lie change their names: neither gets a place before the other has left it.
func swappedNames(t *testing.T, b Backend) {
	s := newBench(t, b)
	for _, id := range []string{"a", "b"} {
		reserve(t, s.l, id, "", id, id)
		settle(t, s.l, id)
	}
	swap := func() {
		t.Helper()
		for id, wanted := range map[string]string{"a": "b", "b": "a"} {
			if got := reserve(t, s.l, id, "", wanted, wanted, wanted+" (2)"); got != wanted+" (2)" {
				t.Errorf("%q is to lie at %q", id, got)
			}
		}
	}
	swap()
	swap()
	settle(t, s.l, "a")
	settle(t, s.l, "b")
	swap() // what they wanted is what they have
	wantWhere(t, s.l, "a", "b (2)", "b (2)")
	wantWhere(t, s.l, "b", "a (2)", "a (2)")
}

package checkpointtest

import (
	"iter"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// names yields the candidates and then ends, which no caller outside tests does.
func names(candidates ...string) iter.Seq[string] { return slices.Values(candidates) }

func reserve(t testing.TB, l checkpoint.Ledger, id, parent, wanted string, candidates ...string) string {
	t.Helper()
	n := checkpoint.Node{ID: id, ParentID: parent, Wanted: wanted}
	got, err := l.Reserve(t.Context(), checkpoint.Reservation{Node: n, Names: names(candidates...)})
	if err != nil || len(got) != 1 || got[0].ID != id || got[0].ParentID != parent || got[0].Wanted != wanted {
		t.Fatalf("reserve %q: %+v, %v", id, got, err)
	}
	return got[0].Name
}

func settle(t testing.TB, l checkpoint.Ledger, id string) {
	t.Helper()
	if err := l.Settle(t.Context(), id, checkpoint.Record{}); err != nil {
		t.Fatalf("settle %q: %v", id, err)
	}
}

// wantWhere compares both paths of a node, written with "/"; "-" is none.
func wantWhere(t testing.TB, l checkpoint.Ledger, id, lies, reserved string) {
	t.Helper()
	gotLies, gotReserved, ok, err := l.Where(t.Context(), id)
	if err != nil {
		t.Fatalf("where is %q: %v", id, err)
	}
	if ok != (lies != "-") || ok && strings.Join(gotLies, "/") != lies {
		t.Errorf("%q lies at %q (%v), want %q", id, gotLies, ok, lies)
	}
	if reserved == "-" && gotReserved != nil || reserved != "-" && strings.Join(gotReserved, "/") != reserved {
		t.Errorf("%q has reserved %q, want %q", id, gotReserved, reserved)
	}
}

// twins reserves names that differ in case or Unicode form alone: none may be given twice.
func twins(t *testing.T, b Backend) {
	for _, c := range []struct{ what, first, second string }{
		{"same", "a.txt", "a.txt"},
		{"case", "Readme.TXT", "README.txt"},
		{"composed and decomposed", "caf\u00e9", "cafe\u0301"},
		{"both", "CAFE\u0301", "caf\u00e9"},
		{"greek", "ΣΊΣΥΦΟΣ", "σίσυφος"},
	} {
		t.Run(c.what, func(t *testing.T) {
			s := newBench(t, b)
			if got := reserve(t, s.l, "1", "", c.first, c.first, "no"); got != c.first {
				t.Errorf("first is %q", got)
			}
			if got := reserve(t, s.l, "2", "", c.second, c.second, "other"); got != "other" {
				t.Errorf("second is %q beside a reserved %q", got, c.first)
			}
			settle(t, s.l, "1")
			if got := reserve(t, s.l, "3", "", c.second, c.second, "other", "third"); got != "third" {
				t.Errorf("third is %q beside a lying %q", got, c.first)
			}
			if got := reserve(t, s.l, "4", "folder", c.second, c.second); got != c.second {
				t.Errorf("elsewhere it is %q", got)
			}
		})
	}
}

// reserveAgain asks the same again: the answer is the same, before and after settling and a restart.
func reserveAgain(t *testing.T, b Backend) {
	s := newBench(t, b)
	reserve(t, s.l, "1", "", "x", "x")
	for range 3 {
		// Others may have come first meanwhile; candidates that were taken then may be free now. The place stays.
		if got := reserve(t, s.l, "2", "", "x", "x", "x (2)"); got != "x (2)" {
			t.Fatalf("place is now %q", got)
		}
		wantWhere(t, s.l, "2", "-", "x (2)")
		s.reopen()
	}
	settle(t, s.l, "2")
	if err := s.l.Forget(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := reserve(t, s.l, "2", "", "x", "x", "x (2)"); got != "x (2)" {
			t.Fatalf("a lying node is moved to %q", got)
		}
		s.reopen()
	}
	wantWhere(t, s.l, "2", "x (2)", "x (2)")
	wantWhere(t, s.l, "1", "-", "-")
	if got := reserve(t, s.l, "3", "", "x", "x"); got != "x" {
		t.Errorf("a forgotten place is not free: %q", got)
	}
}

// renameAndMove follows a node through a rename, a change of mind and a move.
func renameAndMove(t *testing.T, b Backend) {
	s := newBench(t, b)
	reserve(t, s.l, "dir", "", "dir", "dir")
	settle(t, s.l, "dir")
	reserve(t, s.l, "f", "", "old", "old")
	settle(t, s.l, "f")
	reserve(t, s.l, "f", "", "new", "new")
	wantWhere(t, s.l, "f", "old", "new")
	if got := reserve(t, s.l, "g", "", "old", "old", "g"); got != "g" {
		t.Error("a place that is still lain at was given away")
	}
	if got := reserve(t, s.l, "h", "", "new", "new", "h"); got != "h" {
		t.Error("a reserved place was given away")
	}
	// Before it is moved, it is renamed back: nothing is to be moved, and the reserved place is free again.
	if got := reserve(t, s.l, "f", "", "old", "old"); got != "old" {
		t.Errorf("back to %q", got)
	}
	wantWhere(t, s.l, "f", "old", "old")
	if got := reserve(t, s.l, "i", "", "new", "new", "i"); got != "new" {
		t.Errorf("a place that is no longer wanted is not free: %q", got)
	}
	reserve(t, s.l, "f", "dir", "old", "old")
	wantWhere(t, s.l, "f", "old", "dir/old")
	s.reopen()
	settle(t, s.l, "f")
	settle(t, s.l, "f")
	wantWhere(t, s.l, "f", "dir/old", "dir/old")
	if got := reserve(t, s.l, "j", "", "old", "old", "j"); got != "old" {
		t.Errorf("a left place is not free: %q", got)
	}
}

// anew gives a node another name since something else lies on the target at its own: that is its name from then on, whoever asks as before.
func anew(t *testing.T, b Backend) {
	s := newBench(t, b)
	ask := func(id string, candidates ...string) string {
		t.Helper()
		n := checkpoint.Node{ID: id, Wanted: "x"}
		got, err := s.l.Reserve(t.Context(), checkpoint.Reservation{Node: n, Names: names(candidates...), Anew: true})
		if err != nil || len(got) != 1 {
			t.Fatalf("reserve %q anew: %+v, %v", id, got, err)
		}
		return got[0].Name
	}
	reserve(t, s.l, "1", "", "x", "x")
	reserve(t, s.l, "2", "", "x", "x", "x (2)")
	if got := ask("1", "x a", "x b"); got != "x a" {
		t.Errorf("one that lies nowhere is now %q", got)
	}
	if got := reserve(t, s.l, "3", "", "x", "x", "x (3)"); got != "x" {
		t.Errorf("a reserved name that was given up is not free: %q", got)
	}
	settle(t, s.l, "2")
	if got := ask("2", "x a", "x b"); got != "x b" {
		t.Errorf("one beside which another has the first name is now %q", got)
	}
	for range 2 {
		if got := reserve(t, s.l, "2", "", "x", "x", "x (2)"); got != "x b" {
			t.Errorf("asked as before it is %q", got)
		}
		wantWhere(t, s.l, "2", "x (2)", "x b")
		s.reopen()
	}
	settle(t, s.l, "2")
	for range 2 {
		if got := reserve(t, s.l, "2", "", "x", "x", "x (2)"); got != "x b" {
			t.Errorf("where it lies it is %q", got)
		}
		s.reopen()
	}
	if got := ask("2", "x a", "x c", "x d"); got != "x c" {
		t.Errorf("a second time it is %q", got)
	}
	if got := reserve(t, s.l, "2", "", "y", "y"); got != "y" {
		t.Errorf("renamed at the source it is %q", got)
	}
}

// caseOnlyRename gives a node a name that only itself stands in the way of.
func caseOnlyRename(t *testing.T, b Backend) {
	s := newBench(t, b)
	reserve(t, s.l, "f", "", "readme", "readme")
	settle(t, s.l, "f")
	if got := reserve(t, s.l, "f", "", "README", "README", "README (2)"); got != "README" {
		t.Errorf("its own old name stands in its way: %q", got)
	}
	wantWhere(t, s.l, "f", "readme", "README")
	settle(t, s.l, "f")
	wantWhere(t, s.l, "f", "README", "README")
	if got := reserve(t, s.l, "g", "", "ReadMe", "ReadMe", "other"); got != "other" {
		t.Errorf("the place was lost in the rename: %q", got)
	}
}

// folderMovesChildren moves a folder: what lies in it is elsewhere at once, without a word about it.
func folderMovesChildren(t *testing.T, b Backend) {
	s := newBench(t, b)
	for _, n := range [][3]string{{"a", "", "A"}, {"b", "a", "B"}, {"c", "b", "C"}, {"d", "", "D"}} {
		reserve(t, s.l, n[0], n[1], n[2], n[2])
		settle(t, s.l, n[0])
	}
	wantWhere(t, s.l, "c", "A/B/C", "A/B/C")
	r := s.enlist("b")[0]
	r.State, r.Location = checkpoint.Copied, "D/B2"
	reserve(t, s.l, "b", "d", "B2", "B2")
	if err := s.l.Settle(t.Context(), "b", r); err != nil {
		t.Fatal(err)
	}
	wantWhere(t, s.l, "c", "D/B2/C", "D/B2/C")
	if got, _, err := s.l.Record(t.Context(), "b"); err != nil || got.State != checkpoint.Copied || got.Location != "D/B2" {
		t.Errorf("record settled with the place: %+v, %v", got, err)
	}
}

// childBeforeParent reserves in a folder that is not known yet.
func childBeforeParent(t *testing.T, b Backend) {
	s := newBench(t, b)
	reserve(t, s.l, "child", "later", "c", "c")
	reserve(t, s.l, "later", "", "l", "l")
	wantWhere(t, s.l, "child", "-", "l/c")
	settle(t, s.l, "later")
	settle(t, s.l, "child")
	wantWhere(t, s.l, "child", "l/c", "l/c")
}

// foldersInOneAnother is a tree that bites its tail: an answer comes nevertheless.
func foldersInOneAnother(t *testing.T, b Backend) {
	s := newBench(t, b)
	for _, n := range [][2]string{{"a", "c"}, {"b", "a"}, {"c", "b"}} {
		reserve(t, s.l, n[0], n[1], n[0], n[0])
		settle(t, s.l, n[0])
	}
	if lies, _, _, err := s.l.Where(t.Context(), "a"); err == nil {
		t.Errorf("a ring of folders has a path: %.60q", lies)
	}
}

// manyChildren pages through a folder.
func manyChildren(t *testing.T, b Backend) {
	s := newBench(t, b)
	var asked []checkpoint.Reservation
	for _, id := range ids(25) {
		n := checkpoint.Node{ID: id, ParentID: "dir", Wanted: id, Folder: id == "id-00007"}
		asked = append(asked, checkpoint.Reservation{Node: n, Names: names(id)})
	}
	if _, err := s.l.Reserve(t.Context(), asked...); err != nil {
		t.Fatal(err)
	}
	if got, err := s.l.Children(t.Context(), "dir", "", 100); err != nil || len(got) != 0 {
		t.Fatalf("%d children lie there before they were settled, %v", len(got), err)
	}
	for _, id := range ids(25) {
		settle(t, s.l, id)
	}
	var got []checkpoint.Node
	for after := ""; ; {
		page, err := s.l.Children(t.Context(), "dir", after, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1].ID
	}
	for i, id := range ids(25) {
		want := checkpoint.Node{ID: id, ParentID: "dir", Name: id, Wanted: id, Folder: i == 7}
		if i >= len(got) || got[i] != want {
			t.Fatalf("child %d of %d is not %+v", i, len(got), want)
		}
	}
}

package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/checkpoint"
)

// soundState makes a state file in which everything adds up and returns its path.
func soundState(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{Job: "example"})
	l := mustBegin(t, s)
	if err := l.Advance(context.Background(), checkpoint.Position{Cursor: "cursor", Generation: 1, Complete: true}); err != nil {
		t.Fatal(err)
	}
	enlistMany(t, l, 300)
	for i, id := range []string{"a", "b", "c"} {
		parent := []string{"", "a", "b"}[i]
		mustPlace(t, l, checkpoint.Node{ID: id, ParentID: parent, Wanted: id, Folder: true}, "Straße "+id, true)
	}
	mustPlace(t, l, checkpoint.Node{ID: "c", ParentID: "a", Wanted: "c", Folder: true}, "new", false)
	mustClose(t, s)
	return path
}

func checkOf(t testing.TB, s *Store) (all []checkpoint.Finding) {
	t.Helper()
	for f, err := range s.Check(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

func mustSnapshot(t testing.TB, path string) *Store {
	t.Helper()
	s, err := OpenView(context.Background(), path, Options{Snapshot: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// What is wrong within a file that opens is found, and nothing else is.
func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		breaks string
		rule   checkpoint.Rule
		says   string
	}{
		"sound":               {breaks: "SELECT 1"},
		"unknown state":       {"UPDATE record SET state = 9 WHERE id LIKE '%7'", checkpoint.RuleReadable, "has the state 9"},
		"no state":            {"UPDATE record SET state = 'x' WHERE id LIKE '%77'", checkpoint.RuleReadable, "has the state x"},
		"losses cut off":      {"UPDATE record SET losses = '[{\"reason\":' WHERE id LIKE '%77'", checkpoint.RuleReadable, "losses of"},
		"losses are a number": {"UPDATE record SET losses = '1' WHERE id LIKE '%77'", checkpoint.RuleReadable, "losses of"},
		"bytes are a text":    {"UPDATE record SET bytes = 'many' WHERE id LIKE '%77'", checkpoint.RuleReadable, "a number that is none"},
		"record lost":         {"DELETE FROM record WHERE id LIKE '%77'", checkpoint.RuleBalanced, "300 were listed, and there are 297 records"},
		"count lost":          {"UPDATE task SET listed = 299", checkpoint.RuleBalanced, "299 were listed, and there are 300 records"},
		"listing lost":        {"UPDATE task SET generation = 0, cursor = ''", checkpoint.RuleListing, "only 0 were begun"},
		"cursor from nowhere": {"UPDATE record SET generation = 0; UPDATE task SET generation = 0", checkpoint.RuleListing, "cursor"},
		"reason lost":         {"UPDATE record SET reason = '' WHERE id LIKE '%11'", checkpoint.RuleReason, "nothing says why"},
		"location lost":       {"UPDATE record SET location = '' WHERE id LIKE '%77'", checkpoint.RuleLocation, "nothing says where"},
		"two messages as one": {"UPDATE task SET kind = 'mail'; UPDATE record SET location = 'INBOX;1;2' WHERE id LIKE '%72' OR id LIKE '%73'",
			checkpoint.RuleLocation, "6 messages"},
		"two files as one":    {breaks: "UPDATE record SET location = 'moved along with its folder' WHERE id LIKE '%72' OR id LIKE '%73'"},
		"place lost":          {"DELETE FROM place WHERE node = 'b'", checkpoint.RulePlace, "'b' lies at 'Straße b', and the place is not its own"},
		"reserved place lost": {"DELETE FROM place WHERE name = 'new'", checkpoint.RulePlace, "'c' has reserved 'new'"},
		"place of another":    {"UPDATE place SET node = 'x' WHERE node = 'a'", checkpoint.RulePlace, "'x', which does not lie there"},
		"place never left":    {"INSERT INTO place VALUES (1, 'a', 'old', 'b')", checkpoint.RulePlace, "'old' is held by 'b'"},
		"half a place":        {"UPDATE node SET new_parent = NULL WHERE id = 'c'", checkpoint.RulePlace, "half a place"},
		"folder lost":         {"DELETE FROM node WHERE id = 'b'; DELETE FROM place WHERE node = 'b'", checkpoint.RuleParent, "'c' lies in 'b'"},
		"ring of folders": {"UPDATE node SET parent = 'c' WHERE id = 'a'; UPDATE place SET parent = 'c' WHERE node = 'a'",
			checkpoint.RuleParent, "lie in one another"},
		"record of no task": {"UPDATE record SET task = 7 WHERE id LIKE '%77'; UPDATE task SET listed = 297",
			checkpoint.RuleIntact, "belongs to no task"},
		"what steers terminal": {"UPDATE record SET location = '', id = char(27) || '[2J' || char(10) WHERE id LIKE '%0077'",
			checkpoint.RuleLocation, "nothing says where"},
	} {
		t.Run(name, func(t *testing.T) {
			path := soundState(t)
			execIn(t, path, c.breaks)
			found := checkOf(t, mustSnapshot(t, path))
			if c.rule == "" {
				if len(found) > 0 {
					t.Errorf("it finds %+v", found)
				}
				return
			}
			if len(found) == 0 || len(found) > 2*fewFindings {
				t.Fatalf("%d findings: %.500v", len(found), found)
			}
			said := false
			for _, f := range found {
				said = said || strings.Contains(f.Detail, c.says)
				if f.Rule != c.rule || f.Rule != checkpoint.RuleIntact && f.Task.Account != filesTask.Account {
					t.Errorf("it also finds %+v", f)
				}
			}
			if !said {
				t.Errorf("nothing says %q: %+v", c.says, found)
			}
		})
	}
}

// Damage within a file is found by whoever asks for it, and read no further.
func TestCheckDamaged(t *testing.T) {
	path := soundState(t)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, path, info.Size()/4096/2*4096, strings.Repeat("\xff", 2*4096))
	found := checkOf(t, mustSnapshot(t, path))
	if len(found) == 0 || len(found) > fewFindings {
		t.Fatalf("%d findings", len(found))
	}
	for _, f := range found {
		if f.Rule != checkpoint.RuleIntact || strings.Contains(f.Detail, "\n") {
			t.Errorf("%+v", f)
		}
	}
}

// A snapshot is of one moment, and a view of every moment.
func TestSnapshot(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path, Options{})
	l := mustBegin(t, s)
	if err := l.Advance(t.Context(), checkpoint.Position{Generation: 1}); err != nil {
		t.Fatal(err)
	}
	enlistMany(t, l, 700)
	snapshot := mustSnapshot(t, path)
	enlistMany(t, l, 1400)
	mustPlace(t, l, checkpoint.Node{ID: "a", Wanted: "a"}, "a", true)
	for range 2 { // the second time with prepared statements
		n := 0
		for _, err := range snapshot.Records(t.Context(), filesTask, checkpoint.States[:]...) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 700 || listed(t, snapshot) != 700 {
			t.Errorf("a snapshot of 700 records has %d, and counts %d", n, listed(t, snapshot))
		}
		for n, err := range snapshot.Nodes(t.Context(), filesTask) {
			t.Errorf("a later node: %+v, %v", n, err)
		}
		if found := checkOf(t, snapshot); len(found) > 0 {
			t.Errorf("beside a writer it finds %+v", found)
		}
	}
	if n := listed(t, s); n != 1400 {
		t.Errorf("the writer counts %d", n)
	}
	if found := checkOf(t, s); len(found) > 0 {
		t.Errorf("the writer finds %+v", found)
	}
	mustClose(t, snapshot)
}

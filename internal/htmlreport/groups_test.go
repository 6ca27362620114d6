package htmlreport

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestShares(t *testing.T) {
	for _, c := range []struct {
		counts map[string]int64
		room   int64
		want   int64 // of every reason; 0: there is no limit
	}{
		{map[string]int64{"a": 5, "b": 5}, 10, 0},
		{map[string]int64{"a": 6, "b": 6}, 10, 5},
		{map[string]int64{"a": 1, "b": 2, "c": 100}, 10, 7},
		{map[string]int64{"a": 1, "b": 100, "c": 100}, 11, 5},
		{nil, 10, 0},
	} {
		limit := shares(c.counts, c.room)
		if (limit == nil) != (c.want == 0) || limit != nil && limit("a") != c.want {
			t.Errorf("%v in %d: a limit is %t", c.counts, c.room, limit != nil)
		}
	}
}

// TestGroupsKeepOrder: rows of a reason come back in their order, in lists of a hundred, from memory and from files alike.
func TestGroupsKeepOrder(t *testing.T) {
	g := newGroups(nil)
	defer g.release()
	const n = 2500
	for i := range n {
		for _, it := range []Item{{Reason: "file.renamed", State: "copied_with_losses", Grade: B}, {Reason: "target.quota", State: "failed", Grade: D}} {
			if err := g.add(it, func(w io.Writer) error { _, err := fmt.Fprintf(w, "%s item %d\n", it.State, i); return err }); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := g.sorted()
	if len(all) != 2 || all[0].reason != "target.quota" || all[1].N != n {
		t.Fatalf("%d groups", len(all))
	}
	var b strings.Builder
	if err := all[1].copyTo(&b); err != nil {
		t.Fatal(err)
	}
	lines, at := strings.Split(strings.TrimSpace(b.String()), "\n"), 0
	for _, l := range lines {
		if l == fmt.Sprintf("copied_with_losses item %d", at) {
			at++
		} else if l != "<ul>" && l != "</ul>" {
			t.Fatalf("after %d: %q", at, l)
		}
	}
	if lists := strings.Count(b.String(), "<ul>"); at != n || lists != n/chunk || strings.Count(b.String(), "</ul>") != lists {
		t.Errorf("%d rows in %d lists", at, lists)
	}
}

// TestReasonsAreBounded: a state that names a reason for each item fills no memory with groups.
func TestReasonsAreBounded(t *testing.T) {
	g := newGroups(func(string) int64 { return 2 })
	defer g.release()
	for i := range 3 * maxGroups {
		if err := g.add(Item{Reason: fmt.Sprint("x.", i), State: "skipped"}, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	var total int64
	for _, at := range g.all {
		total += at.N
		if at.Rows > 2 {
			t.Errorf("%s has %d rows", at.reason, at.Rows)
		}
	}
	if len(g.all) > maxGroups+1 || total != 3*maxGroups {
		t.Errorf("%d groups with %d items", len(g.all), total)
	}
}

func TestBars(t *testing.T) {
	b := newBar("mail", []part{{"copied", "copied", 1_000_000}, {"skipped", "skipped", 0}, {"failed", "failed", 1}})
	if len(b.Segments) != 2 || b.Total != 1_000_001 || b.Segments[1].Title != "failed: 1" {
		t.Fatalf("%+v", b)
	}
	last := b.Segments[1]
	if last.Width < 0.7 || last.X+last.Width < 99.99 || last.X+last.Width > 100.01 {
		t.Errorf("one failure among a million: %+v", last)
	}
	if empty := newBar("mail", nil); len(empty.Segments) != 0 {
		t.Errorf("nothing: %+v", empty)
	}
}

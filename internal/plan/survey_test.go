package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/plan"
	"codeberg.org/repatriate/repatriate/internal/preflight"
)

func titled(id string) string { return "title of " + id }

// TestSurvey sums up collections of the same kind, and keeps the largest item and the longest path.
func TestSurvey(t *testing.T) {
	var s plan.Survey
	files := plan.Part{Account: "ada", Kind: "files"}
	s.Limit(files, plan.Asked{Limits: preflight.Limits{Room: 1000, Item: 400}})
	one, two := s.Observe(files), s.Observe(files)
	one.Saw(plan.Seen{ID: "a", Bytes: 300, Path: "x/ü.txt"})
	one.Saw(plan.Seen{ID: "b", Bytes: -1, Path: "x"})
	one.Saw(plan.Seen{ID: "c", Empty: true, Path: "x/longer path.txt"})
	two.Saw(plan.Seen{ID: "d", Bytes: 500, Copies: 2, Path: "ä"})
	one.End(titled)
	two.End(titled)
	got := s.Found(files)
	if got.Collections != 2 || got.Items != 4 || got.Empty != 1 || got.Bytes != 800 || got.Needs != 1800 || got.Unsized != 1 || got.TooBig != 1 {
		t.Errorf("%+v", got)
	}
	if *got.Largest != (plan.Largest{Title: "title of d", Bytes: 500}) {
		t.Errorf("largest: %+v", got.Largest)
	}
	if *got.Longest != (plan.Longest{Path: "x/longer path.txt", Characters: 17, Bytes: 17}) {
		t.Errorf("longest: %+v", got.Longest)
	}
	if other := s.Found(plan.Part{Account: "ada", Kind: "mail"}); other.Items+other.Collections != 0 {
		t.Errorf("of another kind: %+v", other)
	}
	var nobody *plan.Observer
	nobody.Saw(plan.Seen{ID: "x", Bytes: 1})
	nobody.End(titled)
}

// TestLongestPathCountsCharactersAndBytes: a limit of a target may be one or the other.
func TestLongestPathCountsCharactersAndBytes(t *testing.T) {
	var s plan.Survey
	p := plan.Part{Account: "ada", Kind: "files"}
	o := s.Observe(p)
	o.Saw(plan.Seen{ID: "a", Path: "Größe/日本"})
	o.End(titled)
	if l := s.Found(p).Longest; l.Characters != 8 || l.Bytes != 14 {
		t.Errorf("%+v", l)
	}
}

// TestSurveyBoundsTexts: nobody's path or title makes a plan large.
func TestSurveyBoundsTexts(t *testing.T) {
	var s plan.Survey
	p := plan.Part{Account: "ada", Kind: "files"}
	o := s.Observe(p)
	o.Saw(plan.Seen{ID: "a", Bytes: 1, Path: strings.Repeat("d/", 100_000) + "\x1b[31m"})
	o.End(func(string) string { return strings.Repeat("x", 100_000) })
	f := s.Found(p)
	if len(f.Longest.Path) > 4000 || strings.Contains(f.Longest.Path, "\x1b") || f.Longest.Characters != 200_005 || len(f.Largest.Title) > 4000 {
		t.Errorf("%d, %d, %d", len(f.Longest.Path), f.Longest.Characters, len(f.Largest.Title))
	}
}

// TestSurveyAtOnce: many watch at once.
func TestSurveyAtOnce(t *testing.T) {
	var s plan.Survey
	p := plan.Part{Account: "ada", Kind: "mail"}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			o := s.Observe(p)
			var inner sync.WaitGroup
			for j := range 50 {
				inner.Go(func() { o.Saw(plan.Seen{ID: fmt.Sprint(i, j), Bytes: int64(j)}) })
			}
			inner.Wait()
			o.End(titled)
		})
	}
	all.Wait()
	if f := s.Found(p); f.Items != 1000 || f.Collections != 20 || f.Bytes != 20*49*50/2 || f.Largest.Bytes != 49 {
		t.Errorf("%+v", f)
	}
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("user%04d@example.org", i))
	}
	return all
}

func TestSample(t *testing.T) {
	all := names(400)
	pick := func(text string) []string {
		s, err := plan.ParseSample(text)
		if err != nil {
			t.Fatal(err)
		}
		return s.Pick(all)
	}
	for text, want := range map[string]int{"": 400, "40": 40, "10%": 40, "0.1%": 1, "12.5%": 50, "100%": 400, "9999": 400, "1": 1} {
		if got := pick(text); len(got) != want || !slices.IsSorted(got) {
			t.Errorf("--sample %q looks at %d, want %d", text, len(got), want)
		}
	}
	small, large := pick("10"), pick("20")
	for _, name := range small {
		if !slices.Contains(large, name) {
			t.Errorf("%s is in the smaller sample alone", name)
		}
	}
	if !slices.Equal(small, pick("10")) {
		t.Error("the same call picks others")
	}
	// Spread over all: no quarter of the names is left out.
	quarters := map[int]int{}
	for _, name := range pick("40") {
		quarters[slices.Index(all, name)/100]++
	}
	if len(quarters) != 4 {
		t.Errorf("by quarters: %v", quarters)
	}
	for _, text := range []string{"0", "-3", "0%", "101%", "ten", "%", "1e9%", "NaN%"} {
		if _, err := plan.ParseSample(text); err == nil {
			t.Errorf("--sample %q is taken", text)
		}
	}
}

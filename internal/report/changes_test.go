package report

import (
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/engine"
)

// TestWhatFailsAgainIsNoChange of a final pass, and is said all the same.
func TestWhatFailsAgainIsNoChange(t *testing.T) {
	broken := func(title string, again bool) Change {
		return Change{Account: "ada@example.org", Kind: "files", Change: engine.Change{What: engine.Broken, Title: title, Again: again}}
	}
	for _, c := range []struct {
		name  string
		final Final
		want  []string
	}{
		{"as before", Final{Counts: map[string]int64{engine.Broken: 1}, Again: 1, Changes: []Change{broken("popular.zip", true)}},
			[]string{"Since the pass before: nothing changed; 1 item still fails.", "ada@example.org, files, still fails: popular.zip"}},
		{"two of three", Final{Counts: map[string]int64{engine.Broken: 3, engine.Added: 1}, Again: 2, Changes: []Change{broken("new.zip", false)}},
			[]string{"Since the pass before: 1 new, 1 failed; 2 items still fail.", "ada@example.org, files, failed: new.zip"}},
		{"nothing", Final{}, []string{"Since the pass before: nothing changed."}},
	} {
		r := New("pilot", nil)
		r.Final = &c.final
		var b strings.Builder
		r.writeFinal(&b)
		for _, want := range c.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, b.String())
			}
		}
	}
}

package preflight

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// maxNamed is how many accounts are named of those that a finding concerns.
const maxNamed = 5

// Group is a finding with all whom it concerns.
type Group struct {
	Finding
	// Kinds are those that it concerns; none where it is not one of content.
	Kinds []string `json:"kinds,omitempty"`
	// Accounts is their number, and Named are the first of them; none where it concerns everybody.
	Accounts int      `json:"accounts"`
	Named    []string `json:"named,omitempty"`
	// what and do are the texts with the names of the first account.
	what, do string
}

// sameness is what the findings of a group have in common: the finding, and the kinds in one text.
type sameness struct {
	Finding
	kinds string
}

// Report is what was found. It may be added to by many at once, and is read when all is done.
type Report struct {
	mu      sync.Mutex
	groups  map[sameness]*Group
	order   []*Group
	total   int
	skipped int
	refused bool // the provider or a target refuses
	cannot  map[string]bool
}

func newReport(accounts int) *Report {
	return &Report{groups: map[sameness]*Group{}, total: accounts, cannot: map[string]bool{}}
}

// add notes what was found about an account; the account without a name is everybody.
func (r *Report) add(a Account, all said) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range all.found {
		f := of.Finding
		what, do := f.What, f.Do
		f.What, f.Do = a.anonymous(f.What), a.anonymous(f.Do)
		if f.Level == Error {
			r.refused = r.refused || a.Name == ""
			if a.Name != "" {
				r.cannot[a.Name] = true
			}
		}
		g := r.group(f, of.kinds)
		g.what, g.do = cmp.Or(g.what, what), cmp.Or(g.do, do)
		g.take(a)
	}
}

// Note adds a finding about everybody.
func (r *Report) Note(f Finding) {
	r.add(Account{}, said{found: []*about{{Finding: f}}})
}

func (r *Report) group(f Finding, kinds []string) *Group {
	same := sameness{f, strings.Join(kinds, " ")}
	g, ok := r.groups[same]
	if !ok {
		g = &Group{Finding: f, Kinds: kinds}
		r.groups[same] = g
		r.order = append(r.order, g)
	}
	return g
}

func (g *Group) take(a Account) {
	if a.Name == "" || slices.Contains(g.Named, a.Name) {
		return
	}
	g.Accounts++
	if len(g.Named) < maxNamed {
		g.Named = append(g.Named, a.Name)
	}
}

// passedOver counts an account at which nothing was looked.
func (r *Report) passedOver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.skipped++
}

// anonymous replaces the account's names, so that the same finding about another account reads the same.
func (a Account) anonymous(text string) string {
	for _, name := range append([]string{a.Name}, a.Also...) {
		if len(name) > 1 {
			text = replaceWord(text, name, "ACCOUNT")
		}
	}
	return text
}

// replaceWord replaces a name where it stands alone, so that a short one changes no word that holds it.
func replaceWord(text, name, by string) string {
	inWord := func(b byte) bool {
		return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-' || b == '_' || b >= 0x80
	}
	var b strings.Builder
	for {
		i := strings.Index(text, name)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		end := i + len(name)
		alone := (i == 0 || !inWord(text[i-1])) && (end == len(text) || !inWord(text[end]))
		b.WriteString(text[:i])
		if alone {
			b.WriteString(by)
		} else {
			b.WriteString(name)
		}
		text = text[end:]
	}
}

// Groups returns what was found, what matters most first: errors before warnings, the source before the target, what concerns
// everybody before what concerns some.
func (r *Report) Groups() []*Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.order {
		slices.Sort(g.Named)
		if g.Accounts == 1 {
			g.What, g.Do = g.what, g.do // there is nobody else whom the text has to fit
		}
	}
	everybody := func(g *Group) int {
		if g.Accounts == 0 {
			return 0
		}
		return 1
	}
	out := slices.Clone(r.order)
	slices.SortStableFunc(out, func(a, b *Group) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Side, b.Side), everybody(a)-everybody(b), cmp.Compare(b.Accounts, a.Accounts),
			slices.Compare(a.Kinds, b.Kinds), strings.Compare(a.What, b.What))
	})
	return out
}

// Summary says for how many the migration can begin. Nobody is ready while there is an error that concerns everybody.
type Summary struct {
	Accounts int  `json:"accounts"`
	Ready    int  `json:"ready"`
	Cannot   int  `json:"cannot"`
	Skipped  int  `json:"not_looked_at"`
	Refused  bool `json:"refused"` // the provider or a target refuses
	Errors   int  `json:"errors"`
	Warnings int  `json:"warnings"`
}

// Summary counts.
func (r *Report) Summary() Summary {
	s := Summary{Accounts: r.total, Cannot: len(r.cannot), Skipped: r.skipped, Refused: r.refused}
	if !s.Refused {
		s.Ready = max(0, s.Accounts-s.Cannot-s.Skipped)
	}
	for _, g := range r.order {
		switch g.Level {
		case Error:
			s.Errors++
		case Warning:
			s.Warnings++
		}
	}
	return s
}

// ExitCode is 0 if nothing keeps the migration from beginning, 3 if some accounts cannot be moved, and 4 if none can or if the provider
// or a target refuses.
func (r *Report) ExitCode() int {
	switch s := r.Summary(); {
	case s.Refused, s.Cannot > 0 && s.Cannot == s.Accounts:
		return 4
	case s.Cannot > 0:
		return 3
	}
	return 0
}

package htmlreport

import (
	"cmp"
	"html/template"
	"io"
	"maps"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/report"
)

// person is what stands above the items of a person's page.
type person struct {
	Lang, Policy              string
	Style                     template.CSS
	Title, For, Target, Made  string
	Grade                     Grade
	Verdict, Text, Unfinished string
	Kinds                     []personKind
	FindTitle                 string
	Find                      []finding
}

type personKind struct {
	N, Name string
	Notes   []string
}

// finding says where to find what came over of one kind.
type finding struct {
	Title string
	Texts []string
	Names []named
	More  string
}

type named struct{ Name, N string }

func (p *People) newPerson(a Account) person {
	style := mustRead("style.css") + mustRead("person.css")
	l := p.lang
	out := person{
		Lang: l.Name, Policy: policy(style, ""), Style: template.CSS(style), //nolint:gosec // the program's own
		Title: l.say("title"), For: l.say("for", "account", clean(cmp.Or(a.name(), a.Source))), Made: l.say("made", "date", l.date(p.job.Made)),
		Grade: a.Grade, FindTitle: l.say("find"),
	}
	out.Target = l.newNames(a)
	say := l.about(a)
	out.Verdict, out.Text = verdictOf(a, say)
	if a.unfinished() && !a.empty() {
		out.Unfinished = say("unfinished")
	}
	for _, k := range kindsOf(a) {
		out.Kinds = append(out.Kinds, p.kind(k))
		if k.Copied+k.CopiedWithLosses > 0 {
			out.Find = append(out.Find, p.find(k))
		}
	}
	return out
}

// verdictOf says how it went, and what to do. What is not whole for a cause that is no item's has no list to look at.
func verdictOf(a Account, say func(key string, pairs ...string) string) (verdict, text string) {
	grade := "grade." + a.Grade.String()
	switch {
	case a.Grade < D, a.listed():
		return say(grade), say(grade + ".text")
	case a.empty():
		return say("begun"), say("begun.text")
	case a.Pending > 0:
		return say(grade), ""
	}
	return say("stopped"), say("stopped.text")
}

// empty reports whether nothing of the account was ever listed, although something may be there.
func (a Account) empty() bool { return a.Grade == D && a.Listed == a.Removed }

// listed reports whether the page has a list of what somebody should look at.
func (a Account) listed() bool {
	if slices.ContainsFunc(kindsOf(a), func(k kindOf) bool { return k.left > 0 }) {
		return true
	}
	return slices.ContainsFunc(a.Tasks, func(t report.Task) bool {
		for reason := range t.Reasons {
			if Of(reason) == C {
				return true
			}
		}
		return false
	})
}

// unfinished reports whether more may come over by itself.
func (a Account) unfinished() bool {
	return len(a.Tasks) == 0 || a.Pending > 0 || slices.ContainsFunc(a.Tasks, func(t report.Task) bool { return !t.Complete || t.Error != "" })
}

// kindOf is what an account has of one kind.
type kindOf struct {
	kind string
	report.Counts
	// left is what did not come over although somebody may miss it.
	left    int64
	orphans bool
	tasks   []report.Task
}

// kindOrder is the order of the kinds on a person's page.
var kindOrder = []string{"mail", "files", "calendar", "contacts", "tasks"}

func kindsOf(a Account) (out []kindOf) {
	for _, t := range a.Tasks {
		i := slices.IndexFunc(out, func(k kindOf) bool { return k.kind == t.Kind })
		if i < 0 {
			i = len(out)
			out = append(out, kindOf{kind: t.Kind})
		}
		out[i].add(t)
	}
	slices.SortStableFunc(out, func(x, y kindOf) int {
		return cmp.Compare(slices.Index(kindOrder, x.kind), slices.Index(kindOrder, y.kind))
	})
	return slices.DeleteFunc(out, func(k kindOf) bool { return k.Listed == k.Removed })
}

func (k *kindOf) add(t report.Task) {
	k.Listed += t.Listed
	k.Removed += t.Removed
	k.Copied += t.Copied
	k.CopiedWithLosses += t.CopiedWithLosses
	k.Pending += t.Pending
	k.left += t.Failed + t.Skipped
	for reason, n := range t.Reasons {
		if strings.HasPrefix(reason, "source.") && Of(reason) == A {
			k.left = max(k.left-n, t.Failed)
		}
		k.orphans = k.orphans || reason == "file.orphan"
	}
	k.tasks = append(k.tasks, t)
}

func (p *People) kind(k kindOf) personKind {
	n := k.Copied + k.CopiedWithLosses
	unit := k.kind
	if !slices.Contains(kindOrder, unit) {
		unit = "item"
	}
	changed := "changed"
	if k.CopiedWithLosses == n {
		changed = "allchanged"
	}
	out := personKind{N: p.lang.number(n), Name: p.lang.count(unit, n)}
	for _, note := range []struct {
		key string
		n   int64
	}{{changed, k.CopiedWithLosses}, {"left", k.left}, {"open", k.Pending}} {
		if note.n > 0 {
			out.Notes = append(out.Notes, p.lang.count(note.key, note.n))
		}
	}
	return out
}

// mostNames is how many collections of a kind a page names.
const mostNames = 200

// mailText says where mail lies. Only Google has labels in the place of folders, and not everybody there.
func (p *People) mailText(k kindOf) string {
	text := p.lang.say("find.mail.text")
	switch {
	case p.job.Provider != "Google Workspace" || !p.labelled(k):
		return text
	case p.job.Labels == "copies":
		return text + " " + p.lang.say("find.mail.copies")
	}
	return text + " " + p.lang.say("find.mail.labels")
}

// labelled reports whether a person had labels: a mailbox that the program does not name itself, or what became of a label.
func (p *People) labelled(k kindOf) bool {
	own := p.lang.mailboxNames()
	for box := range p.mailboxes {
		if own[belowInbox(box)] == "" {
			return true
		}
	}
	return slices.ContainsFunc(k.tasks, func(t report.Task) bool {
		return t.Reasons["mail.label_as_keyword"]+t.Reasons["mail.mailbox_renamed"] > 0
	})
}

func (p *People) find(k kindOf) finding {
	f := finding{Title: cmp.Or(p.lang.say("find."+k.kind), k.kind)}
	var more int64
	switch k.kind {
	case "files":
		say := p.lang.about(*p.account)
		f.Texts = append(f.Texts, say("find.files.text"))
		if k.orphans {
			f.Texts = append(f.Texts, p.lang.say("find.files.orphans"))
		}
	case "mail":
		f.Texts = append(f.Texts, p.mailText(k))
		more = k.Copied + k.CopiedWithLosses
		for _, box := range slices.Sorted(maps.Keys(p.mailboxes)) {
			more -= p.mailboxes[box]
			f.Names = append(f.Names, named{p.mailbox(box), p.lang.number(p.mailboxes[box])})
		}
	default:
		for _, t := range k.tasks {
			switch n := t.Copied + t.CopiedWithLosses; {
			case n == 0:
			case len(f.Names) == mostNames:
				more++
			default:
				f.Names = append(f.Names, named{p.collection(k.kind, cmp.Or(t.Name, t.Collection)), p.lang.number(n)})
			}
		}
	}
	if more > 0 {
		f.More = p.lang.say("find.more", "n", p.lang.number(more))
	}
	return f
}

// personGroup is what stands above the rows of a group.
type personGroup struct {
	N, Why, Do, DoTitle string
	Open                bool
}

func (p *People) writePage(w io.Writer, a Account) error {
	if err := templates().ExecuteTemplate(w, "person", p.newPerson(a)); err != nil {
		return err
	}
	all := p.groups.sorted()
	slices.SortStableFunc(all, func(x, y *group) int { return cmp.Compare(y.Grade, x.Grade) })
	for _, s := range []struct {
		key string
		has func(*group) bool
	}{
		{"missing", func(g *group) bool { return g.Grade > A && g.outcome != lost }},
		{"lossy", func(g *group) bool { return g.Grade > A && g.outcome == lost }},
		{"harmless", func(g *group) bool { return g.Grade == A }},
	} {
		if err := p.section(w, p.lang.say(s.key), slices.DeleteFunc(slices.Clone(all), func(g *group) bool { return !s.has(g) })); err != nil {
			return err
		}
	}
	if len(all) == 0 && a.Grade == A {
		if err := templates().ExecuteTemplate(w, "person.nothing", p.lang.say("nothing")); err != nil {
			return err
		}
	}
	return templates().ExecuteTemplate(w, "person.end", p.lang.say("foot"))
}

func (p *People) section(w io.Writer, title string, groups []*group) error {
	if len(groups) == 0 {
		return nil
	}
	if err := templates().ExecuteTemplate(w, "person.section", title); err != nil {
		return err
	}
	for _, g := range groups {
		if err := p.group(w, g); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "</section>\n")
	return err
}

func (p *People) group(w io.Writer, g *group) error {
	s := personGroup{N: p.lang.number(g.N), DoTitle: p.lang.say("do"), Open: g.Grade > A && g.N <= openRows}
	s.Why, s.Do = p.lang.reason(g.reason)
	if err := templates().ExecuteTemplate(w, "person.group", s); err != nil {
		return err
	}
	if err := g.copyTo(w); err != nil {
		return err
	}
	end := ""
	if more := g.N - g.Rows; more > 0 {
		end = `<p class="more">` + template.HTMLEscapeString(p.lang.count("more", more)) + "</p>\n"
	}
	_, err := io.WriteString(w, end+"</details>\n")
	return err
}

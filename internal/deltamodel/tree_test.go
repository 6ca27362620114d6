package deltamodel

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// node is a file or folder of a drive, as the edits made it.
type node struct {
	id, name string
	folder   bool
	body     string
	parent   *node // nil: the top
	orphan   bool  // in no folder that the owner can see
	trashed  bool  // itself, and not a folder above it
	erased   bool
	lies     *place // on the target; nil: nowhere
}

// place is where a node lies on the target, and as what.
type place struct {
	name, body string
	parent     *node
	orphan     bool
}

// live reports whether the drive holds the node outside of the trash.
func (n *node) live() bool {
	for at := n; at != nil; at = at.parent {
		if at.trashed || at.erased {
			return false
		}
	}
	return true
}

// gone reports whether the node or a folder above it was erased.
func (n *node) gone() bool {
	for at := n; at != nil; at = at.parent {
		if at.erased {
			return true
		}
	}
	return false
}

// trashedAlone reports whether a node can be taken out of the trash to where it was.
func trashedAlone(n *node) bool {
	return n.trashed && !n.erased && (n.parent == nil || n.parent.live())
}

// in reports whether the node is the folder or lies in it.
func (n *node) in(folder *node) bool {
	for at := n; at != nil; at = at.parent {
		if at == folder {
			return true
		}
	}
	return false
}

func id(n *node) string {
	if n == nil {
		return ""
	}
	return n.id
}

func (n *node) String() string {
	if n == nil {
		return "the top"
	}
	kind := "file"
	if n.folder {
		kind = "folder"
	}
	return fmt.Sprintf("%s %q (…%s)", kind, n.name, n.id[max(0, len(n.id)-4):])
}

// treeModel is a drive and what the target must hold of it.
type treeModel struct {
	nodes []*node
	// target gives the name that a target takes for a name.
	target map[string]string
	keep   bool
	// orphans says that the folder for orphans was made.
	orphans bool
}

// settled puts what is live where it belongs. What is gone stays where it was, or goes.
func (m *treeModel) settled() {
	for _, n := range m.nodes {
		switch {
		case n.live():
			n.lies = &place{name: m.nameOf(n), body: n.body, parent: n.parent, orphan: n.orphan}
			m.orphans = m.orphans || n.orphan
		case !m.keep:
			n.lies = nil
		}
	}
}

func (m *treeModel) nameOf(n *node) string {
	if name, other := m.target[n.name]; other {
		return name
	}
	return n.name
}

// entry is what lies on the target: a folder with its entries, or a file.
type entry struct {
	folder  bool
	body    string
	entries []named
}

type named struct {
	name string
	*entry
}

// expected returns what the target must hold, in the words of entries.
func (m *treeModel) expected() *entry {
	top, orphans := &entry{folder: true}, &entry{folder: true}
	at := make(map[*node]*entry)
	for _, n := range m.nodes {
		if n.lies != nil {
			at[n] = &entry{folder: n.folder, body: n.lies.body}
		}
	}
	for _, n := range m.nodes {
		if n.lies == nil {
			continue
		}
		in := top
		switch {
		case n.lies.orphan:
			in = orphans
		case n.lies.parent != nil:
			in = at[n.lies.parent]
		}
		in.entries = append(in.entries, named{n.lies.name, at[n]})
	}
	if m.orphans {
		top.entries = append(top.entries, named{"_Orphans", orphans})
	}
	return top
}

// numbering is what makes a name unique among siblings.
var numbering = regexp.MustCompile(` \(\d+\)`)

func plainName(name string) string { return numbering.ReplaceAllString(name, "") }

// text returns an entry in a form that is the same for trees that differ in the order and in the numbers of names alone.
func (e *entry) text() string {
	if !e.folder {
		return "=" + e.body
	}
	var lines []string
	for _, in := range e.entries {
		lines = append(lines, plainName(in.name)+in.text())
	}
	slices.Sort(lines)
	return "{" + strings.Join(lines, "; ") + "}"
}

// paths counts the entries by their paths and bodies.
func (e *entry) paths(above string, into map[string]int) map[string]int {
	for _, in := range e.entries {
		path := above + plainName(in.name)
		if in.folder {
			into[path+"/"]++
			in.paths(path+"/", into)
		} else {
			into[path+"="+in.body]++
		}
	}
	return into
}

// differences compares two trees.
func (e *entry) differences(got *entry) (wrong []string) {
	wanted, there := e.paths("", map[string]int{}), got.paths("", map[string]int{})
	for _, path := range slices.Sorted(maps.Keys(wanted)) {
		if n := wanted[path] - there[path]; n > 0 {
			wrong = append(wrong, fmt.Sprintf("missing, %d times: %s", n, path))
		}
	}
	for _, path := range slices.Sorted(maps.Keys(there)) {
		if n := there[path] - wanted[path]; n > 0 {
			wrong = append(wrong, fmt.Sprintf("too much, %d times: %s", n, path))
		}
	}
	if wrong == nil && e.text() != got.text() {
		wrong = append(wrong, fmt.Sprintf("the target holds\n%s, and must hold\n%s", got.text(), e.text()))
	}
	return wrong
}

// entriesOf makes a tree of what lies on a target: the bodies of files by their paths, folders with a slash at the end.
func entriesOf(bodies map[string]string) *entry {
	top := &entry{folder: true}
	at := map[string]*entry{"": top}
	for _, path := range slices.Sorted(maps.Keys(bodies)) {
		clean := strings.TrimSuffix(path, "/")
		above, name := "", clean
		if i := strings.LastIndexByte(clean, '/'); i >= 0 {
			above, name = clean[:i], clean[i+1:]
		}
		e := &entry{folder: clean != path, body: bodies[path]}
		at[clean] = e
		at[above].entries = append(at[above].entries, named{name, e})
	}
	return top
}

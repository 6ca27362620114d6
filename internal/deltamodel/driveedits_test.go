package deltamodel

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// edit implements account.
func (a *driveAccount) edit(d *dice) string {
	n, ok := a.some(d, (*node).live)
	switch d.IntN(20) {
	case 0, 1, 2:
		return a.addTo(d, a.someFolder(d, nil), d.chance(3))
	case 3:
		return a.addTree(d)
	case 4:
		if a.addOrphan != nil && d.chance(3) {
			return a.orphan(d)
		}
	case 5, 6:
		if n, ok := a.some(d, trashedAlone); ok && a.restore != nil && a.free(n.name, n.parent, n) {
			a.restore(n.id)
			n.trashed = false
			return fmt.Sprintf("restore %v", n)
		}
	case 7:
		if n, ok := a.some(d, func(n *node) bool { return n.live() || n.trashed && !a.uniqueNames && !n.gone() }); ok && d.chance(2) {
			a.erase(n.id)
			n.erased = true
			return fmt.Sprintf("erase %v", n)
		}
	case 8, 9:
		if n, ok := a.some(d, func(n *node) bool { return n.live() && n.folder }); ok {
			if d.chance(2) {
				return a.swapPlaces(n)
			}
			return a.moveTo(n, a.someFolder(d, n))
		}
	}
	if !ok {
		return a.addTo(d, nil, d.chance(3))
	}
	return a.editNode(d, n)
}

// editNode edits a live node.
func (a *driveAccount) editNode(d *dice, n *node) string {
	switch d.IntN(10) {
	case 0, 1:
		return a.renameTo(d, n)
	case 2, 3, 4:
		return a.moveTo(n, a.someFolder(d, n))
	case 5, 6:
		if n.folder {
			return a.renameTo(d, n)
		}
		n.body = a.text(d)
		a.provider.edit(n.id, n.body)
		return fmt.Sprintf("edit %v", n)
	case 7:
		a.trash(n.id)
		n.trashed = true
		return fmt.Sprintf("trash %v", n)
	case 8:
		if a.moveAway != nil && d.chance(2) {
			a.moveAway(n.id)
			n.parent, n.orphan = nil, true
			return fmt.Sprintf("move %v into a folder of somebody else", n)
		}
	}
	return a.swapNames(d, n)
}

// text returns a body that no other file has, most of the time.
func (a *driveAccount) text(d *dice) string {
	a.serial++
	switch d.IntN(12) {
	case 0:
		return ""
	case 1:
		return "the same"
	default:
		return fmt.Sprintf("text %d %s", a.serial, strings.Repeat(".", d.IntN(50)))
	}
}

// some returns a node of which the condition holds.
func (a *driveAccount) some(d *dice, condition func(*node) bool) (*node, bool) {
	var found []*node
	for _, n := range a.nodes {
		if condition(n) {
			found = append(found, n)
		}
	}
	return pickAny(d, found)
}

// someFolder returns a live folder, or nil for the top.
func (a *driveAccount) someFolder(d *dice, outside *node) *node {
	if d.chance(4) {
		return nil
	}
	n, _ := a.some(d, func(n *node) bool { return n.folder && n.live() && (outside == nil || !n.in(outside)) })
	return n
}

// someName returns a name, and whether it may stand in the folder.
func (a *driveAccount) someName(d *dice, in, but *node) (string, bool) {
	name := pick(d, []string{"a", "b", "c", "report.txt", "x.tar.gz", "A", "Report.TXT", "ä.txt", "long name of many words.pdf"})
	if len(a.names) > 0 && d.chance(5) {
		name = pick(d, slices.Sorted(maps.Keys(a.names)))
	}
	return name, a.free(name, in, but)
}

// free reports whether a live sibling, but for one, has no such name.
func (a *driveAccount) free(name string, in, but *node) bool {
	return !a.uniqueNames || !slices.ContainsFunc(a.nodes, func(n *node) bool {
		return n != but && n.live() && !n.orphan && n.parent == in && strings.EqualFold(n.name, name)
	})
}

func (a *driveAccount) addTo(d *dice, in *node, folder bool) string {
	name, free := a.someName(d, in, nil)
	if !free {
		return ""
	}
	n := &node{name: name, folder: folder, parent: in}
	if !folder {
		n.body = a.text(d)
	}
	n.id = a.add(id(in), name, n.body, folder)
	a.nodes = append(a.nodes, n)
	return fmt.Sprintf("add %v in %v", n, in)
}

// addTree adds a folder with something in it.
func (a *driveAccount) addTree(d *dice) string {
	did := a.addTo(d, a.someFolder(d, nil), true)
	if did == "" {
		return ""
	}
	top := a.nodes[len(a.nodes)-1]
	for range d.IntN(4) {
		in := top
		if last := a.nodes[len(a.nodes)-1]; last.folder {
			in = last
		}
		if more := a.addTo(d, in, d.chance(2)); more != "" {
			did += ", " + more
		}
	}
	return did
}

// orphan adds a node that is in no folder.
func (a *driveAccount) orphan(d *dice) string {
	name, _ := a.someName(d, nil, nil)
	n := &node{name: name, folder: d.chance(2), orphan: true}
	if !n.folder {
		n.body = a.text(d)
	}
	n.id = a.addOrphan(name, n.body, n.folder)
	a.nodes = append(a.nodes, n)
	return fmt.Sprintf("add %v in no folder", n)
}

func (a *driveAccount) renameTo(d *dice, n *node) string {
	name, free := a.someName(d, n.parent, n)
	if !free || name == n.name {
		return ""
	}
	did := fmt.Sprintf("rename %v to %q", n, name)
	a.rename(n.id, name)
	n.name = name
	return did
}

func (a *driveAccount) moveTo(n, in *node) string {
	if n.parent == in && !n.orphan || !a.free(n.name, in, n) {
		return ""
	}
	a.move(n.id, id(in))
	n.parent, n.orphan = in, false
	return fmt.Sprintf("move %v into %v", n, in)
}

// swapNames has two siblings change their names.
func (a *driveAccount) swapNames(d *dice, n *node) string {
	other, ok := a.some(d, func(x *node) bool {
		return x != n && x.live() && x.parent == n.parent && x.orphan == n.orphan && !strings.EqualFold(x.name, n.name)
	})
	if !ok {
		return ""
	}
	did := fmt.Sprintf("%v and %v change names", n, other)
	name := n.name
	a.rename(n.id, "between")
	a.rename(other.id, name)
	a.rename(n.id, other.name)
	n.name, other.name = other.name, name
	return did
}

// swapPlaces puts the folder that holds a folder into it.
func (a *driveAccount) swapPlaces(inner *node) string {
	outer := inner.parent
	if outer == nil || outer.orphan || !a.free(inner.name, outer.parent, inner) {
		return ""
	}
	first := a.moveTo(inner, outer.parent)
	if first == "" {
		return ""
	}
	return first + ", " + a.moveTo(outer, inner)
}

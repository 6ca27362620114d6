package google

import (
	"fmt"
	"slices"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Rename gives a file or folder another name. Its time of modification stays.
func (d *Data) Rename(id, name string) error {
	return d.change("rename", id, func(n *node) error { n.Name = name; return nil })
}

// Edit gives a stored file other contents and a new time of modification.
func (d *Data) Edit(id string, body cloudsim.Content) error {
	return d.change("edit", id, func(n *node) error {
		n.Content, n.sums, n.Modified = body, &cloudsim.Checksums{}, d.Now()
		return nil
	})
}

// EditDocument gives a Google document other exports and a new time of modification.
func (d *Data) EditDocument(id string, exports map[string]cloudsim.Content) error {
	return d.change("edit", id, func(n *node) error {
		n.Exports, n.Modified = exports, d.Now()
		return nil
	})
}

// Touch changes the time of modification alone.
func (d *Data) Touch(id string, modified time.Time) error {
	return d.change("touch", id, func(n *node) error { n.Modified = modified; return nil })
}

// SetFile lets set change the properties of a file that the other methods do not cover, such as OverQuota.
func (d *Data) SetFile(id string, set func(*File)) error {
	return d.change("set", id, func(n *node) error {
		set(&n.File)
		n.ID = id
		return nil
	})
}

// Move puts a file or folder into another folder of the same drive; the empty id means the root of My Drive.
func (d *Data) Move(id, folder string) error {
	return d.change("move", id, func(n *node) error {
		target := d.nodes[folder]
		if folder == "" && n.owner != nil {
			target = n.owner.drive.root
		}
		if target == nil || target.MimeType != MimeFolder || target.drive != n.drive {
			return fmt.Errorf("no folder %s", folder)
		}
		if target.inTreeOf(n) {
			return fmt.Errorf("%s lies below", folder)
		}
		n.detach()
		n.parent, n.Parent, n.Orphan = target, target.ID, false
		target.children = append(target.children, n)
		return nil
	})
}

// Trash puts a file or folder into the trash.
func (d *Data) Trash(id string) error { return d.setTrashed("trash", id, true) }

// Restore takes a file or folder out of the trash.
func (d *Data) Restore(id string) error { return d.setTrashed("restore", id, false) }

func (d *Data) setTrashed(op, id string, trashed bool) error {
	return d.change(op, id, func(n *node) error {
		n.Trashed = trashed
		d.forget(n)
		if d.AnnounceDescendants {
			walk(n, func(below *node) {
				if below != n {
					d.announce(below, false)
				}
			})
		}
		return nil
	})
}

// forget gives up the listings of all who see something below the node.
func (d *Data) forget(n *node) {
	walk(n, func(below *node) {
		if below.drive != nil {
			below.drive.corpus.sorted = nil
		} else {
			below.owner.drive.sorted = nil
		}
	})
}

// Delete removes a file or folder for good, with all in it that has the same owner. What others own loses its folder.
func (d *Data) Delete(id string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.node(id)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	d.announce(n, true)
	d.forget(n)
	d.erase(n)
	n.detach()
	return nil
}

// erase removes a node and those below it. The removal of the first one has been announced.
func (d *Data) erase(n *node) {
	for _, child := range slices.Clone(n.children) {
		if child.owner != n.owner {
			before := d.watchers(child)
			child.detach()
			child.Orphan = true
			d.announceChange(child, before)
			continue
		}
		if d.AnnounceDescendants {
			d.announce(child, true)
		}
		d.erase(child)
	}
	delete(d.nodes, n.ID)
	same := func(x *node) bool { return x == n }
	if n.owner != nil {
		n.owner.drive.owned = slices.DeleteFunc(n.owner.drive.owned, same)
		n.owner.drive.sorted = nil
	}
	for _, p := range n.perms {
		d.granted[p.Email] = slices.DeleteFunc(d.granted[p.Email], same)
	}
}

func (n *node) detach() {
	if n.parent != nil {
		n.parent.children = slices.DeleteFunc(n.parent.children, func(x *node) bool { return x == n })
		n.parent = nil
	}
}

// Share gives somebody access to a file, or to a folder and everything in it.
func (d *Data) Share(id string, p Permission) error {
	err := d.change("share", id, func(n *node) error {
		n.perms = append(n.perms, p)
		d.granted[p.Email] = append(d.granted[p.Email], n)
		return nil
	})
	if u := d.byEmail[p.Email]; err == nil && u != nil {
		d.mu.Lock()
		u.drive.sorted = nil
		d.mu.Unlock()
	}
	return err
}

// Unshare takes the access of a user away again.
func (d *Data) Unshare(id, email string) error {
	return d.change("unshare", id, func(n *node) error {
		n.perms = slices.DeleteFunc(slices.Clone(n.perms), func(p Permission) bool { return p.Email == email })
		d.granted[email] = slices.DeleteFunc(d.granted[email], func(x *node) bool { return x == n })
		return nil
	})
}

// FileID finds an entry of My Drive, or of a shared drive given by its id, by the names from the root to it.
func (d *Data) FileID(ownerOrDrive string, names ...string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var at *node
	if u := d.byEmail[ownerOrDrive]; u != nil {
		at = u.drive.root
	} else if s := d.sharedDrive(ownerOrDrive); s != nil {
		at = s.root
	} else {
		return "", fmt.Errorf("no drive of %s", ownerOrDrive)
	}
	for _, name := range names {
		i := slices.IndexFunc(at.children, func(n *node) bool { return n.Name == name })
		if i < 0 {
			return "", fmt.Errorf("no %q in %q", name, at.Name)
		}
		at = at.children[i]
	}
	return at.ID, nil
}

func (d *Data) node(id string) (*node, error) {
	if n := d.nodes[id]; n != nil && !n.root {
		return n, nil
	}
	return nil, fmt.Errorf("no file %s", id)
}

// change edits one node and announces it to all who saw it before or see it now.
func (d *Data) change(op, id string, edit func(*node) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.node(id)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	before := d.watchers(n)
	if err := edit(n); err != nil {
		return fmt.Errorf("%s %q: %w", op, n.Name, err)
	}
	d.announceChange(n, before)
	return nil
}

// announceChange tells those who saw the node before and no longer do that it is gone, and all others that it changed.
func (d *Data) announceChange(n *node, before []*user) {
	n.version++
	d.announce(n, false)
	for _, u := range before {
		if n.drive == nil && n.role(u.Email) == "" {
			u.drive.record(change{file: n.ID, removed: true, at: d.Now()})
		}
	}
}

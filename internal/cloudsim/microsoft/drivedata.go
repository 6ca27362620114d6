package microsoft

import (
	"encoding/base64"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/quickxor"
)

// File describes what is to be added to a drive.
type File struct {
	Name     string
	MimeType string           // of a file; empty: application/octet-stream
	Parent   string           // id of a folder; empty: the root
	Content  cloudsim.Content // files only
	Created  time.Time        // by the client's clock
	Modified time.Time
	// Malware says that Microsoft holds the file for dangerous, NoHash that no hash is stated.
	Malware, NoHash bool
	// Rewritten says that a download gives other bytes than size and hash tell, as SharePoint does with Office files.
	Rewritten bool
	// Package is the type of what is neither file nor folder: oneNote.
	Package string
	// Shortcut is the name of an item of another drive that this one leads to, ShortcutURL where it is.
	Shortcut, ShortcutURL string
}

type drive struct {
	id, name string
	owner    *user // nil in a site
	site     *site
	root     *item
	items    map[string]*item
	order    []*item // as they were made
	log      []state
	oldest   int // changes before have expired
}

// item is an entry of a drive.
type item struct {
	state
	children map[string]*item
	hash     string
}

// state is an item at some time, as a delta tells it.
type state struct {
	File
	id      string
	parent  *item
	etag    int
	deleted bool
}

func (d *Data) addDrive(name string, owner *user) *drive {
	d.serial++
	v := &drive{id: "b!" + base64.RawURLEncoding.EncodeToString(hashOf("drive", d.domain, fmt.Sprint(d.serial)))[:40], name: name, owner: owner, items: map[string]*item{}}
	v.root = &item{state: state{File: File{Name: "root"}, id: d.itemID(v), etag: 1}, children: map[string]*item{}}
	v.items[v.root.id] = v.root
	v.order = append(v.order, v.root)
	d.drives[v.id] = v
	return v
}

func (d *Data) itemID(v *drive) string {
	d.serial++
	return fmt.Sprintf("01%.32X", hashOf("item", v.id, fmt.Sprint(d.serial))[:16])
}

// DriveID is the id of a user's OneDrive.
func (d *Data) DriveID(email string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.find(email); u != nil {
		return u.drive.id
	}
	return ""
}

// AddFile adds an entry to a drive and gives its id. Without Content, Package and Shortcut it is a folder. Names are unique in a
// folder, whatever their case.
func (d *Data) AddFile(driveID string, f File) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.drives[driveID]
	if v == nil {
		return "", fmt.Errorf("add file: no drive %s", driveID)
	}
	parent := v.root
	if f.Parent != "" {
		if parent = v.items[f.Parent]; parent == nil {
			return "", fmt.Errorf("add file: no folder %s", f.Parent)
		}
	}
	if f.Modified.IsZero() {
		f.Modified = d.Now()
	}
	if f.Created.IsZero() {
		f.Created = f.Modified
	}
	if f.MimeType == "" && f.Content != nil {
		f.MimeType = "application/octet-stream"
	}
	n := &item{state: state{File: f, id: d.itemID(v), etag: 1}, children: map[string]*item{}}
	if err := n.enter(parent, f.Name); err != nil {
		return "", fmt.Errorf("add file: %w", err)
	}
	v.items[n.id] = n
	v.order = append(v.order, n)
	v.record(n)
	return n.id, nil
}

// enter puts the item into a folder.
func (n *item) enter(folder *item, name string) error {
	if forbidden(name) {
		return fmt.Errorf("OneDrive has no such name as %q", name)
	}
	key := strings.ToLower(name)
	if other := folder.children[key]; other != nil && other != n {
		return fmt.Errorf("%q exists", name)
	}
	if n.parent != nil {
		delete(n.parent.children, strings.ToLower(n.Name))
	}
	n.Name, n.parent = name, folder
	folder.children[key] = n
	return nil
}

// forbidden says whether OneDrive refuses the name.
func forbidden(name string) bool {
	return name == "" || strings.ContainsAny(name, `"*:<>?/\|`) || strings.TrimSpace(name) != name || strings.HasSuffix(name, ".")
}

// record appends an item's state to the changes.
func (v *drive) record(n *item) { v.log = append(v.log, n.state) }

// Rename gives an item another name, Move another parent ("" is the root), Edit another content.
func (d *Data) Rename(driveID, id, name string) error {
	return d.change(driveID, id, func(_ *drive, n *item) error { return n.enter(n.parent, name) })
}

// Move gives an item another parent; empty: the root.
func (d *Data) Move(driveID, id, parent string) error {
	return d.change(driveID, id, func(v *drive, n *item) error {
		folder := v.root
		if parent != "" {
			if folder = v.items[parent]; folder == nil {
				return fmt.Errorf("no folder %s", parent)
			}
		}
		return n.enter(folder, n.Name)
	})
}

// Edit gives a file other bytes.
func (d *Data) Edit(driveID, id string, body cloudsim.Content) error {
	return d.change(driveID, id, func(_ *drive, n *item) error {
		n.Content, n.hash, n.Modified = body, "", d.Now()
		return nil
	})
}

// Delete removes an item with all that is below it.
func (d *Data) Delete(driveID, id string) error {
	return d.change(driveID, id, func(v *drive, n *item) error {
		v.remove(n)
		delete(n.parent.children, strings.ToLower(n.Name))
		return nil
	})
}

// remove announces what is below first, as a folder may be deleted only when it is empty.
func (v *drive) remove(n *item) {
	for _, child := range n.children {
		v.remove(child)
		v.record(child)
	}
	n.deleted = true
	delete(v.items, n.id)
}

func (d *Data) change(driveID, id string, do func(*drive, *item) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.drives[driveID]
	if v == nil || v.items[id] == nil || v.items[id] == v.root {
		return fmt.Errorf("no item %s in a drive %s", id, driveID)
	}
	n := v.items[id]
	if err := do(v, n); err != nil {
		return err
	}
	n.etag++
	v.record(n)
	return nil
}

// ExpireDelta makes every delta token of a drive that was handed out so far invalid.
func (d *Data) ExpireDelta(driveID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if v := d.drives[driveID]; v != nil {
		v.log = append(v.log, v.root.state)
		v.oldest = len(v.log)
	}
}

// FileInfo is what a drive holds.
type FileInfo struct {
	ID, Path string
	Content  cloudsim.Content // nil for what has none
	Shortcut bool
}

// Files gives the live items of a drive with their paths.
func (d *Data) Files(driveID string) []FileInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []FileInfo
	v := d.drives[driveID]
	if v == nil {
		return nil
	}
	for _, n := range v.order {
		if !n.deleted && n != v.root {
			out = append(out, FileInfo{n.id, n.path(), n.Content, n.Shortcut != ""})
		}
	}
	return out
}

func (n *item) path() string {
	var names []string
	for at := n; at.parent != nil; at = at.parent {
		names = append(names, at.Name)
	}
	slices.Reverse(names)
	return path.Join(names...)
}

// quickXor is the hash that is stated, worked out once.
func (n *item) quickXor() string {
	if n.hash == "" {
		h := quickxor.New()
		if r, err := n.Content.Open(0); err == nil {
			_, _ = io.Copy(h, r)
			r.Close()
		}
		n.hash = base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return n.hash
}

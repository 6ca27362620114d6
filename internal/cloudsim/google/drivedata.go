package google

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Media types of what is no stored file.
// https://developers.google.com/workspace/drive/api/guides/mime-types
const (
	MimeFolder   = "application/vnd.google-apps.folder"
	MimeShortcut = "application/vnd.google-apps.shortcut"
	MimeDocument = "application/vnd.google-apps.document"

	googleApps = "application/vnd.google-apps."
)

// File describes a file, folder, shortcut or Google document that is to be added to a drive.
type File struct {
	ID       string // chosen when empty
	Name     string
	MimeType string           // empty: a folder without Content, application/octet-stream with
	Parent   string           // id of a folder; empty: the drive's root
	Content  cloudsim.Content // stored files; nil for everything else
	Created  time.Time
	Modified time.Time
	Trashed  bool
	Orphan   bool // no parent at all

	ShortcutTarget     string // id, which need not exist
	ShortcutTargetMime string

	// Exports are the bodies of a Google document by media type. Formats that the kind of document has and this
	// map lacks are made up from its name.
	Exports map[string]cloudsim.Content

	Starred      bool
	Description  string
	NoSHA        bool // a file from before 2018: MD5 is the only checksum
	NoChecksums  bool
	Abusive      bool // cannotDownloadAbusiveFile unless acknowledged by the owner
	Restricted   bool // capabilities.canDownload is false for everybody who may only read
	OwnerBlocked bool // a data loss rule restricts the download for writers and owners too
	OverQuota    bool // downloadQuotaExceeded; see Data.QuotaDay
	Unavailable  bool // fileNotDownloadable although it is listed as a stored file
	Encrypted    bool // client-side encrypted
}

// Permission is one entry of an access list.
type Permission struct {
	Type  string // user, group, domain, anyone
	Role  string // owner, organizer, fileOrganizer, writer, commenter, reader
	Email string // of a user or group
}

// node is an entry of a drive.
type node struct {
	File
	parent   *node
	children []*node
	root     bool
	owner    *user        // nil in a shared drive
	drive    *sharedDrive // nil in My Drive
	perms    []Permission // beside the owner's
	version  int64
	sums     *cloudsim.Checksums
	refused  time.Time // when a download was first refused for its quota
}

type sharedDrive struct {
	id, name string
	created  time.Time
	hidden   bool
	members  []Permission
	root     *node
	corpus   corpus
}

// trashed says whether the node or a folder above it is in the trash.
func (n *node) trashed() bool {
	for ; n != nil; n = n.parent {
		if n.Trashed {
			return true
		}
	}
	return false
}

// inTreeOf says whether the node is the folder or lies below it.
func (n *node) inTreeOf(folder *node) bool {
	for ; n != nil; n = n.parent {
		if n == folder {
			return true
		}
	}
	return false
}

// role is what the user may do with the node: "" is nothing.
func (n *node) role(email string) string {
	if n.drive != nil {
		return roleIn(n.drive.members, email)
	}
	best := ""
	for at := n; at != nil; at = at.parent {
		if at.owner != nil && at.owner.Email == email && at == n {
			return "owner"
		}
		if role := roleIn(at.perms, email); strength(role) > strength(best) {
			best = role
		}
		if at != n && at.owner != nil && at.owner.Email == email && best == "" {
			best = "writer" // the owner of a folder may edit what others put into it
		}
	}
	return best
}

func roleIn(perms []Permission, email string) string {
	for _, p := range perms {
		if p.Type == "user" && p.Email == email {
			return p.Role
		}
	}
	return ""
}

func strength(role string) int {
	return slices.Index([]string{"", "reader", "commenter", "writer", "fileOrganizer", "organizer", "owner"}, role)
}

// AddSharedDrive adds a shared drive and gives its id.
func (d *Data) AddSharedDrive(name string, members ...Permission) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := "0A" + strings.TrimPrefix(d.newID(), "1")[:15] + "PVA"
	s := &sharedDrive{id: id, name: name, members: members, created: time.Date(2021, 3, 1, 9, 0, 0, 0, time.UTC)}
	s.root = &node{File: File{ID: id, Name: "Drive", MimeType: MimeFolder, Created: s.created, Modified: s.created}, root: true, drive: s, version: 1}
	d.nodes[id] = s.root
	d.drives = append(d.drives, s)
	return id
}

// SetMembers changes who has access to a shared drive.
func (d *Data) SetMembers(driveID string, members ...Permission) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sharedDrive(driveID)
	if s == nil {
		return fmt.Errorf("no shared drive %s", driveID)
	}
	s.members = members
	return nil
}

func (d *Data) addRoot(u *user) {
	id := "0A" + strings.TrimPrefix(d.newID(), "1")[:15] + "9PVA"[:3]
	u.drive.root = &node{File: File{ID: id, Name: "My Drive", MimeType: MimeFolder, Created: u.Created, Modified: u.Created}, root: true, owner: u, version: 1}
	d.nodes[id] = u.drive.root
}

// RootID is the id of a user's My Drive folder.
func (d *Data) RootID(email string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.byEmail[email]; u != nil {
		return u.drive.root.ID
	}
	return ""
}

// AddFile adds an entry to the My Drive of a user, or into the folder f.Parent of somebody else, and gives its id.
func (d *Data) AddFile(owner string, f File) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(owner)
	if err != nil {
		return "", fmt.Errorf("add file: %w", err)
	}
	return d.add(&node{File: f, owner: u}, u.drive.root)
}

// AddDriveFile adds an entry to a shared drive and gives its id.
func (d *Data) AddDriveFile(driveID string, f File) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.sharedDrive(driveID)
	if s == nil {
		return "", fmt.Errorf("add file: no shared drive %s", driveID)
	}
	return d.add(&node{File: f, drive: s}, s.root)
}

// ImportFile adds a stored file to a user's My Drive. The path is of folder names with slashes between them; folders
// that do not exist are made.
func (d *Data) ImportFile(owner, path string, body cloudsim.Content, modified time.Time) (string, error) {
	folder, name := "", path
	for {
		head, rest, more := strings.Cut(name, "/")
		if !more {
			return d.AddFile(owner, File{Name: name, Parent: folder, Content: body, Modified: modified})
		}
		id, err := d.folder(owner, folder, head)
		if err != nil {
			return "", err
		}
		folder, name = id, rest
	}
}

func (d *Data) folder(owner, parent, name string) (string, error) {
	if parent == "" {
		parent = d.RootID(owner)
	}
	d.mu.Lock()
	if p := d.nodes[parent]; p != nil {
		for _, child := range p.children {
			if child.Name == name && child.MimeType == MimeFolder {
				d.mu.Unlock()
				return child.ID, nil
			}
		}
	}
	d.mu.Unlock()
	return d.AddFile(owner, File{Name: name, Parent: parent, MimeType: MimeFolder})
}

func (d *Data) add(n *node, root *node) (string, error) {
	if n.ID == "" {
		n.ID = d.newID()
	}
	if d.nodes[n.ID] != nil {
		return "", fmt.Errorf("add file: id %s exists", n.ID)
	}
	if n.MimeType == "" {
		n.MimeType = MimeFolder
		if n.Content != nil {
			n.MimeType = "application/octet-stream"
		}
	}
	if n.Modified.IsZero() {
		n.Modified = d.Now()
	}
	if n.Created.IsZero() {
		n.Created = n.Modified
	}
	if !n.Orphan {
		n.parent = root
		if n.Parent != "" {
			if n.parent = d.nodes[n.Parent]; n.parent == nil {
				return "", fmt.Errorf("add file: no folder %s", n.Parent)
			}
		}
		n.parent.children = append(n.parent.children, n)
	}
	n.version, n.sums = 1, &cloudsim.Checksums{}
	d.nodes[n.ID] = n
	if n.owner != nil {
		n.owner.drive.owned = append(n.owner.drive.owned, n)
	}
	d.announce(n, false)
	return n.ID, nil
}

func (d *Data) sharedDrive(id string) *sharedDrive {
	for _, s := range d.drives {
		if s.id == id {
			return s
		}
	}
	return nil
}

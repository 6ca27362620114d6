package google

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// FileInfo tells what is in a drive, for tests that compare.
type FileInfo struct {
	ID       string
	Path     []string // names from the root to the entry; of an orphan, from its topmost folder
	MimeType string
	Modified time.Time
	Trashed  bool // itself or a folder above it
	Content  cloudsim.Content
}

// Files gives all that a user owns, or all in a shared drive given by its id, without the root, in the order of their
// paths.
func (d *Data) Files(ownerOrDrive string) ([]FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var nodes []*node
	if u := d.byEmail[ownerOrDrive]; u != nil {
		nodes = u.drive.owned
	} else if s := d.sharedDrive(ownerOrDrive); s != nil {
		nodes = s.listing()
	} else {
		return nil, fmt.Errorf("no drive of %s", ownerOrDrive)
	}
	out := make([]FileInfo, len(nodes))
	for i, n := range nodes {
		out[i] = FileInfo{n.ID, n.path(), n.MimeType, n.Modified, n.trashed(), n.Content}
	}
	slices.SortFunc(out, func(a, b FileInfo) int {
		if c := slices.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

func (n *node) path() []string {
	var names []string
	for ; n != nil && !n.root; n = n.parent {
		names = append(names, n.Name)
	}
	slices.Reverse(names)
	return names
}

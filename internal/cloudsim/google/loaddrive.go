package google

import (
	"encoding/base64"
	"fmt"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// place is where entries go: the drive and the folder.
type place struct {
	owner, drive, parent string
}

func (l *loader) files(at place, entries []organisation.File) error {
	for _, e := range entries {
		if err := l.file(at, e); err != nil {
			return fmt.Errorf("%q: %w", e.Name, err)
		}
	}
	return nil
}

// keyID is the id of the entry with a key.
func (l *loader) keyID(key string) string {
	return "1" + base64.RawURLEncoding.EncodeToString(hashOf("key", l.data.domain, key))[:32]
}

func (l *loader) file(at place, e organisation.File) error {
	f, err := l.describe(at, e)
	if err != nil {
		return err
	}
	if e.In != "" {
		f.Parent = l.keyID(e.In)
		l.later = append(l.later, func() error { return l.put(at, e, f) })
		return nil
	}
	return l.put(at, e, f)
}

func (l *loader) put(at place, e organisation.File, f File) error {
	id, err := "", error(nil)
	if at.drive != "" {
		id, err = l.data.AddDriveFile(at.drive, f)
	} else {
		id, err = l.data.AddFile(at.owner, f)
	}
	if err != nil {
		return err
	}
	for _, s := range e.Share {
		if err := l.data.Share(id, permissionOf(s)); err != nil {
			return err
		}
	}
	if e.Folder == nil {
		return nil
	}
	at.parent = id
	return l.files(at, *e.Folder)
}

// describe turns an entry into a File.
func (l *loader) describe(at place, e organisation.File) (File, error) {
	f := File{Name: e.Name, MimeType: e.Mime, Parent: at.parent, Orphan: e.Orphan, Trashed: e.Trashed, Starred: e.Starred,
		Description: e.Description, Created: e.Created.Time, Modified: e.Modified.Time, Content: e.Content}
	if e.Key != "" {
		f.ID = l.keyID(e.Key)
		l.keys[e.Key] = true
	}
	if err := setFlags(&f, e.Flags); err != nil {
		return f, err
	}
	switch {
	case e.Folder != nil:
		f.MimeType = MimeFolder
	case e.Shortcut != "":
		l.shortcut(e, &f)
	case e.Google != "":
		f.MimeType = googleApps + e.Google
		return f, exports(e, &f)
	}
	return f, nil
}

// shortcut points at the entry of that key. The word gone is a target that no longer exists.
func (l *loader) shortcut(e organisation.File, f *File) {
	target := l.keyID(e.Shortcut)
	f.MimeType, f.ShortcutTarget, f.ShortcutTargetMime = MimeShortcut, target, "application/octet-stream"
	l.later = append(l.later, func() error {
		if e.Shortcut != "gone" && !l.keys[e.Shortcut] {
			return fmt.Errorf("%q: shortcut to the unknown key %q", e.Name, e.Shortcut)
		}
		l.data.mu.Lock()
		defer l.data.mu.Unlock()
		if there := l.data.nodes[target]; there != nil {
			l.retarget(target, there.MimeType)
		}
		return nil
	})
}

func (l *loader) retarget(target, mime string) {
	for _, n := range l.data.nodes {
		if n.ShortcutTarget == target {
			n.ShortcutTargetMime = mime
		}
	}
}

func exports(e organisation.File, f *File) error {
	f.Exports = map[string]cloudsim.Content{}
	for name, x := range e.Exports {
		known := false
		for _, format := range exportFormats(f.MimeType) {
			if format.name == name {
				f.Exports[format.mime], known = x.Content, true
			}
		}
		if !known {
			return fmt.Errorf("a %s has no export %q", e.Google, name)
		}
	}
	return nil
}

func setFlags(f *File, flags []string) error {
	for _, flag := range flags {
		switch flag {
		case "no-sha":
			f.NoSHA = true
		case "no-checksums":
			f.NoChecksums = true
		case "abusive":
			f.Abusive = true
		case "restricted":
			f.Restricted = true
		case "owner-blocked":
			f.OwnerBlocked = true
		case "over-quota":
			f.OverQuota = true
		case "unavailable":
			f.Unavailable = true
		case "encrypted":
			f.Encrypted = true
		default:
			return fmt.Errorf("unknown flag %q", flag)
		}
	}
	return nil
}

package google

import (
	"encoding/base64"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// fileEntry is a file or folder in drive.yaml.
type fileEntry struct {
	Key         string                 `yaml:"key"`
	Name        string                 `yaml:"name"`
	Mime        string                 `yaml:"mime"`
	Folder      *[]fileEntry           `yaml:"folder"`
	Text        *string                `yaml:"text"`
	File        string                 `yaml:"file"`
	Generate    string                 `yaml:"generate"`
	Google      string                 `yaml:"google"`
	Exports     map[string]exportEntry `yaml:"exports"`
	Shortcut    string                 `yaml:"shortcut"`
	In          string                 `yaml:"in"`
	Orphan      bool                   `yaml:"orphan"`
	Trashed     bool                   `yaml:"trashed"`
	Starred     bool                   `yaml:"starred"`
	Description string                 `yaml:"description"`
	Created     string                 `yaml:"created"`
	Modified    string                 `yaml:"modified"`
	Share       []shareEntry           `yaml:"share"`
	Flags       []string               `yaml:"flags"`
}

type exportEntry struct {
	Text     *string `yaml:"text"`
	File     string  `yaml:"file"`
	Generate string  `yaml:"generate"`
}

// place is where entries go: the drive, the folder, and the directory of the files that they name.
type place struct {
	dir, owner, drive, parent string
}

func (l *loader) files(at place, entries []fileEntry) error {
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

func (l *loader) file(at place, e fileEntry) error {
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

func (l *loader) put(at place, e fileEntry, f File) error {
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
		if err := l.data.Share(id, s.permission()); err != nil {
			return err
		}
	}
	if e.Folder == nil {
		return nil
	}
	at.parent = id
	return l.files(at, *e.Folder)
}

// describe turns an entry into a File; at most one of the keys that say what it is may be there.
func (l *loader) describe(at place, e fileEntry) (File, error) {
	f := File{Name: e.Name, MimeType: e.Mime, Parent: at.parent, Orphan: e.Orphan, Trashed: e.Trashed, Starred: e.Starred, Description: e.Description}
	if e.Key != "" {
		f.ID = l.keyID(e.Key)
		l.keys[e.Key] = true
	}
	var err error
	if f.Created, err = parseTime(e.Created); err != nil {
		return f, err
	}
	if f.Modified, err = parseTime(e.Modified); err != nil {
		return f, err
	}
	if err := setFlags(&f, e.Flags); err != nil {
		return f, err
	}
	return f, l.contents(at, e, &f)
}

func (l *loader) contents(at place, e fileEntry, f *File) error {
	switch {
	case e.Folder != nil:
		f.MimeType = MimeFolder
	case e.Shortcut != "":
		l.shortcut(e, f)
	case e.Google != "":
		f.MimeType = googleApps + e.Google
		return l.exports(at.dir, e, f)
	default:
		body, err := l.content(at.dir, exportEntry{e.Text, e.File, e.Generate})
		if err != nil {
			return err
		}
		f.Content = body
	}
	return nil
}

// shortcut points at the entry of that key. The word gone is a target that no longer exists.
func (l *loader) shortcut(e fileEntry, f *File) {
	f.MimeType, f.ShortcutTarget, f.ShortcutTargetMime = MimeShortcut, l.keyID(e.Shortcut), "application/octet-stream"
	l.later = append(l.later, func() error {
		if e.Shortcut != "gone" && !l.keys[e.Shortcut] {
			return fmt.Errorf("%q: shortcut to the unknown key %q", e.Name, e.Shortcut)
		}
		l.data.mu.Lock()
		defer l.data.mu.Unlock()
		if target := l.data.nodes[f.ShortcutTarget]; target != nil {
			l.retarget(f.ShortcutTarget, target.MimeType)
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

func (l *loader) exports(dir string, e fileEntry, f *File) error {
	f.Exports = map[string]Content{}
	for name, x := range e.Exports {
		body, err := l.content(dir, x)
		if err != nil {
			return err
		}
		known := false
		for _, format := range exportFormats(f.MimeType) {
			if format.name == name {
				f.Exports[format.mime], known = body, true
			}
		}
		if !known {
			return fmt.Errorf("a %s has no export %q", e.Google, name)
		}
	}
	return nil
}

func (l *loader) content(dir string, e exportEntry) (Content, error) {
	switch {
	case e.Text != nil:
		return Bytes([]byte(*e.Text)), nil
	case e.File != "":
		return fileIn(l.fs, path.Join(dir, e.File))
	case e.Generate != "":
		size, err := parseSize(e.Generate)
		return Generated(uint64(size), size), err
	}
	return nil, fmt.Errorf("no text, file, generate, folder, google or shortcut")
}

// parseSize reads a number of bytes with an optional unit: KB, MB, GB, each 1024 of the one before.
func parseSize(s string) (int64, error) {
	factor, number := int64(1), strings.TrimSpace(s)
	for i, unit := range []string{"KB", "MB", "GB"} {
		if rest, ok := strings.CutSuffix(number, unit); ok {
			factor, number = int64(1024)<<(10*i), strings.TrimSpace(rest)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<42/factor {
		return 0, fmt.Errorf("%q is no size", s)
	}
	return n * factor, nil
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

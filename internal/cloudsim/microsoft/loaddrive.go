package microsoft

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// officeTypes are what Google's documents are here, by their kind: the extension and the media type.
var officeTypes = map[string][2]string{
	"document":     {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	"spreadsheet":  {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	"presentation": {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	"drawing":      {".svg", "image/svg+xml"},
}

func (l *loader) files(drive, parent string, entries []organisation.File) error {
	for _, e := range entries {
		if e.Trashed {
			continue // in the recycle bin, where Graph shows it to nobody
		}
		f, err := l.describe(e)
		if err != nil {
			return fmt.Errorf("%q: %w", e.Name, err)
		}
		f.Parent = parent
		put := func() error { return l.put(drive, e, f) }
		if e.In == "" && e.Shortcut == "" {
			if err := put(); err != nil {
				return fmt.Errorf("%q: %w", e.Name, err)
			}
			continue
		}
		l.later = append(l.later, put)
	}
	return nil
}

// put adds an entry, under a name that is free: OneDrive has no two of one name in a folder.
func (l *loader) put(drive string, e organisation.File, f File) error {
	if e.In != "" {
		at, ok := l.keys[e.In]
		if !ok {
			return fmt.Errorf("%q: no folder %s", e.Name, e.In)
		}
		drive, f.Parent = at.drive, at.id
	}
	if e.Shortcut != "" {
		f.Shortcut, f.ShortcutURL = l.target(e.Shortcut)
	}
	f.Name = l.freeName(drive, f.Parent, legalName(f.Name))
	id, err := l.data.AddFile(drive, f)
	if err != nil {
		return err
	}
	if e.Key != "" {
		l.keys[e.Key] = placed{drive, id}
	}
	if e.Folder == nil {
		return nil
	}
	return l.files(drive, id, *e.Folder)
}

func (l *loader) target(key string) (name, link string) {
	at, ok := l.keys[key]
	if !ok {
		return "gone", "https://tenant-my.sharepoint.example/gone"
	}
	n := l.data.drives[at.drive].items[at.id]
	return n.Name, n.webURL(l.data.drives[at.drive])
}

func (n *item) webURL(v *drive) string { return v.webURL() + "/" + escapedPath(n.path()) }

// legalName is what OneDrive would make its user type instead.
func legalName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`"*:<>?/\|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
	if name = strings.TrimRight(strings.TrimSpace(name), ". "); name == "" {
		return "_"
	}
	return name
}

func (l *loader) freeName(drive, parent, name string) string {
	v := l.data.drives[drive]
	folder := v.root
	if parent != "" {
		folder = v.items[parent]
	}
	ext := path.Ext(name)
	for i, free := 1, name; ; i++ {
		if folder.children[strings.ToLower(free)] == nil {
			return free
		}
		free = fmt.Sprintf("%s %d%s", strings.TrimSuffix(name, ext), i, ext)
	}
}

// describe turns an entry into a File. Google's documents are Office files, which SharePoint rewrites; what else Google makes is a
// notebook here.
func (l *loader) describe(e organisation.File) (File, error) {
	f := File{Name: e.Name, MimeType: e.Mime, Created: e.Created.Time, Modified: e.Modified.Time, Content: e.Content,
		Malware: slices.Contains(e.Flags, "abusive"), NoHash: slices.Contains(e.Flags, "no-checksums")}
	if e.Google == "" {
		return f, nil
	}
	office, ok := officeTypes[e.Google]
	if !ok {
		f.Package = "oneNote"
		return f, nil
	}
	f.Name, f.MimeType = e.Name+office[0], office[1]
	f.Rewritten = office[0] != ".svg"
	f.Content = cloudsim.Bytes([]byte("simulated " + e.Google + " " + e.Name))
	if x, ok := e.Exports[strings.TrimPrefix(office[0], ".")]; ok {
		f.Content = x.Content
	}
	return f, nil
}

package organisation

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// File is an entry of a drive: a folder, a file, a document of the provider's own, or a shortcut.
type File struct {
	Key         string            `yaml:"key"`
	Name        string            `yaml:"name"`
	Mime        string            `yaml:"mime"`
	Folder      *[]File           `yaml:"folder"`
	Text        *string           `yaml:"text"`
	File        string            `yaml:"file"`
	Generate    string            `yaml:"generate"`
	Google      string            `yaml:"google"`
	Exports     map[string]Export `yaml:"exports"`
	Shortcut    string            `yaml:"shortcut"` // the Key of its target, or "gone"
	In          string            `yaml:"in"`       // the Key of a folder elsewhere
	Orphan      bool              `yaml:"orphan"`
	Trashed     bool              `yaml:"trashed"`
	Starred     bool              `yaml:"starred"`
	Description string            `yaml:"description"`
	Created     Time              `yaml:"created"`
	Modified    Time              `yaml:"modified"`
	Share       []Share           `yaml:"share"`
	Flags       []string          `yaml:"flags"`

	// Content is the body of a stored file; nil for everything else.
	Content cloudsim.Content `yaml:"-"`
}

// Export is the body of a document in one format.
type Export struct {
	Text     *string `yaml:"text"`
	File     string  `yaml:"file"`
	Generate string  `yaml:"generate"`

	Content cloudsim.Content `yaml:"-"`
}

// readDrive reads drive.yaml in dir.
func readDrive(files fs.FS, dir string, read func(fs.FS, string, any) error) ([]File, error) {
	var drive struct {
		Files []File `yaml:"files"`
	}
	if err := read(files, path.Join(dir, "drive.yaml"), &drive); err != nil {
		return nil, err
	}
	return drive.Files, resolve(files, dir, drive.Files)
}

// resolve finds the contents of entries and of what is below them.
func resolve(files fs.FS, dir string, entries []File) error {
	for i := range entries {
		e := &entries[i]
		if err := e.resolve(files, dir); err != nil {
			return fmt.Errorf("%q: %w", e.Name, err)
		}
	}
	return nil
}

func (e *File) resolve(files fs.FS, dir string) (err error) {
	switch {
	case e.Folder != nil:
		return resolve(files, dir, *e.Folder)
	case e.Shortcut != "":
		return nil
	case e.Google != "":
		for name, x := range e.Exports {
			if x.Content, err = content(files, dir, x); err != nil {
				return err
			}
			e.Exports[name] = x
		}
		return nil
	}
	e.Content, err = content(files, dir, Export{Text: e.Text, File: e.File, Generate: e.Generate})
	return err
}

func content(files fs.FS, dir string, e Export) (cloudsim.Content, error) {
	switch {
	case e.Text != nil:
		return cloudsim.Bytes([]byte(*e.Text)), nil
	case e.File != "":
		return cloudsim.FileIn(files, path.Join(dir, e.File))
	case e.Generate != "":
		size, err := ParseSize(e.Generate)
		return cloudsim.Generated(uint64(size), size), err
	}
	return nil, fmt.Errorf("no text, file, generate, folder, google or shortcut")
}

// ParseSize reads a number of bytes with an optional unit: KB, MB, GB, each 1024 of the one before.
func ParseSize(s string) (int64, error) {
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

package google

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Load reads an organisation from a directory; examples/organisation/README.md describes its format. Unknown keys,
// missing files and references to nothing are errors. The directory must stay as it is while the organisation is served.
func Load(dir string) (*Data, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS reads an organisation from a file system whose files can be sought in, such as an embedded one.
func LoadFS(files fs.FS) (*Data, error) {
	var file struct {
		Domain string       `yaml:"domain"`
		Users  []userEntry  `yaml:"users"`
		Drives []driveEntry `yaml:"shared_drives"`
	}
	if err := readYAML(files, "organisation.yaml", &file); err != nil {
		return nil, fmt.Errorf("load organisation: %w", err)
	}
	l := &loader{fs: files, data: NewData(file.Domain), keys: map[string]bool{}}
	l.data.Now = func() time.Time { return time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC) }
	for _, u := range file.Users {
		if err := l.data.AddUser(u.user()); err != nil {
			return nil, fmt.Errorf("load organisation: %w", err)
		}
	}
	for _, u := range file.Users {
		if err := l.user(path.Join("users", localPart(u.Email)), u.Email); err != nil {
			return nil, fmt.Errorf("load %s: %w", u.Email, err)
		}
	}
	for _, s := range file.Drives {
		if err := l.sharedDrive(path.Join("shared_drives", s.Directory), s); err != nil {
			return nil, fmt.Errorf("load shared drive %s: %w", s.Name, err)
		}
	}
	if err := l.finish(); err != nil {
		return nil, fmt.Errorf("load organisation: %w", err)
	}
	l.data.Now = time.Now
	l.data.settle()
	return l.data, nil
}

type userEntry struct {
	Email     string   `yaml:"email"`
	Given     string   `yaml:"given"`
	Family    string   `yaml:"family"`
	Aliases   []string `yaml:"aliases"`
	OrgUnit   string   `yaml:"org_unit"`
	Admin     bool     `yaml:"admin"`
	Suspended bool     `yaml:"suspended"`
	Archived  bool     `yaml:"archived"`
	Deleted   bool     `yaml:"deleted"`
	NoMailbox bool     `yaml:"no_mailbox"`
}

func (e userEntry) user() User {
	return User{Email: e.Email, GivenName: e.Given, FamilyName: e.Family, Aliases: e.Aliases, OrgUnit: e.OrgUnit, Admin: e.Admin,
		Suspended: e.Suspended, Archived: e.Archived, Deleted: e.Deleted, NoMailbox: e.NoMailbox}
}

type driveEntry struct {
	Name      string       `yaml:"name"`
	Directory string       `yaml:"directory"`
	Members   []shareEntry `yaml:"members"`
}

type shareEntry struct {
	Type  string `yaml:"type"` // empty: user
	Role  string `yaml:"role"`
	Email string `yaml:"email"`
}

func (e shareEntry) permission() Permission {
	p := Permission(e)
	if p.Type == "" {
		p.Type = "user"
	}
	return p
}

// loader puts an organisation together. What refers to something that may come later waits until the end.
type loader struct {
	fs    fs.FS
	data  *Data
	keys  map[string]bool
	later []func() error
}

func (l *loader) user(dir, email string) error {
	var drive struct {
		Files []fileEntry `yaml:"files"`
	}
	if err := readOptional(l.fs, path.Join(dir, "drive", "drive.yaml"), &drive); err != nil {
		return err
	}
	at := place{dir: path.Join(dir, "drive"), owner: email}
	if err := l.files(at, drive.Files); err != nil {
		return err
	}
	if err := l.mail(path.Join(dir, "mail"), email); err != nil {
		return err
	}
	return l.calendars(path.Join(dir, "calendars"), email)
}

func (l *loader) sharedDrive(dir string, s driveEntry) error {
	var drive struct {
		Files []fileEntry `yaml:"files"`
	}
	if err := readYAML(l.fs, path.Join(dir, "drive.yaml"), &drive); err != nil {
		return err
	}
	members := make([]Permission, len(s.Members))
	for i, m := range s.Members {
		members[i] = m.permission()
	}
	id := l.data.AddSharedDrive(s.Name, members...)
	return l.files(place{dir: dir, drive: id}, drive.Files)
}

// finish does what has waited.
func (l *loader) finish() error {
	for _, do := range l.later {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func readOptional(files fs.FS, name string, into any) error {
	if _, err := fs.Stat(files, name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return readYAML(files, name, into)
}

func readYAML(files fs.FS, name string, into any) error {
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(raw, into, yaml.DisallowUnknownField()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func localPart(email string) string {
	local, _, _ := strings.Cut(email, "@")
	return local
}

// parseTime reads a time; empty is the zero time.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.RFC3339, s)
}

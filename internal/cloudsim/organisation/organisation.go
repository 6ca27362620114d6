// Package organisation reads and makes up the organisations that the simulated providers serve. The same one can be served by each of
// them; examples/organisation/README.md describes the format on disk.
package organisation

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Organisation is a domain with its users and shared drives.
type Organisation struct {
	Domain string         `yaml:"domain"`
	Users  []*User        `yaml:"users"`
	Drives []*SharedDrive `yaml:"shared_drives"`

	// Made is what Generate made it of; nil for one that was read. A provider whose contacts and tasks are not like Google's may make up its
	// own in the numbers that are wanted.
	Made *Spec `yaml:"-"`
}

// User is an account and what it holds.
type User struct {
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

	Files     []File     `yaml:"-"`
	Labels    []Label    `yaml:"-"`
	Messages  []Message  `yaml:"-"`
	Calendars []Calendar `yaml:"-"`

	ContactGroups []ContactGroup   `yaml:"-"`
	Contacts      []map[string]any `yaml:"-"` // resources of Google's People API
	OtherContacts []map[string]any `yaml:"-"`
	TaskLists     []TaskList       `yaml:"-"`
}

// Local is the part of the address before the @.
func (u *User) Local() string {
	local, _, _ := strings.Cut(u.Email, "@")
	return local
}

// SharedDrive is a drive that belongs to nobody: a shared drive at Google, a site's document library at Microsoft.
type SharedDrive struct {
	Name      string  `yaml:"name"`
	Directory string  `yaml:"directory"`
	Members   []Share `yaml:"members"`

	Files []File `yaml:"-"`
}

// Share is a right of somebody to something.
type Share struct {
	Type  string `yaml:"type"` // empty: user
	Role  string `yaml:"role"`
	Email string `yaml:"email"`
}

// Read reads an organisation from a file system whose files can be sought in. Unknown keys and missing files are errors. The files
// must stay as they are while the organisation is in use.
func Read(files fs.FS) (*Organisation, error) {
	o := &Organisation{}
	if err := readYAML(files, "organisation.yaml", o); err != nil {
		return nil, fmt.Errorf("load organisation: %w", err)
	}
	for _, u := range o.Users {
		if err := u.read(files, path.Join("users", u.Local())); err != nil {
			return nil, fmt.Errorf("load %s: %w", u.Email, err)
		}
	}
	for _, d := range o.Drives {
		var err error
		if d.Files, err = readDrive(files, path.Join("shared_drives", d.Directory), readYAML); err != nil {
			return nil, fmt.Errorf("load shared drive %s: %w", d.Name, err)
		}
	}
	return o, nil
}

func (u *User) read(files fs.FS, dir string) (err error) {
	if u.Files, err = readDrive(files, path.Join(dir, "drive"), readOptional); err != nil {
		return err
	}
	if err := u.readMail(files, path.Join(dir, "mail")); err != nil {
		return err
	}
	if u.Calendars, err = readCalendars(files, path.Join(dir, "calendars")); err != nil {
		return err
	}
	if err := u.readContacts(files, path.Join(dir, "contacts")); err != nil {
		return err
	}
	u.TaskLists, err = readTasks(files, path.Join(dir, "tasks"))
	return err
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

// Time is a moment in the notation of RFC 3339; empty is the zero time.
type Time struct{ time.Time }

// UnmarshalYAML implements yaml.InterfaceUnmarshaler.
func (t *Time) UnmarshalYAML(decode func(any) error) (err error) {
	var text string
	if err = decode(&text); err == nil && text != "" {
		t.Time, err = time.Parse(time.RFC3339, text)
	}
	return err
}

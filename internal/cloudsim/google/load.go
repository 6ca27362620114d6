package google

import (
	"fmt"
	"io/fs"
	"os"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// Load reads an organisation from a directory; examples/organisation/README.md describes its format. Unknown keys,
// missing files and references to nothing are errors. The directory must stay as it is while the organisation is served.
func Load(dir string) (*Data, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS reads an organisation from a file system whose files can be sought in, such as an embedded one.
func LoadFS(files fs.FS) (*Data, error) {
	o, err := organisation.Read(files)
	if err != nil {
		return nil, err
	}
	return Of(o)
}

// Generate makes up an organisation. The same Spec gives the same one, with the same ids.
func Generate(s organisation.Spec) *Data {
	d, err := Of(organisation.Generate(s))
	if err != nil {
		panic(err) // a generated organisation is sound
	}
	return d
}

// Of returns what Google holds of an organisation. The same one gives the same ids.
func Of(o *organisation.Organisation) (*Data, error) {
	l := &loader{data: NewData(o.Domain), keys: map[string]bool{}}
	l.data.Now = func() time.Time { return time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC) }
	for _, u := range o.Users {
		if err := l.data.AddUser(userOf(u)); err != nil {
			return nil, fmt.Errorf("load organisation: %w", err)
		}
	}
	for _, u := range o.Users {
		if err := l.user(u); err != nil {
			return nil, fmt.Errorf("load %s: %w", u.Email, err)
		}
	}
	for _, s := range o.Drives {
		if err := l.sharedDrive(s); err != nil {
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

func userOf(u *organisation.User) User {
	return User{Email: u.Email, GivenName: u.Given, FamilyName: u.Family, Aliases: u.Aliases, OrgUnit: u.OrgUnit, Admin: u.Admin,
		Suspended: u.Suspended, Archived: u.Archived, Deleted: u.Deleted, NoMailbox: u.NoMailbox}
}

func permissionOf(s organisation.Share) Permission {
	p := Permission(s)
	if p.Type == "" {
		p.Type = "user"
	}
	return p
}

// loader puts an organisation together. What refers to something that may come later waits until the end.
type loader struct {
	data  *Data
	keys  map[string]bool
	later []func() error
}

func (l *loader) user(u *organisation.User) error {
	if err := l.files(place{owner: u.Email}, u.Files); err != nil {
		return err
	}
	if err := l.mail(u); err != nil {
		return err
	}
	for _, c := range u.Calendars {
		if err := l.calendar(u.Email, c); err != nil {
			return fmt.Errorf("calendar %s: %w", c.ID, err)
		}
	}
	if err := l.contacts(u); err != nil {
		return err
	}
	return l.tasks(u)
}

func (l *loader) sharedDrive(s *organisation.SharedDrive) error {
	members := make([]Permission, len(s.Members))
	for i, m := range s.Members {
		members[i] = permissionOf(m)
	}
	return l.files(place{drive: l.data.AddSharedDrive(s.Name, members...)}, s.Files)
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

// settle forgets how the organisation came about: change streams begin now, as they would for data that is older than
// their memory.
func (d *Data) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, u := range d.users {
		u.drive.log, u.drive.latest = nil, nil
		u.mail.history = nil
		u.mail.oldest = u.mail.historyID
	}
	for _, s := range d.drives {
		s.corpus.log, s.corpus.latest = nil, nil
	}
}

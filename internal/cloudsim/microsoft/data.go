package microsoft

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// User is an account of the tenant.
type User struct {
	Email      string // userPrincipalName and mail
	GivenName  string
	FamilyName string
	Aliases    []string
	Disabled   bool
	Unlicensed bool
	Guest      bool
	NoMailbox  bool
	NoDrive    bool
	Purpose    string // of the mailbox: user (also empty), shared, room or equipment
	TimeZone   string // of the mailbox, a Windows name; empty: UTC
}

// Data is what a tenant holds: users with their files, mail, calendars, contacts and tasks, and sites. It is safe for concurrent use.
type Data struct {
	// Now tells the time of changes; time.Now unless set before first use.
	Now func() time.Time

	mu     sync.Mutex
	domain string
	users  []*user
	names  map[string]*user // by id and addresses in lower case
	sites  []*site
	drives map[string]*drive
	serial int
	epoch  atomic.Int64 // tokens of earlier epochs have expired
}

type user struct {
	User
	id        string
	drive     *drive
	mail      mailbox
	calendars []*calendar
	contacts  contactBook
	todo      todo
}

type site struct {
	id, name, path string
	personal       bool
	drives         []*drive
}

// NewData makes a tenant without users for the domain.
func NewData(domain string) *Data {
	return &Data{Now: time.Now, domain: domain, names: map[string]*user{}, drives: map[string]*drive{}}
}

// Domain is the tenant's main domain, and TenantID its id.
func (d *Data) Domain() string { return d.domain }

// TenantID is the tenant's id.
func (d *Data) TenantID() string { return guid("tenant", d.domain) }

// AddUser adds an account with an empty OneDrive, mailbox and calendar, an empty folder of contacts and two empty lists of tasks.
func (d *Data) AddUser(add User) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.Contains(add.Email, "@") {
		return fmt.Errorf("add user: %q is no e-mail address", add.Email)
	}
	u := &user{User: add, id: guid("user", add.Email)}
	names := append([]string{u.id, add.Email}, add.Aliases...)
	for _, name := range names {
		if d.names[strings.ToLower(name)] != nil {
			return fmt.Errorf("add user: %s exists", name)
		}
	}
	for _, name := range names {
		d.names[strings.ToLower(name)] = u
	}
	u.mail.init(u.id)
	u.contacts.init(u.id)
	u.todo.init(u.id)
	u.drive = d.addDrive("OneDrive", u)
	d.sites = append(d.sites, &site{id: d.domain + "," + guid("site", u.id), name: add.Email, path: "personal/" + strings.ReplaceAll(add.Email, "@", "_"),
		personal: true, drives: []*drive{u.drive}})
	u.calendars = []*calendar{newCalendar(u, Calendar{Name: "Calendar"}, true)}
	at, _ := slices.BinarySearchFunc(d.users, u.Email, func(x *user, email string) int { return strings.Compare(x.Email, email) })
	d.users = slices.Insert(d.users, at, u)
	return nil
}

// ChangeUser lets change edit an account. The addresses stay as they are.
func (d *Data) ChangeUser(email string, change func(*User)) error {
	return d.withUser("change user", email, func(u *user) error {
		changed := u.User
		change(&changed)
		changed.Email, changed.Aliases = u.Email, u.Aliases
		u.User = changed
		return nil
	})
}

// Users gives all accounts in the order of their addresses.
func (d *Data) Users() []User {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]User, len(d.users))
	for i, u := range d.users {
		out[i] = u.User
	}
	return out
}

// AddSite adds a SharePoint site with one document library and gives the library's drive id.
func (d *Data) AddSite(name, path, library string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := &site{id: d.domain + "," + guid("site", path) + "," + guid("web", path), name: name, path: path}
	s.drives = []*drive{d.addDrive(library, nil)}
	s.drives[0].site = s
	d.sites = append(d.sites, s)
	return s.drives[0].id
}

// LibraryInfo is a document library of a site.
type LibraryInfo struct {
	Site  string // its name
	Drive string // its id
}

// Libraries gives all document libraries of sites, in the order in which the sites were made.
func (d *Data) Libraries() (out []LibraryInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sites {
		for _, v := range s.drives {
			if !s.personal {
				out = append(out, LibraryInfo{s.name, v.id})
			}
		}
	}
	return out
}

// ExpireTokens makes every link to a next page that was handed out so far invalid, in all services.
func (d *Data) ExpireTokens() { d.epoch.Add(1) }

// find returns the account of an id or address, and nil for none.
func (d *Data) find(name string) *user { return d.names[strings.ToLower(name)] }

func (d *Data) withUser(op, email string, do func(*user) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.find(email)
	if u == nil {
		return fmt.Errorf("%s: no user %s", op, email)
	}
	if err := do(u); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

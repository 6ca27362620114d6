package google

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// User is an account of the organisation, as the Directory API has it.
type User struct {
	Email      string // primaryEmail
	GivenName  string
	FamilyName string
	Aliases    []string
	OrgUnit    string // orgUnitPath; empty: "/"
	Admin      bool
	Suspended  bool
	Archived   bool
	Deleted    bool // listed with showDeleted only; gets no token
	NoMailbox  bool // isMailboxSetup is false: Gmail answers failedPrecondition
	Created    time.Time
}

// Data is what an organisation holds: users with their files, mail and calendars, and shared drives. It is safe for
// concurrent use. Every change is announced to its owner's change stream as Google does it.
type Data struct {
	// Now tells the time of changes; time.Now unless set before first use.
	Now func() time.Time
	// AnnounceDescendants makes trashing, restoring and deleting a folder announce everything below it too, and not
	// only the folder. Google promises neither, so a reader of changes must cope with both.
	AnnounceDescendants bool
	// QuotaDay is how long the download quota of a file stays used up, from the first download on that is refused; 0: for ever.
	// Set before first use.
	QuotaDay time.Duration

	mu          sync.Mutex
	domain      string
	users       []*user
	byEmail     map[string]*user
	drives      []*sharedDrive
	nodes       map[string]*node
	granted     map[string][]*node // nodes with a permission of their own, by e-mail address
	photos      map[string]*photo  // of contacts, by id
	serial      uint64
	taskChanges uint64
	epoch       atomic.Int64 // page tokens of earlier epochs have expired
}

type user struct {
	User
	id        string
	drive     corpus
	mail      mailbox
	calendars []*calendarEntry
	people    addressBook
	tasks     []*taskList
}

// NewData makes an organisation without users for the domain.
func NewData(domain string) *Data {
	return &Data{Now: time.Now, domain: domain, byEmail: map[string]*user{}, nodes: map[string]*node{}, granted: map[string][]*node{}}
}

// Domain is the organisation's primary domain.
func (d *Data) Domain() string { return d.domain }

// AddUser adds an account with an empty drive, mailbox and primary calendar.
func (d *Data) AddUser(u User) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.Contains(u.Email, "@") {
		return fmt.Errorf("add user: %q is no e-mail address", u.Email)
	}
	for _, address := range append([]string{u.Email}, u.Aliases...) {
		if d.byEmail[address] != nil {
			return fmt.Errorf("add user: %s exists", address)
		}
	}
	if u.Created.IsZero() {
		u.Created = time.Date(2019, 9, 2, 8, 0, 0, 0, time.UTC)
	}
	added := &user{User: u, id: decimalID("user", u.Email)}
	added.mail.init()
	at, _ := slices.BinarySearchFunc(d.users, u.Email, func(x *user, email string) int { return strings.Compare(x.Email, email) })
	d.users = slices.Insert(d.users, at, added)
	for _, address := range append([]string{u.Email}, u.Aliases...) {
		d.byEmail[address] = added
	}
	d.addRoot(added)
	d.addPrimaryCalendar(added)
	added.people = newAddressBook()
	d.addTaskList(added, "My Tasks")
	return nil
}

// ChangeUser lets change edit an account, for example to suspend it. The e-mail address stays as it is.
func (d *Data) ChangeUser(email string, change func(*User)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return err
	}
	changed := u.User
	change(&changed)
	changed.Email = u.Email
	u.User = changed
	return nil
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

// ExpirePageTokens makes every page token that was handed out so far invalid, in all APIs.
func (d *Data) ExpirePageTokens() {
	d.epoch.Add(1)
}

func (d *Data) user(email string) (*user, error) {
	if u := d.byEmail[email]; u != nil {
		return u, nil
	}
	return nil, fmt.Errorf("no user %s", email)
}

// newID makes an identifier of 33 characters such as Drive has them.
func (d *Data) newID() string {
	d.serial++
	return "1" + base64.RawURLEncoding.EncodeToString(hashOf("id", d.domain, fmt.Sprint(d.serial)))[:32]
}

// decimalID makes an identifier of 21 digits such as accounts have them.
func decimalID(parts ...string) string {
	return fmt.Sprintf("1%020d", binary.BigEndian.Uint64(hashOf(parts...)))
}

func hashOf(parts ...string) []byte {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return sum[:]
}

// stamp writes a time as the JSON APIs do: RFC 3339, UTC, milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

package microsoft

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// Load reads an organisation from a directory; examples/organisation/README.md describes its format and what becomes of it here.
func Load(dir string) (*Data, error) { return LoadFS(os.DirFS(dir)) }

// LoadFS reads an organisation from a file system whose files can be sought in, such as an embedded one.
func LoadFS(files fs.FS) (*Data, error) {
	o, err := organisation.Read(files)
	if err != nil {
		return nil, err
	}
	return Of(o)
}

// Generate makes up a tenant. The same Spec gives the same one, with the same ids.
func Generate(s organisation.Spec) *Data {
	d, err := Of(organisation.Generate(s))
	if err != nil {
		panic(err) // a generated organisation is sound
	}
	return d
}

// Of returns what Microsoft 365 holds of an organisation. The same one gives the same ids. One that was generated has made-up contacts and
// tasks in the Spec's numbers, with all that Outlook knows, in place of those that Google would hold.
func Of(o *organisation.Organisation) (*Data, error) {
	l := &loader{data: NewData(o.Domain), keys: map[string]placed{}}
	l.data.Now = func() time.Time { return time.Date(2024, 6, 3, 8, 0, 0, 0, time.UTC) }
	for _, u := range o.Users {
		if u.Deleted {
			continue // in the directory's bin, where Graph shows it to nobody
		}
		if err := l.data.AddUser(userOf(u)); err != nil {
			return nil, fmt.Errorf("load organisation: %w", err)
		}
	}
	for _, u := range o.Users {
		if u.Deleted {
			continue
		}
		err := l.user(u)
		if err == nil && o.Made == nil {
			err = l.people(u)
		}
		if err != nil {
			return nil, fmt.Errorf("load %s: %w", u.Email, err)
		}
	}
	if o.Made != nil {
		if err := l.data.makeUp(*o.Made); err != nil {
			return nil, fmt.Errorf("load organisation: %w", err)
		}
	}
	for _, s := range o.Drives {
		id := l.data.AddSite(s.Name, "sites/"+strings.ToLower(strings.ReplaceAll(s.Name, " ", "-")), "Documents")
		if err := l.files(id, "", s.Files); err != nil {
			return nil, fmt.Errorf("load site %s: %w", s.Name, err)
		}
	}
	for _, do := range l.later {
		if err := do(); err != nil {
			return nil, fmt.Errorf("load organisation: %w", err)
		}
	}
	l.data.Now = time.Now
	l.data.settle()
	return l.data, nil
}

// mailboxZone is the time zone of all mailboxes that are loaded, as Outlook names it.
const mailboxZone = "W. Europe Standard Time"

// userOf turns an archived account into one whose licence was taken, and a suspended one into one whose sign-in is blocked.
func userOf(u *organisation.User) User {
	return User{Email: u.Email, GivenName: u.Given, FamilyName: u.Family, Aliases: u.Aliases, Disabled: u.Suspended, Unlicensed: u.Archived,
		NoMailbox: u.NoMailbox || u.Archived, NoDrive: u.Archived, TimeZone: mailboxZone}
}

type placed struct{ drive, id string }

// loader puts a tenant together. What refers to something that may come later waits until the end.
type loader struct {
	data  *Data
	keys  map[string]placed
	later []func() error
}

func (l *loader) user(u *organisation.User) error {
	if u.Archived {
		return nil
	}
	if err := l.files(l.data.DriveID(u.Email), "", u.Files); err != nil {
		return err
	}
	if u.NoMailbox {
		return nil
	}
	for _, m := range u.Messages {
		if err := l.message(u.Email, m); err != nil {
			return fmt.Errorf("%s: %w", m.File, err)
		}
	}
	for _, c := range u.Calendars {
		if err := l.calendar(u, c); err != nil {
			return fmt.Errorf("calendar %s: %w", c.ID, err)
		}
	}
	return nil
}

// message puts a mail into the folder of its first label; the other labels become categories.
func (l *loader) message(email string, m organisation.Message) error {
	out := Message{Raw: m.Raw, Received: m.Date.Time}
	folder, own := "", ""
	for _, label := range m.Labels {
		switch label {
		case "CHAT":
			return nil // Teams keeps chats, and no mailbox
		case "UNREAD":
			out.Unread = true
		case "STARRED":
			out.Flagged = true
		case "IMPORTANT":
			out.Important = true
		case "DRAFT":
			folder, out.Draft = "drafts", true
		case "INBOX", "SENT", "SPAM", "TRASH":
			folder = map[string]string{"INBOX": "inbox", "SENT": "sentitems", "SPAM": "junkemail", "TRASH": "deleteditems"}[label]
		default:
			if strings.HasPrefix(label, "CATEGORY_") {
				continue
			}
			if own == "" {
				own = label
			} else {
				out.Categories = append(out.Categories, label)
			}
		}
	}
	switch {
	case own != "" && (folder == "" || folder == "inbox"):
		folder = own
	case own != "":
		out.Categories = append(out.Categories, own)
	case folder == "":
		folder = "archive"
	}
	id, err := l.data.Folder(email, folder)
	if err == nil {
		_, err = l.data.AddMessage(email, id, out)
	}
	return err
}

func (l *loader) calendar(u *organisation.User, c organisation.Calendar) error {
	id := ""
	if c.ID != "primary" {
		var err error
		if id, err = l.data.AddCalendar(u.Email, Calendar{Name: c.Summary}); err != nil {
			return err
		}
	}
	for _, s := range c.Subscribers {
		l.later = append(l.later, func() error {
			_, err := l.data.AddCalendar(s["email"], Calendar{Name: c.Summary, Owner: u.Email})
			return err
		})
	}
	series := map[string]string{}
	for i, e := range c.Events {
		raw, err := json.Marshal(e)
		if err == nil {
			err = l.data.ImportEvent(u.Email, id, c.TimeZone, raw, series)
		}
		if err != nil {
			return fmt.Errorf("event %d: %w", i+1, err)
		}
	}
	return nil
}

// settle forgets how the tenant came about.
func (d *Data) settle() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.drives {
		v.log = nil
	}
	for _, u := range d.users {
		for _, f := range u.mail.folders {
			f.log = nil
		}
		for _, f := range u.contacts.folders {
			f.log = nil
		}
		for _, l := range u.todo.lists {
			l.log = nil
		}
	}
}

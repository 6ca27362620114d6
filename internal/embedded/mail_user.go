package embedded

import (
	"maps"
	"slices"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// mailUser is the library's user and what the library does not keep of a mailbox.
type mailUser struct {
	*imapmemserver.User
	password string

	mutex sync.Mutex
	boxes map[string]*boxInfo // by name: the same mailboxes as the library's
}

type boxInfo struct {
	use        []imap.MailboxAttr
	subscribed bool
}

func newMailUser(user User) *mailUser {
	return &mailUser{User: imapmemserver.NewUser(user.Name, user.Password), password: user.Password, boxes: map[string]*boxInfo{}}
}

func (u *mailUser) create(name string, use []imap.MailboxAttr) error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if err := u.User.Create(name, nil); err != nil {
		return err
	}
	u.boxes[name] = &boxInfo{use: use}
	return nil
}

func (u *mailUser) remove(name string) error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if err := u.User.Delete(name); err != nil {
		return err
	}
	delete(u.boxes, name)
	return nil
}

func (u *mailUser) rename(from, to string) error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if err := u.User.Rename(from, to, nil); err != nil {
		return err
	}
	u.boxes[to] = u.boxes[from]
	delete(u.boxes, from)
	return nil
}

// change edits what is kept of a mailbox.
func (u *mailUser) change(name string, edit func(*boxInfo)) error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	box := u.boxes[name]
	if box == nil {
		return &imap.Error{Type: imap.StatusResponseTypeNo, Code: imap.ResponseCodeNonExistent, Text: "no such mailbox"}
	}
	edit(box)
	return nil
}

// list returns the mailboxes that match, in the order of their names. Special
// uses are always shown, as RFC 6154 §2 permits.
func (u *mailUser) list(ref string, patterns []string, options *imap.ListOptions) []imap.ListData {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	var all []imap.ListData
	for _, name := range slices.Sorted(maps.Keys(u.boxes)) {
		box := u.boxes[name]
		matches := slices.ContainsFunc(patterns, func(pattern string) bool { return imapserver.MatchList(name, '/', ref, pattern) })
		if !matches || options.SelectSubscribed && !box.subscribed || options.SelectSpecialUse && len(box.use) == 0 {
			continue
		}
		data := imap.ListData{Mailbox: name, Delim: '/', Attrs: slices.Clone(box.use)}
		if box.subscribed {
			data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
		}
		all = append(all, data)
	}
	return all
}

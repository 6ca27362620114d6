package google

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ContactGroup is a label of contacts.
type ContactGroup struct {
	ID   string // chosen when empty; the resource name is contactGroups/ID
	Name string
}

// systemGroups are the groups that every account has.
func systemGroups() []ContactGroup {
	return []ContactGroup{{"myContacts", "My Contacts"}, {"starred", "Starred"}, {"friends", "Friends"}, {"family", "Family"}, {"coworkers", "Coworkers"},
		{"blocked", "Blocked"}, {"chatBusy", "Chat contacts"}, {"all", "All contacts"}}
}

// addressBook is what the People API has of a user.
type addressBook struct {
	contacts, others, groups *book
	made                     int // resources whose id was chosen
}

func newAddressBook() addressBook {
	a := addressBook{contacts: newBook(), others: newBook(), groups: newBook()}
	for _, g := range systemGroups() {
		name := "contactGroups/" + g.ID
		a.groups.put(name, object{{"resourceName", name}, {"groupType", "SYSTEM_CONTACT_GROUP"}, {"name", g.ID}, {"formattedName", g.Name}}, false)
	}
	return a
}

// nextID makes an identifier that the user has not had yet.
func (a *addressBook) nextID(kind, email string) string {
	a.made++
	return fmt.Sprintf("%d", binary.BigEndian.Uint64(hashOf(kind, email, fmt.Sprint(a.made)))>>1)
}

// of gives the book that has resources of such a name.
func (a *addressBook) of(resourceName string) *book {
	switch {
	case strings.HasPrefix(resourceName, "otherContacts/"):
		return a.others
	case strings.HasPrefix(resourceName, "contactGroups/"):
		return a.groups
	}
	return a.contacts
}

func (d *Data) withAddressBook(op, email string, edit func(*user, *addressBook) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err == nil {
		err = edit(u, &u.people)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// AddContact adds a contact as the People API writes it and gives its resource name. What every contact has and this one lacks is made
// up: the resource name, display names, the metadata, the membership in myContacts and an avatar. A photo with the url generate:SIZE (such
// as generate:300KB) becomes an image of at least that size on the simulator itself. A contact whose metadata says deleted is a tombstone.
func (d *Data) AddContact(email string, person json.RawMessage) (string, error) {
	return d.addPerson("add contact", email, "people/c", person)
}

// AddOtherContact adds a person whom the user has only exchanged mail with, in the same way.
func (d *Data) AddOtherContact(email string, person json.RawMessage) (string, error) {
	return d.addPerson("add other contact", email, "otherContacts/c", person)
}

func (d *Data) addPerson(op, email, prefix string, person json.RawMessage) (string, error) {
	body, err := parseObject(person)
	if err != nil {
		return "", fmt.Errorf("%s: %w", op, err)
	}
	name := ""
	err = d.withAddressBook(op, email, func(u *user, a *addressBook) error {
		if body.text("resourceName") == "" {
			body = body.with("resourceName", prefix+a.nextID(prefix, u.Email))
		}
		name = body.text("resourceName")
		if !strings.HasPrefix(name, prefix[:len(prefix)-1]) || a.of(name).items[name] != nil {
			return fmt.Errorf("%q is no new resource name", name)
		}
		return d.putPerson(a, name, body)
	})
	return name, err
}

// UpdateContact merges members into a contact or other contact; null removes one.
func (d *Data) UpdateContact(email, resourceName string, patch json.RawMessage) error {
	changes, err := parseObject(patch)
	if err != nil {
		return fmt.Errorf("update contact: %w", err)
	}
	return d.withAddressBook("update contact", email, func(_ *user, a *addressBook) error {
		item, err := a.of(resourceName).get(resourceName)
		if err != nil {
			return err
		}
		body := item.body
		for _, m := range changes {
			body = body.with(m.name, m.value)
		}
		return d.putPerson(a, resourceName, body)
	})
}

// DeleteContact deletes a contact, other contact or contact group. Contacts lose their membership in a group that is deleted.
func (d *Data) DeleteContact(email, resourceName string) error {
	return d.withAddressBook("delete contact", email, func(_ *user, a *addressBook) error {
		b := a.of(resourceName)
		item, err := b.get(resourceName)
		if err != nil {
			return err
		}
		if b != a.groups {
			return d.putPerson(a, resourceName, item.body.with("metadata", item.body.child("metadata").with("deleted", true)))
		}
		if item.body.text("groupType") != "USER_CONTACT_GROUP" {
			return fmt.Errorf("%s is a system group", resourceName)
		}
		for _, p := range a.contacts.live() {
			if kept := leave(p.body, resourceName); kept != nil {
				if err := d.putPerson(a, p.id, p.body.with("memberships", kept)); err != nil {
					return err
				}
			}
		}
		b.put(resourceName, object{{"resourceName", resourceName}, {"metadata", object{{"deleted", true}}}}, true)
		return nil
	})
}

// leave gives the memberships of a person without those in a group, and nil when there are none in it.
func leave(person object, group string) []any {
	all, _ := person.get("memberships").([]any)
	kept := slices.DeleteFunc(slices.Clone(all), func(m any) bool { return groupOf(m) == group })
	if len(kept) == len(all) {
		return nil
	}
	return kept
}

// groupOf gives the resource name of the group of a membership.
func groupOf(membership any) string {
	m, _ := membership.(object)
	in := m.child("contactGroupMembership")
	if name := in.text("contactGroupResourceName"); name != "" || in == nil {
		return name
	}
	return "contactGroups/" + in.text("contactGroupId")
}

// AddContactGroup adds a group of the user's own and gives its resource name.
func (d *Data) AddContactGroup(email string, g ContactGroup) (string, error) {
	err := d.withAddressBook("add contact group", email, func(u *user, a *addressBook) error {
		if g.ID == "" {
			g.ID = fmt.Sprintf("%x", hashOf("contact group", u.Email, a.nextID("group", u.Email))[:8])
		}
		if a.groups.items["contactGroups/"+g.ID] != nil {
			return fmt.Errorf("id %s exists", g.ID)
		}
		d.putGroup(a, "contactGroups/"+g.ID, g.Name)
		return nil
	})
	return "contactGroups/" + g.ID, err
}

// RenameContactGroup changes the name of a group of the user's own.
func (d *Data) RenameContactGroup(email, resourceName, name string) error {
	return d.withAddressBook("rename contact group", email, func(_ *user, a *addressBook) error {
		item, err := a.groups.get(resourceName)
		if err == nil && item.body.text("groupType") != "USER_CONTACT_GROUP" {
			err = fmt.Errorf("%s is a system group", resourceName)
		}
		if err == nil {
			d.putGroup(a, resourceName, name)
		}
		return err
	})
}

func (d *Data) putGroup(a *addressBook, resourceName, name string) {
	a.groups.put(resourceName, object{{"resourceName", resourceName}, {"etag", personTag(resourceName, a.groups.serial+1)},
		{"metadata", object{{"updateTime", d.Now().UTC().Format(time.RFC3339Nano)}}},
		{"groupType", "USER_CONTACT_GROUP"}, {"name", name}, {"formattedName", name}}, false)
}

// Contacts gives the contacts of a user, as JSON of the People API, in the order of their latest changes.
func (d *Data) Contacts(email string) []json.RawMessage {
	return d.persons(email, func(a *addressBook) *book { return a.contacts })
}

// OtherContacts gives the other contacts in the same way.
func (d *Data) OtherContacts(email string) []json.RawMessage {
	return d.persons(email, func(a *addressBook) *book { return a.others })
}

func (d *Data) persons(email string, of func(*addressBook) *book) []json.RawMessage {
	out := []json.RawMessage{}
	_ = d.withAddressBook("contacts", email, func(_ *user, a *addressBook) error {
		for _, item := range of(a).live() {
			out = append(out, appendObject(nil, item.body, nil))
		}
		return nil
	})
	return out
}

// ExpireContactTokens makes every sync token of a user's contacts, other contacts and groups that was handed out so far invalid.
func (d *Data) ExpireContactTokens(email string) error {
	return d.withAddressBook("expire", email, func(_ *user, a *addressBook) error {
		for _, b := range []*book{a.contacts, a.others, a.groups} {
			b.expire()
		}
		return nil
	})
}

// putPerson completes a person and stores it with a new tag and time.
func (d *Data) putPerson(a *addressBook, name string, body object) error {
	b := a.of(name)
	body = body.with("resourceName", name).with("etag", personTag(name, b.serial+1))
	metadata := body.child("metadata")
	deleted := metadata.get("deleted") == true
	source := object{{"type", "CONTACT"}, {"id", sourceID(name)}}
	if b == a.others {
		source = source.with("type", "OTHER_CONTACT")
	}
	if list, _ := metadata.get("sources").([]any); len(list) > 0 {
		if first, ok := list[0].(object); ok {
			source = first
		}
	}
	plain := object{{"type", source.text("type")}, {"id", source.text("id")}}
	source = source.with("etag", "#"+personTag(name+"#", b.serial+1)[1:]).with("updateTime", d.Now().UTC().Format(time.RFC3339Nano))
	body = body.with("metadata", metadata.with("sources", []any{source}).or("objectType", "PERSON"))
	if !deleted {
		if b == a.contacts {
			body = body.or("memberships", []any{fillMembership(object{{"contactGroupMembership", object{{"contactGroupId", "myContacts"}}}})})
		}
		var err error
		if body, err = d.fillPerson(a, name, body, plain); err != nil {
			return err
		}
	}
	b.put(name, body, deleted)
	return nil
}

// personTag makes an entity tag such as the People API has them.
func personTag(name string, number int) string {
	return "%" + base64.StdEncoding.EncodeToString(hashOf("person", name, fmt.Sprint(number))[:14])
}

// sourceID makes the hexadecimal id that contacts have besides their resource name.
func sourceID(name string) string { return fmt.Sprintf("%x", hashOf("source", name)[:8]) }

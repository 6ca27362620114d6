package microsoft

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// contactBook holds a user's contacts. The first folder is the default one, and all others are below it.
type contactBook struct {
	owner   string
	folders []*contactFolder
	byID    map[string]*entry // by both ids
	serial  int
}

type contactFolder struct {
	collection
	name   string
	parent *contactFolder // nil: it is the default folder
}

func (b *contactBook) init(owner string) {
	b.owner, b.byID = owner, map[string]*entry{}
	b.addFolder("Kontakte", nil) // this mailbox speaks German
}

func (b *contactBook) addFolder(name string, parent *contactFolder) *contactFolder {
	b.serial++
	f := &contactFolder{name: name, parent: parent}
	f.id = "AAMkADcontacts" + base64.URLEncoding.EncodeToString(hashOf(b.owner, "contacts", fmt.Sprint(b.serial)))
	b.folders = append(b.folders, f)
	return f
}

// find returns a folder by its id, and the default one by the well-known name and by the empty one.
func (b *contactBook) find(id string) *contactFolder {
	if id == "" || strings.EqualFold(id, "contacts") {
		return b.folders[0]
	}
	for _, f := range b.folders {
		if f.id == id {
			return f
		}
	}
	return nil
}

// names are those of the folders from the default one, which is not among them, to f.
func (f *contactFolder) names() []string {
	if f.parent == nil {
		return nil
	}
	return append(f.parent.names(), f.name)
}

func (b *contactBook) below(parent *contactFolder, name string) *contactFolder {
	for _, f := range b.folders {
		if f.parent == parent && f.name == name {
			return f
		}
	}
	return nil
}

// ContactFolder returns the id of a folder of contacts by names with slashes between them; what is not there is made. The empty path is
// the default folder, and every other path begins below it.
func (d *Data) ContactFolder(email, path string) (id string, err error) {
	err = d.withUser("contact folder", email, func(u *user) error {
		at := u.contacts.folders[0]
		for name := range strings.SplitSeq(path, "/") {
			if name == "" {
				continue
			}
			next := u.contacts.below(at, name)
			if next == nil {
				next = u.contacts.addFolder(name, at)
			}
			at = next
		}
		id = at.id
		return nil
	})
	return id, err
}

// RenameContactFolder gives a folder of contacts another name.
func (d *Data) RenameContactFolder(email, id, name string) error {
	return d.withContactFolder("rename contact folder", email, id, func(_ *contactBook, f *contactFolder) error {
		f.name = name
		return nil
	})
}

// DeleteContactFolder removes a folder with its contacts and the folders below. The default one stays.
func (d *Data) DeleteContactFolder(email, id string) error {
	return d.withContactFolder("delete contact folder", email, id, func(b *contactBook, f *contactFolder) error {
		if f.parent == nil {
			return fmt.Errorf("it is the default folder")
		}
		b.remove(f)
		return nil
	})
}

func (b *contactBook) remove(f *contactFolder) {
	for _, other := range slices.Clone(b.folders) {
		if other.parent == f {
			b.remove(other)
		}
	}
	for _, e := range f.entries {
		delete(b.byID, e.id)
		delete(b.byID, e.plain())
	}
	b.folders = slices.DeleteFunc(b.folders, func(x *contactFolder) bool { return x == f })
}

func (d *Data) withContactFolder(op, email, id string, do func(*contactBook, *contactFolder) error) error {
	return d.withUser(op, email, func(u *user) error {
		f := u.contacts.find(id)
		if f == nil {
			return fmt.Errorf("no contact folder %s", id)
		}
		return do(&u.contacts, f)
	})
}

// AddContact adds a contact as Graph writes it to a folder and gives its immutable id; the empty folder id is the default folder. What
// every contact has and this one lacks is made up or null.
func (d *Data) AddContact(email, folderID string, body json.RawMessage) (id string, err error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return "", fmt.Errorf("add contact: %w", err)
	}
	err = d.withContactFolder("add contact", email, folderID, func(b *contactBook, f *contactFolder) error {
		b.serial++
		e := &entry{id: "AAkALgContact" + base64.URLEncoding.EncodeToString(hashOf(b.owner, "contact", fmt.Sprint(b.serial))), body: o}
		for _, name := range []string{"createdDateTime", "lastModifiedDateTime"} {
			if o[name] == nil {
				o[name] = stamp(d.Now())
			}
		}
		completeContact(o)
		f.enter(e, b.serial)
		b.byID[e.id], b.byID[e.plain()] = e, e
		id = e.id
		return nil
	})
	return id, err
}

// completeContact adds what Exchange would have added.
func completeContact(o object) {
	for _, name := range []string{"assistantName", "birthday", "businessHomePage", "companyName", "department", "generation", "givenName", "initials",
		"jobTitle", "manager", "middleName", "mobilePhone", "nickName", "officeLocation", "profession", "spouseName", "surname", "title",
		"yomiCompanyName", "yomiGivenName", "yomiSurname"} {
		if _, there := o[name]; !there {
			o[name] = nil
		}
	}
	for _, name := range []string{"businessPhones", "categories", "children", "emailAddresses", "homePhones", "imAddresses"} {
		if o[name] == nil {
			o[name] = []any{}
		}
	}
	for _, name := range []string{"businessAddress", "homeAddress", "otherAddress"} {
		if o[name] == nil {
			o[name] = object{}
		}
	}
	given, family, company := o.text("givenName"), o.text("surname"), o.text("companyName")
	display, file := strings.Trim(given+" "+family, " "), strings.Trim(family+", "+given, ", ")
	if display == "" {
		display, file = company, company
	}
	for name, value := range map[string]string{"displayName": display, "fileAs": file, "personalNotes": ""} {
		if o[name] == nil {
			o[name] = value
		}
	}
}

// contact renders a contact (learn.microsoft.com/graph/api/resources/contact).
func (e *entry) contact(immutable bool) object {
	o := e.body.with("id", e.plain())
	if immutable {
		o["id"] = e.id
	}
	o["changeKey"], o["@odata.etag"], o["parentFolderId"] = e.etag(), `W/"`+e.etag()+`"`, e.in.id
	addresses, _ := e.body["emailAddresses"].([]any)
	for i, name := range []string{"primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress"} {
		o[name] = nil
		if i < len(addresses) {
			o[name] = addresses[i]
		}
	}
	return o
}

// ChangeContact merges members into a contact; null empties one.
func (d *Data) ChangeContact(email, id string, patch json.RawMessage) error {
	return d.withContact("change contact", email, id, func(_ *contactBook, e *entry) error {
		changed := e.body.with("lastModifiedDateTime", stamp(d.Now()))
		if err := merge(changed, patch); err != nil {
			return err
		}
		completeContact(changed)
		e.body = changed
		e.note()
		return nil
	})
}

// SetPhoto gives a contact a picture, a JPEG; nil takes it away.
func (d *Data) SetPhoto(email, id string, jpeg []byte) error {
	picture := func() []byte { return jpeg }
	if jpeg == nil {
		picture = nil
	}
	return d.setPhoto(email, id, picture)
}

// setPhoto has the picture made whenever somebody asks for it.
func (d *Data) setPhoto(email, id string, picture func() []byte) error {
	return d.withContact("set photo", email, id, func(_ *contactBook, e *entry) error {
		e.photo = picture
		e.body["lastModifiedDateTime"] = stamp(d.Now())
		e.note()
		return nil
	})
}

// MoveContact puts a contact into another folder. Its immutable id stays.
func (d *Data) MoveContact(email, id, folderID string) error {
	return d.withContact("move contact", email, id, func(b *contactBook, e *entry) error {
		to := b.find(folderID)
		if to == nil {
			return fmt.Errorf("no contact folder %s", folderID)
		}
		delete(b.byID, e.plain())
		e.leave()
		b.serial++
		to.enter(e, b.serial)
		b.byID[e.plain()] = e
		return nil
	})
}

// DeleteContact removes a contact for good.
func (d *Data) DeleteContact(email, id string) error {
	return d.withContact("delete contact", email, id, func(b *contactBook, e *entry) error {
		delete(b.byID, e.id)
		delete(b.byID, e.plain())
		e.leave()
		return nil
	})
}

func (d *Data) withContact(op, email, id string, do func(*contactBook, *entry) error) error {
	return d.withUser(op, email, func(u *user) error {
		e := u.contacts.byID[id]
		if e == nil {
			return fmt.Errorf("no contact %s", id)
		}
		return do(&u.contacts, e)
	})
}

// ContactInfo is a contact of a mailbox.
type ContactInfo struct {
	ID     string          // immutable
	Folder []string        // names below the default folder; none: it is in that one
	Body   json.RawMessage // as Graph gives it
	Photo  []byte          // nil: none
}

// Contacts gives all contacts of a mailbox, in the order of arrival in their folders.
func (d *Data) Contacts(email string) (out []ContactInfo) {
	_ = d.withUser("contacts", email, func(u *user) error {
		for _, f := range u.contacts.folders {
			for _, e := range f.entries {
				info := ContactInfo{ID: e.id, Folder: f.names(), Body: encode(e.contact(true))}
				if e.photo != nil {
					info.Photo = e.photo()
				}
				out = append(out, info)
			}
		}
		return nil
	})
	return out
}

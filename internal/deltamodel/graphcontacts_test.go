package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// graphContacts are the contact folders of a mailbox at Microsoft.
type graphContacts struct {
	graphSim
	folders map[string]string // ids by path; the main one is ""
	made    int
	moved   int // contacts since the last pass
}

// again implements repeater: what left a folder and came back is taken away and written anew where a page lies between.
func (w *graphContacts) again() (n int) {
	n, w.moved = w.moved, 0
	return n
}

func openGraphContacts(b *bench, d *dice) world {
	w := &graphContacts{graphSim: b.startMicrosoft(), folders: map[string]string{}}
	w.folders[""] = value(w.data.ContactFolder(user, ""))
	for range 2 {
		w.editFolder(d)
	}
	return shelve(b, "contacts", w, func(ctx context.Context) ([]opened[sources.Contact], error) {
		c := w.connect()
		list, err := microsoft.ContactFolders(ctx, c, user)
		return each(list, func(at sources.Collection) sources.Source[sources.Contact] { return microsoft.Contacts(c, user, at.ID) }), err
	}, moveContacts, readCard)
}

func (w *graphContacts) expire() { w.data.ExpireTokens() }

// graphContact is what the oracle reads of Graph's JSON.
type graphContact struct {
	DisplayName, GivenName, Surname, NickName, MobilePhone, CompanyName, PersonalNotes, Birthday string
	BusinessPhones, Categories                                                                   []string
	EmailAddresses                                                                               []struct{ Address string }
}

func (w *graphContacts) truth() map[string]objects {
	out := map[string]objects{}
	for _, id := range w.folders {
		out[id] = objects{}
	}
	for _, info := range w.data.Contacts(user) {
		var v graphContact
		must(json.Unmarshal(info.Body, &v))
		c := card{shown: v.DisplayName, family: v.Surname, given: v.GivenName, company: v.CompanyName, note: v.PersonalNotes, phones: v.BusinessPhones,
			groups: v.Categories, photo: info.Photo}
		if v.Birthday != "" {
			c.birthday = v.Birthday[:10]
		}
		if v.MobilePhone != "" {
			c.phones = append(c.phones, v.MobilePhone)
		}
		if v.NickName != "" {
			c.nicknames = []string{v.NickName}
		}
		for _, e := range v.EmailAddresses {
			c.mails = append(c.mails, e.Address)
		}
		out[w.folders[strings.Join(info.Folder, "/")]][uid("contact", info.ID)] = object{facts: c.text(), raw: string(info.Body) + digest(info.Photo)}
	}
	return out
}

func (w *graphContacts) edit(d *dice) string {
	all := w.data.Contacts(user)
	folder := w.folders[pick(d, slices.Sorted(maps.Keys(w.folders)))]
	if len(all) < 5 || d.IntN(7) == 0 && len(all) < 40 {
		return "new contact " + value(w.data.AddContact(user, folder, fmt.Appendf(nil, `{"givenName": %q, "surname": %q, "mobilePhone": "+49 170 %d"}`, word(d), word(d), d.IntN(1e6))))
	}
	if d.IntN(25) == 0 {
		return w.editFolder(d)
	}
	id := pick(d, all).ID
	switch d.IntN(9) {
	case 0:
		return w.patch(id, fmt.Sprintf(`{"displayName": %q, "surname": %q}`, word(d), word(d)))
	case 1:
		return w.patch(id, pick(d, []string{`{"mobilePhone": null, "businessPhones": []}`, fmt.Sprintf(`{"businessPhones": ["%d", "+1 %d"]}`, d.IntN(1e6), d.IntN(1e6))}))
	case 2:
		return w.patch(id, pick(d, []string{`{"emailAddresses": []}`, fmt.Sprintf(`{"emailAddresses": [{"address": "a%d@example.net"}]}`, d.IntN(1e6))}))
	case 3:
		return w.patch(id, pick(d, []string{`{"categories": [], "nickName": null}`, fmt.Sprintf(`{"categories": ["Red, green", %q], "nickName": %q}`, word(d), word(d))}))
	case 4:
		return w.patch(id, pick(d, []string{`{"companyName": null, "birthday": null, "personalNotes": null}`,
			fmt.Sprintf(`{"companyName": %q, "personalNotes": %q, "birthday": "19%02d-03-%02dT00:00:00Z"}`, word(d), word(d)+"\nmore", 50+d.IntN(50), 1+d.IntN(28))}))
	case 5:
		must(w.data.SetPhoto(user, id, msim.Photo(d.Uint64(), 500+d.IntN(5000))))
		return "photo of " + id
	case 6:
		must(w.data.SetPhoto(user, id, nil))
		return "no photo of " + id
	case 7:
		if w.in(id) == folder {
			return ""
		}
		w.moved++
		must(w.data.MoveContact(user, id, folder))
		return "moved " + id + " to " + folder
	}
	must(w.data.DeleteContact(user, id))
	return "deleted " + id
}

// in is the folder of a contact.
func (w *graphContacts) in(id string) string {
	for _, info := range w.data.Contacts(user) {
		if info.ID == id {
			return w.folders[strings.Join(info.Folder, "/")]
		}
	}
	return ""
}

func (w *graphContacts) patch(id, body string) string {
	must(w.data.ChangeContact(user, id, []byte(body)))
	return id + ": " + body
}

// editFolder makes, renames and deletes folders. Those within others keep those above.
func (w *graphContacts) editFolder(d *dice) string {
	var paths []string
	for _, p := range slices.Sorted(maps.Keys(w.folders)) {
		if p != "" {
			paths = append(paths, p)
		}
	}
	if len(paths) < 2 || d.IntN(3) == 0 && len(paths) < 5 {
		w.made++
		path := fmt.Sprintf("Folder %d", w.made)
		if len(paths) > 0 && d.IntN(2) == 0 {
			path = paths[0] + "/" + path
		}
		w.folders[path] = value(w.data.ContactFolder(user, path))
		return "new folder " + path
	}
	path := pick(d, paths)
	for _, other := range paths {
		if strings.HasPrefix(other, path+"/") {
			return ""
		}
	}
	id := w.folders[path]
	delete(w.folders, path)
	if d.IntN(2) == 0 {
		must(w.data.DeleteContactFolder(user, id))
		return "folder deleted " + path
	}
	w.made++
	name := fmt.Sprintf("Renamed %d", w.made)
	must(w.data.RenameContactFolder(user, id, name))
	w.folders[path[:strings.LastIndexByte(path, '/')+1]+name] = id
	return "folder renamed " + path + " to " + name
}

package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// graphContacts are the contact folders of a mailbox at Microsoft.
type graphContacts struct {
	data    *msim.Data
	client  *microsoft.Client
	folders map[string]string // ids by path; the main one is ""
	made    int
	moved   int // contacts since the last pass
}

// again implements repeater: what left a folder and came back is taken away and written anew where a page lies between.
func (w *graphContacts) again() (n int) {
	n, w.moved = w.moved, 0
	return n
}

func newGraphContacts(g *rig, seed uint64) world {
	data := microsoftData(g.t, seed)
	o := msim.Options{PageSize: pick(g.r, []int{0, 0, 3, 9})}
	g.paged = o.PageSize > 0
	w := &graphContacts{data: data, folders: map[string]string{}}
	w.folders[""] = added(data.ContactFolder(user, ""))
	w.client, g.provider = startMicrosoft(g.t, data, o, g.wire, g.r)
	return w
}

func (w *graphContacts) collections(ctx context.Context) ([]sources.Collection, error) {
	return microsoft.ContactFolders(ctx, w.client, user)
}

func (w *graphContacts) move(ctx context.Context, g *rig, c sources.Collection, l checkpoint.Ledger) error {
	return moveContacts(ctx, g, forgetful[sources.Contact]{microsoft.Contacts(w.client, user, c.ID), &g.forget}, c, l)
}

func (w *graphContacts) read(body []byte) (string, error) { return readCard(body) }

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
		done(json.Unmarshal(info.Body, &v))
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

func (w *graphContacts) edit(r *rand.Rand) string {
	all := w.data.Contacts(user)
	folder := w.folders[pick(r, sortedNames(w.folders))]
	if len(all) < 5 || r.IntN(7) == 0 && len(all) < 40 {
		return "new contact " + added(w.data.AddContact(user, folder, fmt.Appendf(nil, `{"givenName": %q, "surname": %q, "mobilePhone": "+49 170 %d"}`, word(r), word(r), r.IntN(1e6))))
	}
	if r.IntN(25) == 0 {
		return w.editFolder(r)
	}
	id := pick(r, all).ID
	switch r.IntN(9) {
	case 0:
		return w.patch(id, fmt.Sprintf(`{"displayName": %q, "surname": %q}`, word(r), word(r)))
	case 1:
		return w.patch(id, pick(r, []string{`{"mobilePhone": null, "businessPhones": []}`, fmt.Sprintf(`{"businessPhones": ["%d", "+1 %d"]}`, r.IntN(1e6), r.IntN(1e6))}))
	case 2:
		return w.patch(id, pick(r, []string{`{"emailAddresses": []}`, fmt.Sprintf(`{"emailAddresses": [{"address": "a%d@example.net"}]}`, r.IntN(1e6))}))
	case 3:
		return w.patch(id, pick(r, []string{`{"categories": [], "nickName": null}`, fmt.Sprintf(`{"categories": ["Red, green", %q], "nickName": %q}`, word(r), word(r))}))
	case 4:
		return w.patch(id, pick(r, []string{`{"companyName": null, "birthday": null, "personalNotes": null}`,
			fmt.Sprintf(`{"companyName": %q, "personalNotes": %q, "birthday": "19%02d-03-%02dT00:00:00Z"}`, word(r), word(r)+"\nmore", 50+r.IntN(50), 1+r.IntN(28))}))
	case 5:
		done(w.data.SetPhoto(user, id, msim.Photo(r.Uint64(), 500+r.IntN(5000))))
		return "photo of " + id
	case 6:
		done(w.data.SetPhoto(user, id, nil))
		return "no photo of " + id
	case 7:
		if w.in(id) == folder {
			return ""
		}
		w.moved++
		done(w.data.MoveContact(user, id, folder))
		return "moved " + id + " to " + folder
	}
	done(w.data.DeleteContact(user, id))
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
	done(w.data.ChangeContact(user, id, []byte(body)))
	return id + ": " + body
}

// editFolder makes, renames and deletes folders. Those within others keep those above.
func (w *graphContacts) editFolder(r *rand.Rand) string {
	var paths []string
	for _, p := range sortedNames(w.folders) {
		if p != "" {
			paths = append(paths, p)
		}
	}
	if len(paths) < 2 || r.IntN(3) == 0 && len(paths) < 5 {
		w.made++
		path := fmt.Sprintf("Folder %d", w.made)
		if len(paths) > 0 && r.IntN(2) == 0 {
			path = paths[0] + "/" + path
		}
		w.folders[path] = added(w.data.ContactFolder(user, path))
		return "new folder " + path
	}
	path := pick(r, paths)
	for _, other := range paths {
		if strings.HasPrefix(other, path+"/") {
			return ""
		}
	}
	id := w.folders[path]
	delete(w.folders, path)
	if r.IntN(2) == 0 {
		done(w.data.DeleteContactFolder(user, id))
		return "folder deleted " + path
	}
	w.made++
	name := fmt.Sprintf("Renamed %d", w.made)
	done(w.data.RenameContactFolder(user, id, name))
	w.folders[path[:strings.LastIndexByte(path, '/')+1]+name] = id
	return "folder renamed " + path + " to " + name
}

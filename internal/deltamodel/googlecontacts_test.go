package deltamodel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// digest names bytes; nothing has none.
func digest(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// googleContacts are the address book of a Google account, and the people whom the user only wrote to.
type googleContacts struct {
	googleSim
	groups   map[string]string // names by resource name
	pictures map[string][]byte // by address
}

func openGoogleContacts(b *bench, d *dice) world {
	w := &googleContacts{googleSim: b.startGoogle(gsim.Options{}), groups: map[string]string{}, pictures: map[string][]byte{}}
	for range 2 {
		w.editGroup(d)
	}
	return shelve(b, "contacts", w, func(ctx context.Context) ([]opened[sources.Contact], error) {
		c := w.connect()
		list := google.ContactCollections(true)
		return each(list, func(at sources.Collection) sources.Source[sources.Contact] { return google.Contacts(c, user, at.ID) }), nil
	}, moveContacts, readCard)
}

func (w *googleContacts) expire() { must(w.data.ExpireContactTokens(user)) }

// googlePerson is what the oracle reads of Google's JSON.
type googlePerson struct {
	ResourceName            string
	Names                   []struct{ DisplayName, FamilyName, GivenName string }
	PhoneNumbers, Nicknames []struct{ Value string }
	EmailAddresses          []struct{ Value string }
	Organizations           []struct{ Name string }
	Biographies             []struct{ Value string }
	Birthdays               []struct {
		Date struct{ Year, Month, Day int }
	}
	Memberships []struct {
		ContactGroupMembership struct{ ContactGroupResourceName string }
	}
	Photos []struct {
		URL     string
		Default bool
	}
}

func (w *googleContacts) truth() map[string]objects {
	out := map[string]objects{"contacts": {}, google.OtherContacts: {}}
	for _, raw := range w.data.Contacts(user) {
		p, o := w.object(raw)
		out["contacts"][uid("contact", p.ResourceName)] = o
	}
	for _, raw := range w.data.OtherContacts(user) {
		p, o := w.object(raw)
		out[google.OtherContacts][uid("contact", p.ResourceName)] = o
	}
	return out
}

func (w *googleContacts) object(raw json.RawMessage) (p googlePerson, o object) {
	must(json.Unmarshal(raw, &p))
	c := card{}
	if len(p.Names) > 0 {
		c.shown, c.family, c.given = p.Names[0].DisplayName, p.Names[0].FamilyName, p.Names[0].GivenName
	}
	for _, v := range p.PhoneNumbers {
		c.phones = append(c.phones, v.Value)
	}
	for _, v := range p.EmailAddresses {
		c.mails = append(c.mails, v.Value)
	}
	for _, v := range p.Nicknames {
		c.nicknames = append(c.nicknames, v.Value)
	}
	if len(p.Organizations) > 0 {
		c.company = p.Organizations[0].Name
	}
	if len(p.Biographies) > 0 {
		c.note = p.Biographies[0].Value
	}
	if len(p.Birthdays) > 0 {
		d := p.Birthdays[0].Date
		c.birthday = fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
	}
	for _, m := range p.Memberships {
		name := m.ContactGroupMembership.ContactGroupResourceName
		switch {
		case name == "contactGroups/starred":
			c.groups = append(c.groups, "Starred")
		case w.groups[name] != "":
			c.groups = append(c.groups, w.groups[name])
		}
	}
	for _, ph := range p.Photos {
		if !ph.Default {
			c.photo = w.picture(ph.URL)
		}
	}
	// A renamed group changes what is seen of a contact, and nothing in its JSON.
	return p, object{facts: c.text(), raw: string(raw) + fmt.Sprint(c.groups)}
}

// picture reads a picture in its full size.
func (w *googleContacts) picture(address string) []byte {
	at, _, _ := strings.Cut(address, "=s")
	if w.pictures[at] == nil {
		if strings.HasPrefix(at, "/") {
			w.pictures[at] = download(strings.TrimSuffix(w.root, "/") + at + "=s0")
		} else {
			w.pictures[at] = download(at + "=s0")
		}
	}
	return w.pictures[at]
}

func download(address string) []byte {
	res, err := http.Get(address)
	must(err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	must(err)
	if res.StatusCode != http.StatusOK {
		panic(res.Status)
	}
	return body
}

func (w *googleContacts) edit(d *dice) string {
	contacts := w.data.Contacts(user)
	if len(contacts) < 3 || d.IntN(7) == 0 && len(contacts) < 30 {
		return "new contact " + value(w.data.AddContact(user, fmt.Appendf(nil, `{"names": [{"givenName": %q, "familyName": %q}], "phoneNumbers": [{"value": "+49 30 %d"}]}`,
			word(d), word(d), d.IntN(1e6))))
	}
	var p googlePerson
	others := w.data.OtherContacts(user)
	if d.IntN(8) == 0 {
		if len(others) < 3 || d.IntN(3) == 0 && len(others) < 10 {
			return "new other contact " + value(w.data.AddOtherContact(user, fmt.Appendf(nil, `{"names": [{"givenName": %q}], "emailAddresses": [{"value": "o%d@example.net"}]}`,
				word(d), d.IntN(1e6))))
		}
		must(json.Unmarshal(pick(d, others), &p))
		if d.IntN(2) == 0 {
			return w.patch(p, fmt.Sprintf(`{"names": [{"givenName": %q}]}`, word(d)))
		}
		must(w.data.DeleteContact(user, p.ResourceName))
		return "deleted " + p.ResourceName
	}
	must(json.Unmarshal(pick(d, contacts), &p))
	switch d.IntN(12) {
	case 0:
		return w.patch(p, fmt.Sprintf(`{"names": [{"givenName": %q, "familyName": %q}]}`, word(d), word(d)))
	case 1:
		return w.patch(p, pick(d, []string{`{"phoneNumbers": null}`, fmt.Sprintf(`{"phoneNumbers": [{"value": "%d", "type": "work"}, {"value": "+1 %d"}]}`, d.IntN(1e6), d.IntN(1e6))}))
	case 2:
		return w.patch(p, pick(d, []string{`{"emailAddresses": null}`, fmt.Sprintf(`{"emailAddresses": [{"value": "a%d@example.net"}, {"value": "b%d@example.net"}]}`, d.IntN(1e6), d.IntN(1e6))}))
	case 3:
		return w.patch(p, pick(d, []string{`{"biographies": null}`, fmt.Sprintf(`{"biographies": [{"value": %q, "contentType": "TEXT_PLAIN"}]}`, word(d)+"\nmore")}))
	case 4:
		return w.patch(p, pick(d, []string{`{"organizations": null, "birthdays": null}`, fmt.Sprintf(`{"organizations": [{"name": %q}], "birthdays": [{"date": {"year": %d, "month": 2, "day": %d}}]}`,
			word(d), 1950+d.IntN(50), 1+d.IntN(28))}))
	case 5:
		return w.patch(p, pick(d, []string{`{"nicknames": null}`, fmt.Sprintf(`{"nicknames": [{"value": %q}]}`, word(d))}))
	case 6, 7:
		return w.patch(p, pick(d, []string{`{"photos": null}`, fmt.Sprintf(`{"photos": [{"url": "generate:%dKB"}]}`, 1+d.IntN(20))}))
	case 8:
		must(w.data.DeleteContact(user, p.ResourceName))
		return "deleted " + p.ResourceName
	case 9, 10:
		return w.editGroup(d)
	}
	return w.join(d, p)
}

func (w *googleContacts) patch(p googlePerson, body string) string {
	must(w.data.UpdateContact(user, p.ResourceName, json.RawMessage(body)))
	return p.ResourceName + ": " + body
}

// join puts a contact into some of the groups.
func (w *googleContacts) join(d *dice, p googlePerson) string {
	in := []string{"myContacts"}
	if d.IntN(3) == 0 {
		in = append(in, "starred")
	}
	for _, name := range slices.Sorted(maps.Keys(w.groups)) {
		if d.IntN(2) == 0 {
			in = append(in, strings.TrimPrefix(name, "contactGroups/"))
		}
	}
	var list []string
	for _, id := range in {
		list = append(list, fmt.Sprintf(`{"contactGroupMembership": {"contactGroupId": %q}}`, id))
	}
	return w.patch(p, `{"memberships": [`+strings.Join(list, ", ")+`]}`)
}

func (w *googleContacts) editGroup(d *dice) string {
	return editCollection(d, "group", slices.Sorted(maps.Keys(w.groups)),
		func(name string) (string, error) {
			id, err := w.data.AddContactGroup(user, gsim.ContactGroup{Name: name})
			w.groups[id] = name
			return id, err
		},
		func(id string) error {
			delete(w.groups, id)
			return w.data.DeleteContact(user, id)
		},
		func(id, name string) error {
			w.groups[id] = name
			return w.data.RenameContactGroup(user, id, name)
		})
}

package deltamodel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
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
	data     *gsim.Data
	client   *google.Client
	root     string
	groups   map[string]string // names by resource name
	pictures map[string][]byte // by address
}

func newGoogleContacts(g *rig, seed uint64) world {
	data := googleData(g.t, seed)
	o := gsim.Options{PageSize: pick(g.r, []int{0, 0, 3, 9})}
	g.paged = o.PageSize > 0
	w := &googleContacts{data: data, groups: map[string]string{}, pictures: map[string][]byte{}}
	w.client, g.provider = startGoogle(g.t, data, o, g.wire, g.r)
	w.root = g.provider.server.URL
	return w
}

func (w *googleContacts) collections(context.Context) ([]sources.Collection, error) {
	return google.ContactCollections(true), nil
}

func (w *googleContacts) move(ctx context.Context, g *rig, c sources.Collection, l checkpoint.Ledger) error {
	return moveContacts(ctx, g, forgetful[sources.Contact]{google.Contacts(w.client, user, c.ID), &g.forget}, c, l)
}

func (w *googleContacts) read(body []byte) (string, error) { return readCard(body) }

func (w *googleContacts) expire() { done(w.data.ExpireContactTokens(user)) }

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
	done(json.Unmarshal(raw, &p))
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
			w.pictures[at] = download(w.root + at + "=s0")
		} else {
			w.pictures[at] = download(at + "=s0")
		}
	}
	return w.pictures[at]
}

func download(address string) []byte {
	res, err := http.Get(address)
	done(err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	done(err)
	if res.StatusCode != http.StatusOK {
		panic(res.Status)
	}
	return body
}

func (w *googleContacts) edit(r *rand.Rand) string {
	contacts := w.data.Contacts(user)
	if len(contacts) < 3 || r.IntN(7) == 0 && len(contacts) < 30 {
		return "new contact " + added(w.data.AddContact(user, fmt.Appendf(nil, `{"names": [{"givenName": %q, "familyName": %q}], "phoneNumbers": [{"value": "+49 30 %d"}]}`,
			word(r), word(r), r.IntN(1e6))))
	}
	var p googlePerson
	others := w.data.OtherContacts(user)
	if r.IntN(8) == 0 {
		if len(others) < 3 || r.IntN(3) == 0 && len(others) < 10 {
			return "new other contact " + added(w.data.AddOtherContact(user, fmt.Appendf(nil, `{"names": [{"givenName": %q}], "emailAddresses": [{"value": "o%d@example.net"}]}`,
				word(r), r.IntN(1e6))))
		}
		done(json.Unmarshal(pick(r, others), &p))
		if r.IntN(2) == 0 {
			return w.patch(p, fmt.Sprintf(`{"names": [{"givenName": %q}]}`, word(r)))
		}
		done(w.data.DeleteContact(user, p.ResourceName))
		return "deleted " + p.ResourceName
	}
	done(json.Unmarshal(pick(r, contacts), &p))
	switch r.IntN(11) {
	case 0:
		return w.patch(p, fmt.Sprintf(`{"names": [{"givenName": %q, "familyName": %q}]}`, word(r), word(r)))
	case 1:
		return w.patch(p, pick(r, []string{`{"phoneNumbers": null}`, fmt.Sprintf(`{"phoneNumbers": [{"value": "%d", "type": "work"}, {"value": "+1 %d"}]}`, r.IntN(1e6), r.IntN(1e6))}))
	case 2:
		return w.patch(p, pick(r, []string{`{"emailAddresses": null}`, fmt.Sprintf(`{"emailAddresses": [{"value": "a%d@example.net"}, {"value": "b%d@example.net"}]}`, r.IntN(1e6), r.IntN(1e6))}))
	case 3:
		return w.patch(p, pick(r, []string{`{"biographies": null}`, fmt.Sprintf(`{"biographies": [{"value": %q, "contentType": "TEXT_PLAIN"}]}`, word(r)+"\nmore")}))
	case 4:
		return w.patch(p, pick(r, []string{`{"organizations": null, "birthdays": null}`, fmt.Sprintf(`{"organizations": [{"name": %q}], "birthdays": [{"date": {"year": %d, "month": 2, "day": %d}}]}`,
			word(r), 1950+r.IntN(50), 1+r.IntN(28))}))
	case 5:
		return w.patch(p, pick(r, []string{`{"nicknames": null}`, fmt.Sprintf(`{"nicknames": [{"value": %q}]}`, word(r))}))
	case 6, 7:
		return w.patch(p, pick(r, []string{`{"photos": null}`, fmt.Sprintf(`{"photos": [{"url": "generate:%dKB"}]}`, 1+r.IntN(20))}))
	case 8:
		done(w.data.DeleteContact(user, p.ResourceName))
		return "deleted " + p.ResourceName
	case 9:
		return w.editGroup(r)
	}
	return w.join(r, p)
}

func (w *googleContacts) patch(p googlePerson, body string) string {
	done(w.data.UpdateContact(user, p.ResourceName, json.RawMessage(body)))
	return p.ResourceName + ": " + body
}

// join puts a contact into some of the groups.
func (w *googleContacts) join(r *rand.Rand, p googlePerson) string {
	in := []string{"myContacts"}
	if r.IntN(3) == 0 {
		in = append(in, "starred")
	}
	for _, name := range sortedNames(w.groups) {
		if r.IntN(2) == 0 {
			in = append(in, strings.TrimPrefix(name, "contactGroups/"))
		}
	}
	var list []string
	for _, id := range in {
		list = append(list, fmt.Sprintf(`{"contactGroupMembership": {"contactGroupId": %q}}`, id))
	}
	return w.patch(p, `{"memberships": [`+strings.Join(list, ", ")+`]}`)
}

func (w *googleContacts) editGroup(r *rand.Rand) string {
	names := sortedNames(w.groups)
	switch n := r.IntN(4); {
	case len(names) < 2 || n == 0 && len(names) < 5:
		name := word(r)
		id := added(w.data.AddContactGroup(user, gsim.ContactGroup{Name: name}))
		w.groups[id] = name
		return "new group " + id
	case n == 1:
		id := pick(r, names)
		done(w.data.DeleteContact(user, id))
		delete(w.groups, id)
		return "group deleted " + id
	default:
		id, name := pick(r, names), word(r)
		done(w.data.RenameContactGroup(user, id, name))
		w.groups[id] = name
		return "group renamed " + id + " to " + name
	}
}

func sortedNames(m map[string]string) []string {
	set := map[string]bool{}
	for name := range m {
		set[name] = true
	}
	return sorted(set)
}

package google_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"golang.org/x/oauth2/google"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
	"google.golang.org/api/people/v1"
)

const allPersonFields = "addresses,ageRanges,biographies,birthdays,calendarUrls,clientData,emailAddresses,events,externalIds,fileAses,genders,imClients,interests," +
	"locales,locations,memberships,metadata,miscKeywords,names,nicknames,occupations,organizations,phoneNumbers,photos,relations,sipAddresses,skills,urls,userDefined"

// connections gives all contacts, or what changed since a sync token, in pages of three, and the next token.
func connections(t *testing.T, c clients, fields, token string) ([]*people.Person, string) {
	t.Helper()
	var out []*people.Person
	list := c.people.People.Connections.List("people/me").PersonFields(fields).PageSize(3).RequestSyncToken(true)
	if token != "" {
		list.SyncToken(token)
	}
	err := list.Pages(t.Context(), func(page *people.ListConnectionsResponse) error {
		out = append(out, page.Connections...)
		if (page.NextPageToken == "") == (page.NextSyncToken == "") {
			t.Error("a page has both tokens or none")
		}
		token = page.NextSyncToken
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, token
}

// wantRefusal checks an error of the People API, which has a status and perhaps a reason in its details, but no list of errors.
func wantRefusal(t *testing.T, err error, code int, reason string) {
	t.Helper()
	var api *googleapi.Error
	if !errors.As(err, &api) || api.Code != code || len(api.Errors) != 0 {
		t.Errorf("error %v, want %d without errors", err, code)
		return
	}
	if reason != "" && !strings.Contains(fmt.Sprint(api.Details), reason) {
		t.Errorf("details %v, want %s", api.Details, reason)
	}
}

func contact(t *testing.T, data *sim.Data, body string) string {
	t.Helper()
	name, err := data.AddContact(ben, json.RawMessage(body))
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func TestGeneratedContacts(t *testing.T) {
	data := sim.Generate(organisation.Spec{Users: 1, Contacts: 50, Seed: 5})
	s, h := start(t, data, sim.Options{ShortPages: true})
	c := connect(t, s, h, "user0001@example.org")
	got, _ := connections(t, c, allPersonFields, "")
	if len(got) != 50 {
		t.Fatalf("%d contacts, want 50", len(got))
	}
	nameless, photos := 0, 0
	for _, p := range got {
		if len(p.Names) == 0 && len(p.Organizations) > 0 {
			nameless++
		}
		if !p.Photos[0].Default {
			photos++
		}
		if p.Etag == "" || len(p.Metadata.Sources) != 1 || len(p.Memberships) == 0 || !p.EmailAddresses[0].Metadata.Primary {
			t.Errorf("%s is not complete", p.ResourceName)
		}
	}
	if nameless < 5 || photos < 5 {
		t.Errorf("%d without a name, %d with a photo", nameless, photos)
	}
	if p := got[0]; p.Names[0].DisplayName == "" || len(p.FileAses) != 1 || p.Birthdays[0].Date.Day != 28 || len(p.Addresses) != 2 || p.PhoneNumbers != nil && p.PhoneNumbers[0].FormattedType != "Mobile" {
		t.Errorf("the first contact: %+v", p)
	}
	others, err := c.people.OtherContacts.List().ReadMask("emailAddresses,names,photos").Do()
	if err != nil || len(others.OtherContacts) != 5 || others.TotalSize != 5 || others.NextSyncToken != "" {
		t.Errorf("other contacts: %v", err)
	}
	again := sim.Generate(organisation.Spec{Users: 1, Contacts: 50, Seed: 5}).Contacts("user0001@example.org")
	if len(again) != 50 || !slices.EqualFunc(again, data.Contacts("user0001@example.org"), func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
		t.Error("one spec gave two address books")
	}
}

func TestPersonMasks(t *testing.T) {
	data := emptyOrganisation(t)
	name := contact(t, data, `{"names":[{"givenName":"Zoë","familyName":"Ö"}],"nicknames":[{"value":"Z"}]}`)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	one, err := c.people.People.Get(name).PersonFields("names").Do()
	if err != nil || one.Etag == "" || one.Names[0].DisplayName != "Zoë Ö" || one.Names[0].DisplayNameLastFirst != "Ö, Zoë" || one.Nicknames != nil || one.Metadata != nil || one.Photos != nil {
		t.Errorf("one contact: %v, %+v", err, one)
	}
	list := func(edit func(*people.PeopleConnectionsListCall)) error {
		call := c.people.People.Connections.List("people/me").PersonFields("names")
		edit(call)
		_, err := call.Do()
		return err
	}
	for name, err := range map[string]error{
		"no mask":        list(func(l *people.PeopleConnectionsListCall) { l.PersonFields("") }),
		"unknown field":  list(func(l *people.PeopleConnectionsListCall) { l.PersonFields("names,colours") }),
		"nested field":   list(func(l *people.PeopleConnectionsListCall) { l.PersonFields("names.givenName") }),
		"too large":      list(func(l *people.PeopleConnectionsListCall) { l.PageSize(1001) }),
		"sync and order": list(func(l *people.PeopleConnectionsListCall) { l.RequestSyncToken(true).SortOrder("FIRST_NAME_ASCENDING") }),
		"other sources":  list(func(l *people.PeopleConnectionsListCall) { l.Sources("READ_SOURCE_TYPE_DOMAIN_CONTACT") }),
	} {
		t.Run(name, func(t *testing.T) { wantRefusal(t, err, 400, "") })
	}
	_, err = c.people.People.Get(name).Do()
	wantRefusal(t, err, 400, "")
	_, err = c.people.OtherContacts.List().ReadMask("names,addresses").Do()
	wantRefusal(t, err, 400, "")
	_, err = c.people.OtherContacts.List().Do()
	wantRefusal(t, err, 400, "")
	_, err = c.people.ContactGroups.List().GroupFields("colour").Do()
	wantRefusal(t, err, 400, "")
	_, err = c.people.People.Get("people/c404").PersonFields("names").Do()
	wantRefusal(t, err, 404, "")
	if err := list(func(l *people.PeopleConnectionsListCall) {
		l.Sources("READ_SOURCE_TYPE_CONTACT", "READ_SOURCE_TYPE_PROFILE").PageSize(0)
	}); err != nil {
		t.Error(err)
	}
}

func TestPersonOrderAndTruncation(t *testing.T) {
	data := emptyOrganisation(t)
	many := make([]string, 130)
	for i := range many {
		many[i] = fmt.Sprintf(`{"value":"a%d@example.net"}`, i)
	}
	first := contact(t, data, `{"names":[{"givenName":"B","familyName":"X"}],"emailAddresses":[`+strings.Join(many, ",")+`]}`)
	contact(t, data, `{"names":[{"givenName":"A","familyName":"Z"}]}`)
	contact(t, data, `{"names":[{"givenName":"C","familyName":"Y"}]}`)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	all, _ := connections(t, c, "emailAddresses", "")
	if n := len(all[0].EmailAddresses); n != 100 {
		t.Errorf("a list has %d addresses, want 100", n)
	}
	if one, err := c.people.People.Get(first).PersonFields("emailAddresses").Do(); err != nil || len(one.EmailAddresses) != 130 {
		t.Errorf("a contact by itself: %v", err)
	}
	for order, want := range map[string]string{"": "BAC", "LAST_MODIFIED_DESCENDING": "CAB", "FIRST_NAME_ASCENDING": "ABC", "LAST_NAME_ASCENDING": "BCA"} {
		got := ""
		list := c.people.People.Connections.List("people/me").PersonFields("names").PageSize(2)
		if order != "" {
			list.SortOrder(order)
		}
		err := list.Pages(t.Context(), func(l *people.ListConnectionsResponse) error {
			for _, p := range l.Connections {
				got += p.Names[0].GivenName
			}
			return nil
		})
		if err != nil || got != want {
			t.Errorf("order %q gave %s, want %s: %v", order, got, want, err)
		}
	}
}

func TestContactChanges(t *testing.T) {
	data := emptyOrganisation(t)
	var names []string
	for i := range 8 {
		names = append(names, contact(t, data, fmt.Sprintf(`{"names":[{"givenName":"P%d"}]}`, i)))
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	full, token := connections(t, c, "names", "")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(data.UpdateContact(ben, names[2], json.RawMessage(`{"names":[{"givenName":"New"}]}`)))
	must(data.DeleteContact(ben, names[5]))
	added := contact(t, data, `{"names":[{"givenName":"Late"}]}`)
	changed, next := connections(t, c, "names", token)
	if len(full) != 8 || len(changed) != 3 || changed[0].ResourceName != names[2] || changed[0].Etag == full[2].Etag || changed[0].Names[0].DisplayName != "New" {
		t.Fatalf("%d contacts, changes %+v", len(full), changed)
	}
	if p := changed[1]; p.ResourceName != names[5] || p.Metadata == nil || !p.Metadata.Deleted || p.Names != nil {
		t.Errorf("a deleted contact: %+v", p)
	}
	if changed[2].ResourceName != added {
		t.Errorf("an added contact: %+v", changed[2])
	}
	if again, _ := connections(t, c, "names", next); len(again) != 0 {
		t.Errorf("changes after the last token: %v", again)
	}
	if left, _ := connections(t, c, "names", ""); len(left) != 8 {
		t.Errorf("%d contacts are left, want 8", len(left))
	}
	_, err := c.people.People.Get(names[5]).PersonFields("names").Do()
	wantRefusal(t, err, 404, "")
	list := c.people.People.Connections.List("people/me").PersonFields("names,photos").PageSize(3).RequestSyncToken(true)
	_, err = list.SyncToken(next).Do()
	wantRefusal(t, err, 400, "")
	_, err = list.SyncToken("nonsense").Do()
	wantRefusal(t, err, 400, "")
	must(data.ExpireContactTokens(ben))
	_, err = list.PersonFields("names").SyncToken(next).Do()
	wantRefusal(t, err, 400, "EXPIRED_SYNC_TOKEN")
	_, fresh := connections(t, c, "names", "")
	if again, _ := connections(t, c, "names", fresh); len(again) != 0 {
		t.Errorf("changes after a new full listing: %v", again)
	}
}

// TestDeletionBetweenPages: a contact that was listed and then deleted before the last page must be among the changes.
func TestDeletionBetweenPages(t *testing.T) {
	data := emptyOrganisation(t)
	first := contact(t, data, `{}`)
	contact(t, data, `{}`)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	list := c.people.People.Connections.List("people/me").PersonFields("names").PageSize(1).RequestSyncToken(true)
	one, err := list.Do()
	if err != nil || one.NextSyncToken != "" || one.TotalPeople != 2 || len(one.Connections) != 1 {
		t.Fatalf("first page: %v, %+v", err, one)
	}
	if err := data.DeleteContact(ben, first); err != nil {
		t.Fatal(err)
	}
	two, err := list.PageToken(one.NextPageToken).Do()
	if err != nil || two.NextSyncToken == "" {
		t.Fatalf("second page: %v", err)
	}
	changed, err := c.people.People.Connections.List("people/me").PersonFields("names").PageSize(1).SyncToken(two.NextSyncToken).Do()
	if err != nil || len(changed.Connections) != 1 || !changed.Connections[0].Metadata.Deleted || changed.NextSyncToken != "" {
		t.Errorf("changes: %v, %+v", err, changed)
	}
	_, err = c.people.People.Connections.List("people/me").PersonFields("photos").PageSize(1).RequestSyncToken(true).PageToken(one.NextPageToken).Do()
	wantRefusal(t, err, 400, "")
	data.ExpirePageTokens()
	_, err = list.PageToken(one.NextPageToken).Do()
	wantRefusal(t, err, 400, "")
}

func TestContactGroups(t *testing.T) {
	data := emptyOrganisation(t)
	group, err := data.AddContactGroup(ben, sim.ContactGroup{Name: "Chœur"})
	if err != nil {
		t.Fatal(err)
	}
	name := contact(t, data, fmt.Sprintf(`{"memberships":[{"contactGroupMembership":{"contactGroupResourceName":%q}}]}`, group))
	if _, err := data.AddContact(ben, json.RawMessage(`{"memberships":[{"contactGroupMembership":{"contactGroupId":"gone"}}]}`)); err == nil {
		t.Error("a membership in no group was taken")
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	groups := map[string]*people.ContactGroup{}
	token := ""
	err = c.people.ContactGroups.List().PageSize(4).Pages(t.Context(), func(l *people.ListContactGroupsResponse) error {
		for _, g := range l.ContactGroups {
			groups[g.ResourceName] = g
		}
		token = l.NextSyncToken
		return nil
	})
	if err != nil || len(groups) != 9 || token == "" {
		t.Fatalf("%d groups: %v", len(groups), err)
	}
	if g := groups["contactGroups/starred"]; g.GroupType != "SYSTEM_CONTACT_GROUP" || g.Name != "starred" || g.FormattedName != "Starred" {
		t.Errorf("a system group: %+v", g)
	}
	if g := groups[group]; g.GroupType != "USER_CONTACT_GROUP" || g.Name != "Chœur" || g.MemberCount != 1 || g.Etag == "" {
		t.Errorf("a group: %+v", g)
	}
	if err := errors.Join(data.RenameContactGroup(ben, group, "Choir"), data.DeleteContact(ben, group)); err != nil {
		t.Fatal(err)
	}
	gone, err := c.people.ContactGroups.List().PageSize(4).SyncToken(token).Do()
	if err != nil || len(gone.ContactGroups) != 1 || !gone.ContactGroups[0].Metadata.Deleted {
		t.Errorf("changed groups: %v", err)
	}
	if p, err := c.people.People.Get(name).PersonFields("memberships").Do(); err != nil || len(p.Memberships) != 0 {
		t.Errorf("memberships in a group that was deleted: %v", err)
	}
	if names, err := c.people.ContactGroups.List().GroupFields("name").Do(); err != nil || names.ContactGroups[0].GroupType != "" || names.ContactGroups[0].Name == "" {
		t.Errorf("a mask of groups: %v", err)
	}
	if data.DeleteContact(ben, "contactGroups/starred") == nil {
		t.Error("a system group was deleted")
	}
}

func TestContactPhotos(t *testing.T) {
	data := emptyOrganisation(t)
	large := contact(t, data, `{"photos":[{"url":"generate:300KB"}]}`)
	small := contact(t, data, `{}`)
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	url := func(name string) *people.Photo {
		p, err := c.people.People.Get(name).PersonFields("photos").Do()
		if err != nil {
			t.Fatal(err)
		}
		return p.Photos[0]
	}
	get := func(url string, want int) string {
		t.Helper()
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("%s: %v, status %d", url, err, resp.StatusCode)
		}
		return string(body)
	}
	photo := url(large)
	root, suffixed := strings.CutSuffix(photo.Url, "=s100")
	if !suffixed || photo.Default || !strings.HasPrefix(root, h.URL) {
		t.Errorf("photo %+v", photo)
	}
	for suffix, side := range map[string]int{"=s100": 100, "": 100, "=s64": 64, "=s32-c": 32, "?sz=50": 50} {
		config, _, err := image.DecodeConfig(strings.NewReader(get(root+suffix, 200)))
		if err != nil || config.Width != side || config.Height != side {
			t.Errorf("%q: %v, %+v", suffix, err, config)
		}
	}
	if original := get(root+"=s0", 200); len(original) < 300<<10 || original != get(root+"=s9999", 200) {
		t.Errorf("the original has %d bytes", len(original))
	}
	if avatar := url(small); !avatar.Default || len(get(avatar.Url, 200)) == 0 {
		t.Errorf("avatar %+v", avatar)
	}
	get(h.URL+"/contactphotos/nothing=s100", 404)
	get(root+"=w100", 404)
}

func TestPeopleRefusals(t *testing.T) {
	data := emptyOrganisation(t)
	s, h := start(t, data, sim.Options{Quotas: sim.Quotas{People: sim.Limit{UserPerMinute: 2}}})
	c := connect(t, s, h, ben)
	list := func() error {
		_, err := c.people.People.Connections.List("people/me").PersonFields("names").Do()
		return err
	}
	if err := errors.Join(list(), list()); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, list(), 429, "RATE_LIMIT_EXCEEDED")
	s.RevokeTokens()
	wantRefusal(t, list(), 401, "ACCESS_TOKEN_EXPIRED")
}

func TestFullSyncQuota(t *testing.T) {
	data := emptyOrganisation(t)
	contact(t, data, `{}`)
	s, h := start(t, data, sim.Options{Quotas: sim.Quotas{FullSync: sim.Limit{UserPerMinute: 1}}})
	c := connect(t, s, h, ben)
	_, token := connections(t, c, "names", "")
	connections(t, c, "names", token)
	list := c.people.People.Connections.List("people/me").PersonFields("names")
	if _, err := list.Do(); err != nil {
		t.Error(err)
	}
	_, err := list.RequestSyncToken(true).Do()
	wantRefusal(t, err, 429, "RATE_LIMIT_EXCEEDED")
}

func TestPeopleFaultsAndScopes(t *testing.T) {
	hook := func(_ *http.Request, name string) (cloudsim.Fault, bool) {
		return cloudsim.Fault{Kind: "503"}, name == "people.contactGroups.list"
	}
	s, h := start(t, emptyOrganisation(t), sim.Options{Behaviour: cloudsim.Behaviour{Hook: hook}})
	c := connect(t, s, h, ben)
	_, err := c.people.ContactGroups.List().Do()
	wantRefusal(t, err, 503, "")

	config, err := google.JWTConfigFromJSON(s.KeyFile(h.URL), "https://www.googleapis.com/auth/contacts.readonly")
	if err != nil {
		t.Fatal(err)
	}
	config.Subject = ben
	narrow, err := people.NewService(t.Context(), option.WithHTTPClient(config.Client(t.Context())), option.WithEndpoint(h.URL))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := narrow.People.Connections.List("people/me").PersonFields("names").Do(); err != nil {
		t.Error(err)
	}
	_, err = narrow.OtherContacts.List().ReadMask("names").Do()
	wantRefusal(t, err, 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
}

func TestUnknownPeopleParameter(t *testing.T) {
	data := emptyOrganisation(t)
	s := sim.New(data, sim.Options{})
	h := newServer(t, s)
	c := connect(t, s, h, ben)
	_, err := c.people.People.Connections.List("people/me").PersonFields("names").Do(googleapi.QueryParameter("colour", "red"))
	wantRefusal(t, err, 400, "")
	_, err = c.tasks.Tasks.List("@default").Do(googleapi.QueryParameter("colour", "red"))
	wantReason(t, err, 400, "badRequest")
	if len(s.Problems()) != 2 {
		t.Errorf("problems %q, want two", s.Problems())
	}
}

func TestPersonsOfOfficialShape(t *testing.T) {
	data := emptyOrganisation(t)
	paths := collection(t, "google-json", "*-person-*.json")
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := data.AddContact(ben, raw); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	s, h := start(t, data, sim.Options{})
	got, _ := connections(t, connect(t, s, h, ben), allPersonFields, "")
	if len(got) != len(data.Contacts(ben)) || len(got) != len(paths)-1 {
		t.Errorf("%d contacts", len(got))
	}
}

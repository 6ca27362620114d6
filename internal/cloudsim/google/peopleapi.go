package google

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// personFieldNames are the paths that personFields takes: those of the documentation, and fileAses, which it leaves out.
func personFieldNames() []string {
	return strings.Fields("addresses ageRanges biographies birthdays calendarUrls clientData coverPhotos emailAddresses events externalIds fileAses genders " +
		"imClients interests locales locations memberships metadata miscKeywords names nicknames occupations organizations phoneNumbers photos relations " +
		"sipAddresses skills urls userDefined")
}

func errArgument(format string, args ...any) *apiError {
	return &apiError{code: http.StatusBadRequest, reason: "badRequest", message: fmt.Sprintf(format, args...)}
}

// peopleMask reads a field mask of the People API, which names members of the top level only. It is mandatory unless there is a fallback.
func (c *call) peopleMask(name string, allowed []string, fallback string) (map[string]bool, error) {
	value := c.query.Get(name)
	if value == "" {
		value = fallback
	}
	if value == "" {
		return nil, errArgument("%s mask is required. Please specify one or more valid paths, as documented at https://developers.google.com/people/api/rest.", name)
	}
	fields := map[string]bool{}
	for _, field := range strings.Split(value, ",") {
		if field = strings.TrimSpace(field); !slices.Contains(allowed, field) {
			return nil, errArgument("Invalid %s mask path: \"%s\". Valid paths are documented at https://developers.google.com/people/api/rest.", name, field)
		}
		fields[field] = true
	}
	return fields, nil
}

// peopleSize reads a page size of the People API: 0 is the default, and what is above 1000 is refused.
func (c *call) peopleSize(fallback int) (int, error) {
	if c.query.Get("pageSize") == "0" {
		c.query.Del("pageSize")
	}
	return c.pageSize("pageSize", fallback, 1000, true)
}

// sources checks the sources of a list: contacts must be among them.
func (c *call) sources(allowed ...string) error {
	list := strings.Split(strings.Join(c.query["sources"], ","), ",")
	if list[0] == "" {
		return nil
	}
	for _, source := range list {
		if !slices.Contains(allowed, strings.TrimPrefix(source, "READ_SOURCE_TYPE_")) {
			return errArgument("Invalid or not simulated source: %s", source)
		}
	}
	if !slices.Contains(list, "READ_SOURCE_TYPE_CONTACT") {
		return errArgument("Not simulated: sources without READ_SOURCE_TYPE_CONTACT")
	}
	return nil
}

// beginSync takes from the quota of full syncs if the call is for the first page of one.
func (c *call) beginSync() error {
	if !c.flag("requestSyncToken") || c.query.Get("syncToken") != "" || c.query.Get("pageToken") != "" {
		return nil
	}
	if over := c.quota.spend("fullsync."+c.name, c.user.Email); over != nil {
		c.Refuse()
		return over
	}
	return nil
}

// connectionsList answers people.connections.list.
// https://developers.google.com/people/api/rest/v1/people.connections/list
func connectionsList(c *call) error {
	fields, err := c.peopleMask("personFields", personFieldNames(), "")
	if err != nil {
		return err
	}
	if err := c.sources("CONTACT", "PROFILE"); err != nil {
		return err
	}
	if err := c.oneOf("sortOrder", "LAST_MODIFIED_ASCENDING", "LAST_MODIFIED_DESCENDING", "FIRST_NAME_ASCENDING", "LAST_NAME_ASCENDING"); err != nil {
		return err
	}
	return c.peopleList("connections", c.user.people.contacts, fields, "totalPeople", "totalItems")
}

// otherContactsList answers otherContacts.list.
// https://developers.google.com/people/api/rest/v1/otherContacts/list
func otherContactsList(c *call) error {
	fields, err := c.peopleMask("readMask", []string{"emailAddresses", "metadata", "names", "phoneNumbers", "photos"}, "")
	if err != nil {
		return err
	}
	if err := c.sources("CONTACT"); err != nil {
		return err
	}
	return c.peopleList("otherContacts", c.user.people.others, fields, "totalSize")
}

// peopleList answers with a page of a book under a name, and with the number of all its people under the names of totals.
func (c *call) peopleList(name string, b *book, fields map[string]bool, totals ...string) error {
	size, err := c.peopleSize(100)
	if err != nil {
		return err
	}
	if err := c.beginSync(); err != nil {
		return err
	}
	c.data.mu.Lock()
	page, err := c.bookPage(b, size)
	total := len(b.live())
	c.data.mu.Unlock()
	if err != nil {
		return err
	}
	answer := page.answer(name, c.persons(page.items, fields))
	for _, t := range totals {
		answer = append(answer, member{t, total})
	}
	return c.reply(answer)
}

// listLimit is how many e-mail addresses and phone numbers of a person a list has.
const listLimit = 100

// persons gives what lists say of people.
func (c *call) persons(items []bookItem, fields map[string]bool) []object {
	out := make([]object, len(items))
	for i, item := range items {
		out[i] = c.person(item, fields, listLimit)
	}
	return out
}

// person gives the selected fields; limit cuts e-mail addresses and phone numbers, 0 does not.
func (c *call) person(item bookItem, fields map[string]bool, limit int) object {
	o := object{{"resourceName", item.id}, {"etag", item.body.text("etag")}}
	if item.deleted {
		return append(o, member{"metadata", item.body.child("metadata").with("deleted", true)})
	}
	for _, m := range item.body {
		if !fields[m.name] {
			continue
		}
		list, _ := m.value.([]any)
		if limit > 0 && len(list) > limit && (m.name == "emailAddresses" || m.name == "phoneNumbers") {
			m.value = list[:limit]
		}
		if m.name == "photos" {
			m.value = c.photos(list)
		}
		o = append(o, m)
	}
	return o
}

// photos gives the photos with addresses that the client can reach.
func (c *call) photos(list []any) []any {
	out := make([]any, len(list))
	for i, each := range list {
		p, _ := each.(object)
		if strings.HasPrefix(p.text("url"), photoRoot) {
			p = p.with("url", c.host()+p.text("url"))
		}
		out[i] = p
	}
	return out
}

// peopleGet answers people.get for contacts.
// https://developers.google.com/people/api/rest/v1/people/get
func peopleGet(c *call) error {
	fields, err := c.peopleMask("personFields", personFieldNames(), "")
	if err != nil {
		return err
	}
	if err := c.sources("CONTACT", "PROFILE"); err != nil {
		return err
	}
	if c.r.PathValue("id") == "me" {
		c.Report(c.name + ": people/me is not simulated")
		return errArgument("Not simulated: people/me")
	}
	c.data.mu.Lock()
	found, err := c.user.people.contacts.get("people/" + c.r.PathValue("id"))
	var item bookItem
	if err == nil {
		item = *found
	}
	c.data.mu.Unlock()
	if err != nil {
		return errNotFound()
	}
	return c.reply(c.person(item, fields, 0))
}

// contactGroupsList answers contactGroups.list.
// https://developers.google.com/people/api/rest/v1/contactGroups/list
func contactGroupsList(c *call) error {
	fields, err := c.peopleMask("groupFields", []string{"clientData", "groupType", "memberCount", "metadata", "name"}, "metadata,groupType,memberCount,name")
	if err != nil {
		return err
	}
	fields["formattedName"] = fields["name"]
	size, err := c.peopleSize(30)
	if err != nil {
		return err
	}
	c.query.Set("requestSyncToken", "true") // groups always have one
	c.data.mu.Lock()
	a := c.user.people
	page, err := c.bookPage(a.groups, size)
	total, members := len(a.groups.live()), a.members()
	c.data.mu.Unlock()
	if err != nil {
		return err
	}
	groups := make([]object, len(page.items))
	for i, item := range page.items {
		body := item.body
		if n := members[item.id]; n > 0 {
			body = body.with("memberCount", n)
		}
		for _, m := range body {
			if m.name == "resourceName" || m.name == "etag" || fields[m.name] || item.deleted {
				groups[i] = append(groups[i], m)
			}
		}
	}
	return c.reply(append(page.answer("contactGroups", groups), member{"totalItems", total}))
}

// members counts the contacts of each group.
func (a *addressBook) members() map[string]int {
	count := map[string]int{}
	for _, p := range a.contacts.live() {
		memberships, _ := p.body.get("memberships").([]any)
		for _, m := range memberships {
			count[groupOf(m)]++
		}
	}
	return count
}

// fingerprint stands for the query parameters that must be the same in each request of a series.
func (c *call) fingerprint(except ...string) string {
	q, shared := url.Values{}, parameters(common+" pageToken requestSyncToken")
	for name, values := range c.query {
		if _, everywhere := shared[name]; !everywhere && !slices.Contains(except, name) {
			q[name] = values
		}
	}
	return fmt.Sprintf("%x", hashOf("query", c.name, q.Encode())[:6])
}

package google

import (
	"slices"
	"strings"
)

// usersList answers users.list.
// https://developers.google.com/workspace/admin/directory/reference/rest/v1/users/list
func usersList(c *call) error {
	if err := c.needAdmin(); err != nil {
		return err
	}
	if err := c.usersScope(); err != nil {
		return err
	}
	size, err := c.pageSize("maxResults", 100, 500, true)
	if err != nil {
		return err
	}
	after, _, err := c.place()
	if err != nil {
		return err
	}
	page, more := c.usersPage(after, size)
	answer := object{{"kind", "admin#directory#users"}, {"etag", `"users"`}}
	if len(page) > 0 {
		list := make([]object, len(page))
		for i, u := range page {
			list[i] = u.resource()
		}
		answer = append(answer, member{"users", list})
	}
	if more {
		answer = append(answer, member{"nextPageToken", c.pageToken(page[len(page)-1].Email)})
	}
	return c.reply(answer)
}

// needAdmin refuses a subject that is no administrator.
func (c *call) needAdmin() error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if !c.user.Admin {
		return errForbidden("forbidden", "Not Authorized to access this resource/api")
	}
	return nil
}

func (c *call) usersScope() error {
	customer, domain := c.query.Get("customer"), c.query.Get("domain")
	switch {
	case customer == "" && domain == "":
		return &apiError{code: 400, reason: "badRequest", message: "Bad Request"}
	case domain != "" && domain != c.data.domain:
		return &apiError{code: 404, reason: "notFound", message: "Domain not found."}
	case customer != "" && customer != "my_customer" && customer != customerID:
		return &apiError{code: 400, reason: "invalid", message: "Invalid Input: customer"}
	}
	if err := c.oneOf("projection", "basic", "full"); err != nil {
		return err
	}
	return c.oneOf("viewType", "admin_view")
}

// customerID is the id of the organisation's customer record.
const customerID = "C01simul8"

// directoryUser is a copy of an account.
type directoryUser struct {
	User
	id string
}

func (c *call) usersPage(after string, size int) (page []directoryUser, more bool) {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	users := c.data.users
	at, found := slices.BinarySearchFunc(users, after, func(u *user, email string) int { return strings.Compare(u.Email, email) })
	if found {
		at++
	}
	for _, u := range users[at:] {
		if u.Deleted != (c.query.Get("showDeleted") == "true") {
			continue
		}
		if len(page) == size {
			return page, true
		}
		page = append(page, directoryUser{u.User, u.id})
	}
	return page, false
}

// usersGet answers users.get; the key is an address, an alias or an id.
func usersGet(c *call) error {
	if err := c.needAdmin(); err != nil {
		return err
	}
	key := c.r.PathValue("userKey")
	c.data.mu.Lock()
	found := c.data.byEmail[key]
	if i := slices.IndexFunc(c.data.users, func(u *user) bool { return u.id == key }); found == nil && i >= 0 {
		found = c.data.users[i]
	}
	if found == nil || found.Deleted {
		c.data.mu.Unlock()
		return &apiError{code: 404, reason: "notFound", message: "Resource Not Found: userKey"}
	}
	u := directoryUser{found.User, found.id}
	c.data.mu.Unlock()
	return c.reply(u.resource())
}

func (u directoryUser) resource() object {
	unit := u.OrgUnit
	if unit == "" {
		unit = "/"
	}
	o := object{
		{"kind", "admin#directory#user"}, {"id", u.id}, {"etag", `"` + u.id + `"`}, {"primaryEmail", u.Email},
		{"name", object{{"givenName", u.GivenName}, {"familyName", u.FamilyName}, {"fullName", strings.TrimSpace(u.GivenName + " " + u.FamilyName)}}},
		{"isAdmin", u.Admin}, {"isDelegatedAdmin", false}, {"creationTime", stamp(u.Created)}, {"agreedToTerms", !u.NoMailbox},
		{"suspended", u.Suspended}, {"archived", u.Archived}, {"isMailboxSetup", !u.NoMailbox}, {"orgUnitPath", unit},
		{"customerId", customerID}, {"includeInGlobalAddressList", true},
		{"emails", []object{{{"address", u.Email}, {"primary", true}}}},
	}
	if u.Suspended {
		o = append(o, member{"suspensionReason", "ADMIN"})
	}
	if len(u.Aliases) > 0 {
		o = append(o, member{"aliases", u.Aliases})
	}
	if u.Deleted {
		o = append(o, member{"deletionTime", stamp(u.Created.AddDate(5, 0, 0))})
	}
	return o
}

package microsoft

// usersList answers users.list (learn.microsoft.com/graph/api/user-list).
func usersList(c *call) error {
	c.data.mu.Lock()
	all := make([]object, len(c.data.users))
	for i, u := range c.data.users {
		all[i] = u.json()
	}
	c.data.mu.Unlock()
	return c.list(all, 100, 999, moreOfUser...)
}

// moreOfUser are fields that must be selected.
var moreOfUser = []string{"accountEnabled", "assignedLicenses", "proxyAddresses", "userType"}

func usersGet(c *call) error { return c.reply(c.user.json().only(c.selected(), moreOfUser...)) }

func (u *user) json() object {
	proxies := []string{"SMTP:" + u.Email}
	for _, a := range u.Aliases {
		proxies = append(proxies, "smtp:"+a)
	}
	licences := []object{}
	if !u.Unlicensed {
		licences = append(licences, object{"disabledPlans": []string{}, "skuId": "c7df2760-2c81-4ef7-b578-5b5392b571df"})
	}
	kind := "Member"
	if u.Guest {
		kind = "Guest"
	}
	return object{"id": u.id, "displayName": u.name(), "givenName": u.GivenName, "surname": u.FamilyName, "userPrincipalName": u.Email, "mail": u.Email,
		"proxyAddresses": proxies, "accountEnabled": !u.Disabled, "assignedLicenses": licences, "userType": kind}
}

func (u *user) name() string { return u.GivenName + " " + u.FamilyName }

func (c *call) needMailbox() error {
	if c.user.NoMailbox {
		return errNoMailbox()
	}
	return nil
}

func (u *user) settings() object {
	purpose, zone := u.Purpose, u.TimeZone
	if purpose == "" {
		purpose = "user"
	}
	if zone == "" {
		zone = "UTC"
	}
	return object{"timeZone": zone, "userPurpose": purpose}
}

func mailboxSettings(c *call) error {
	if err := c.needMailbox(); err != nil {
		return err
	}
	return c.reply(c.user.settings().only(c.selected()).with("@odata.context", c.host()+"/v1.0/$metadata#mailboxSettings"))
}

func userPurpose(c *call) error {
	if err := c.needMailbox(); err != nil {
		return err
	}
	return c.reply(object{"@odata.context": c.host() + "/v1.0/$metadata#userPurpose", "value": c.user.settings()["userPurpose"]})
}

package microsoft

import (
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/sources"
)

// contact is Graph's contact (learn.microsoft.com/graph/api/resources/contact).
type contact struct {
	ID        string   `json:"id"`
	Removed   *removed `json:"@removed"`
	ChangeKey string   `json:"changeKey"`
	Modified  string   `json:"lastModifiedDateTime"`

	DisplayName     string `json:"displayName"`
	FileAs          string `json:"fileAs"`
	Title           string `json:"title"`
	GivenName       string `json:"givenName"`
	MiddleName      string `json:"middleName"`
	Surname         string `json:"surname"`
	Generation      string `json:"generation"`
	Initials        string `json:"initials"`
	NickName        string `json:"nickName"`
	YomiGivenName   string `json:"yomiGivenName"`
	YomiSurname     string `json:"yomiSurname"`
	YomiCompanyName string `json:"yomiCompanyName"`

	Emails         []emailAddress `json:"emailAddresses"`
	PrimaryEmail   *emailAddress  `json:"primaryEmailAddress"`
	SecondaryEmail *emailAddress  `json:"secondaryEmailAddress"`
	TertiaryEmail  *emailAddress  `json:"tertiaryEmailAddress"`
	HomePhones     []string       `json:"homePhones"`
	BusinessPhones []string       `json:"businessPhones"`
	MobilePhone    string         `json:"mobilePhone"`
	IMAddresses    []string       `json:"imAddresses"`
	HomePage       string         `json:"businessHomePage"`
	Home           address        `json:"homeAddress"`
	Business       address        `json:"businessAddress"`
	Other          address        `json:"otherAddress"`

	CompanyName string `json:"companyName"`
	Department  string `json:"department"`
	Office      string `json:"officeLocation"`
	JobTitle    string `json:"jobTitle"`
	Profession  string `json:"profession"`
	Manager     string `json:"manager"`
	Assistant   string `json:"assistantName"`

	Birthday   string   `json:"birthday"`
	Spouse     string   `json:"spouseName"`
	Children   []string `json:"children"`
	Notes      string   `json:"personalNotes"`
	Categories []string `json:"categories"`
}

type emailAddress struct {
	Address string `json:"address"`
	Name    string `json:"name"`
}

type address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postalCode"`
	Country    string `json:"countryOrRegion"`
}

func (v contact) content() sources.Contact {
	c := sources.Contact{
		ID: v.ID, FileAs: v.FileAs, Nicknames: filled(v.NickName), Occupations: filled(v.Profession), Notes: filled(v.Notes), Groups: v.Categories,
		Updated: timeOf(v.Modified), Birthdays: birthdays(v.Birthday),
		Name: sources.ContactName{
			Full: v.DisplayName, Prefix: v.Title, Given: v.GivenName, Middle: v.MiddleName, Family: v.Surname, Suffix: v.Generation,
			PhoneticGiven: v.YomiGivenName, PhoneticFamily: v.YomiSurname, PhoneticOrganization: v.YomiCompanyName, Initials: v.Initials,
		},
	}
	if v.CompanyName+v.Department+v.JobTitle != "" {
		c.Organizations = []sources.Organization{{Label: "work", Name: v.CompanyName, Department: v.Department, Title: v.JobTitle}}
	}
	v.reach(&c)
	c.Relations = labelled("spouse", v.Spouse)
	for _, child := range v.Children {
		c.Relations = append(c.Relations, labelled("child", child)...)
	}
	c.Relations = append(append(c.Relations, labelled("manager", v.Manager)...), labelled("assistant", v.Assistant)...)
	c.Others = labelled("Office", v.Office)
	return c
}

func (v contact) reach(c *sources.Contact) {
	known := map[string]bool{}
	for i, e := range v.addresses() {
		if key := strings.ToLower(e.Address); e.Address != "" && !known[key] {
			known[key] = true
			c.Emails = append(c.Emails, sources.Labelled{Value: e.Address, Name: e.Name, Primary: i == 0})
		}
	}
	for _, p := range v.BusinessPhones {
		c.Phones = append(c.Phones, labelled("work", p)...)
	}
	for _, p := range v.HomePhones {
		c.Phones = append(c.Phones, labelled("home", p)...)
	}
	c.Phones = append(c.Phones, labelled("mobile", v.MobilePhone)...)
	for _, im := range v.IMAddresses {
		c.IMs = append(c.IMs, labelled("", im)...)
	}
	c.URLs = labelled("work", v.HomePage)
	for _, a := range []struct {
		label string
		address
	}{{"work", v.Business}, {"home", v.Home}, {"other", v.Other}} {
		if a.address != (address{}) {
			c.Addresses = append(c.Addresses, sources.PostalAddress{
				Label: a.label, Street: a.Street, City: a.City, Region: a.State, PostalCode: a.PostalCode, Country: a.Country,
			})
		}
	}
}

// addresses returns the list, and what the three properties of their own hold beside it.
func (v contact) addresses() []emailAddress {
	list := v.Emails
	for _, e := range []*emailAddress{v.PrimaryEmail, v.SecondaryEmail, v.TertiaryEmail} {
		if e != nil {
			list = append(list, *e)
		}
	}
	return list
}

func labelled(label, value string) []sources.Labelled {
	if value == "" {
		return nil
	}
	return []sources.Labelled{{Label: label, Value: value}}
}

func filled(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// noYear is the year that Outlook writes where there is none.
const noYear = 1604

// birthdays reads a birthday: midnight in UTC, or noon by some clients, so that the day is the one of UTC.
func birthdays(s string) []sources.ContactDate {
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case s == "":
		return nil
	case err != nil:
		return []sources.ContactDate{{Text: s}}
	}
	t = t.UTC()
	d := sources.ContactDate{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
	if d.Year == noYear {
		d.Year = 0
	}
	return []sources.ContactDate{d}
}

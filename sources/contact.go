package sources

import (
	"slices"
	"strings"
	"time"
)

// Contact is one person or organisation of an address book. Providers' labels ("home", "work", "Ferienhaus") stand as they are given.
type Contact struct {
	// ID is the item's id.
	ID   string
	Name ContactName
	// FileAs is what the contact is sorted by.
	FileAs    string
	Nicknames []string
	// Emails, Phones, URLs, Relations and Calendars are addresses, numbers, links, names and links of calendars.
	Emails, Phones, URLs, Relations, Calendars []Labelled
	// IMs are addresses of messengers; Protocol names the messenger.
	IMs           []Labelled
	Addresses     []PostalAddress
	Organizations []Organization
	// Occupations are what the person does; Gender is a word or empty.
	Occupations []string
	Gender      string
	Birthdays   []ContactDate
	// Dates are anniversaries and the user's own dates.
	Dates []ContactDate
	// Notes are plain, and NotesHTML are not.
	Notes, NotesHTML []string
	// Groups are the names of the user's groups or categories, and Starred is one that providers keep apart.
	Groups  []string
	Starred bool
	// Others are fields that an address book has no place for: a label and a value.
	Others []Labelled
	// Truncated says that the provider gave a part of the addresses or numbers, and does not give the rest.
	Truncated bool
	// Photo is the picture: an Open that returns ErrGone says that there is none. It may be nil.
	Photo   *Body
	Updated time.Time
}

// ContactName is a name in its parts. Full is how the provider shows it.
type ContactName struct {
	Full                                          string
	Prefix, Given, Middle, Family, Suffix         string
	PhoneticGiven, PhoneticMiddle, PhoneticFamily string
	PhoneticFull, PhoneticOrganization, Initials  string
}

// Labelled is a value with what its user calls it.
type Labelled struct {
	Label, Value string
	// Protocol names the messenger of an IM, and Name the person of an address.
	Protocol, Name string
	Primary        bool
}

// PostalAddress is an address. Formatted is all of it, for addresses without parts.
type PostalAddress struct {
	Label, Formatted                                           string
	POBox, Extended, Street, City, Region, PostalCode, Country string
	Primary                                                    bool
}

// Organization is where somebody works, and as what.
type Organization struct {
	Label, Name, Department, Title string
	Primary                        bool
}

// ContactDate is a day in somebody's life. Year is 0 where it is not known; Text stands for dates that are no days.
type ContactDate struct {
	Label            string
	Year, Month, Day int
	Text             string
}

// Shown returns what a person would call the contact: its name, or else what comes first of its company, its addresses and its notes; own
// says that it is the name. It is empty for a contact that holds nothing.
func (c Contact) Shown() (name string, own bool) {
	n := c.Name
	parts := strings.Join(strings.Fields(strings.Join([]string{n.Prefix, n.Given, n.Middle, n.Family, n.Suffix}, " ")), " ")
	for _, name := range []string{n.Full, parts} {
		if strings.TrimSpace(name) != "" {
			return strings.TrimSpace(name), true
		}
	}
	for _, name := range c.others() {
		if strings.TrimSpace(name) != "" {
			return strings.TrimSpace(name), false
		}
	}
	return "", false
}

// others are what a contact without a name may be called, the best first.
func (c Contact) others() []string {
	list := slices.Clone(c.Nicknames)
	for _, o := range c.Organizations {
		list = append(list, o.Name, o.Title)
	}
	list = append(list, c.FileAs)
	for _, reach := range [][]Labelled{c.Emails, c.Phones, c.IMs, c.URLs} {
		for _, v := range reach {
			list = append(list, v.Name, v.Value)
		}
	}
	for _, a := range c.Addresses {
		list = append(list, a.Street, a.City, a.Formatted)
	}
	return append(list, c.Notes...)
}

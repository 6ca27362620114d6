package google

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"google.golang.org/api/people/v1"

	"codeberg.org/repatriate/repatriate/sources"
)

// contactOf reads a person (developers.google.com/people/api/rest/v1/people).
func contactOf(p *people.Person, groups []string, starred bool) sources.Contact {
	c := sources.Contact{ID: p.ResourceName, Groups: groups, Starred: starred}
	if p.Metadata != nil {
		for _, s := range p.Metadata.Sources {
			if t, err := time.Parse(time.RFC3339, s.UpdateTime); err == nil && t.After(c.Updated) {
				c.Updated = t
			}
		}
	}
	names(p, &c)
	reach(p, &c)
	life(p, &c)
	others(p, &c)
	return c
}

func names(p *people.Person, c *sources.Contact) {
	for i, n := range primaryFirst(p.Names, func(n *people.Name) *people.FieldMetadata { return n.Metadata }) {
		if i > 0 {
			c.Others = append(c.Others, sources.Labelled{Label: "Name", Value: cmp.Or(n.DisplayName, n.UnstructuredName)})
			continue
		}
		c.Name = sources.ContactName{
			Full: cmp.Or(n.DisplayName, n.UnstructuredName), Prefix: n.HonorificPrefix, Given: n.GivenName, Middle: n.MiddleName, Family: n.FamilyName,
			Suffix: n.HonorificSuffix, PhoneticGiven: n.PhoneticGivenName, PhoneticMiddle: n.PhoneticMiddleName, PhoneticFamily: n.PhoneticFamilyName,
			PhoneticFull: n.PhoneticFullName,
		}
		c.Others = append(c.Others, filled(sources.Labelled{Label: "Phonetic prefix", Value: n.PhoneticHonorificPrefix},
			sources.Labelled{Label: "Phonetic suffix", Value: n.PhoneticHonorificSuffix})...)
	}
	for _, n := range p.Nicknames {
		c.Nicknames = append(c.Nicknames, n.Value)
		if kind := nicknameKinds[n.Type]; kind != "" {
			c.Others = append(c.Others, filled(sources.Labelled{Label: kind, Value: n.Value})...)
		}
	}
	for i, f := range primaryFirst(p.FileAses, func(f *people.FileAs) *people.FieldMetadata { return f.Metadata }) {
		if i > 0 {
			c.Others = append(c.Others, filled(sources.Labelled{Label: "File as", Value: f.Value})...)
			continue
		}
		c.FileAs = f.Value
	}
}

// nicknameKinds are what nicknames are beside being ones, in the user's words.
var nicknameKinds = map[string]string{"MAIDEN_NAME": "Maiden name", "INITIALS": "Initials", "SHORT_NAME": "Short name", "ALTERNATE_NAME": "Alternate name", "OTHER_NAME": "Other name"}

// primaryFirst returns a list with what Google shows before the others, for fields of which a target has one.
func primaryFirst[T any](list []*T, of func(*T) *people.FieldMetadata) []*T {
	var first, others []*T
	for _, v := range list {
		switch {
		case v == nil:
		case primary(of(v)):
			first = append(first, v)
		default:
			others = append(others, v)
		}
	}
	return append(first, others...)
}

// filled returns those that have a value.
func filled(list ...sources.Labelled) []sources.Labelled {
	var out []sources.Labelled
	for _, l := range list {
		if l.Value != "" {
			out = append(out, l)
		}
	}
	return out
}

// labelOf is what the user calls a value: Google's word for its type, or the user's own.
func labelOf(kind, formatted string) string { return cmp.Or(kind, formatted) }

func primary(m *people.FieldMetadata) bool { return m != nil && m.Primary }

func reach(p *people.Person, c *sources.Contact) {
	for _, e := range p.EmailAddresses {
		c.Emails = append(c.Emails, sources.Labelled{Label: labelOf(e.Type, e.FormattedType), Value: e.Value, Name: e.DisplayName, Primary: primary(e.Metadata)})
	}
	for _, t := range p.PhoneNumbers {
		c.Phones = append(c.Phones, sources.Labelled{Label: labelOf(t.Type, t.FormattedType), Value: cmp.Or(t.Value, t.CanonicalForm), Primary: primary(t.Metadata)})
	}
	for _, a := range p.Addresses {
		c.Addresses = append(c.Addresses, sources.PostalAddress{
			Label: labelOf(a.Type, a.FormattedType), Formatted: a.FormattedValue, POBox: a.PoBox, Extended: a.ExtendedAddress, Street: a.StreetAddress,
			City: a.City, Region: a.Region, PostalCode: a.PostalCode, Country: cmp.Or(a.Country, a.CountryCode), Primary: primary(a.Metadata),
		})
	}
	for _, u := range p.Urls {
		c.URLs = append(c.URLs, sources.Labelled{Label: labelOf(u.Type, u.FormattedType), Value: u.Value, Primary: primary(u.Metadata)})
	}
	for _, u := range p.CalendarUrls {
		c.Calendars = append(c.Calendars, sources.Labelled{Label: labelOf(u.Type, u.FormattedType), Value: u.Url, Primary: primary(u.Metadata)})
	}
	for _, im := range p.ImClients {
		c.IMs = append(c.IMs, sources.Labelled{
			Label: labelOf(im.Type, im.FormattedType), Value: im.Username, Protocol: cmp.Or(im.Protocol, im.FormattedProtocol), Primary: primary(im.Metadata),
		})
	}
	for _, s := range p.SipAddresses {
		c.IMs = append(c.IMs, sources.Labelled{Label: labelOf(s.Type, s.FormattedType), Value: s.Value, Protocol: "sip", Primary: primary(s.Metadata)})
	}
}

func life(p *people.Person, c *sources.Contact) {
	for _, o := range p.Organizations {
		c.Organizations = append(c.Organizations, sources.Organization{
			Label: labelOf(o.Type, o.FormattedType), Name: o.Name, Department: o.Department, Title: o.Title, Primary: primary(o.Metadata) || o.Current,
		})
		of := "of " + cmp.Or(o.Name, o.Title, "the organization")
		c.Others = append(c.Others, filled(
			sources.Labelled{Label: "Domain " + of, Value: o.Domain}, sources.Labelled{Label: "Task " + of, Value: o.JobDescription},
			sources.Labelled{Label: "Location " + of, Value: o.Location}, sources.Labelled{Label: "Symbol " + of, Value: o.Symbol},
			sources.Labelled{Label: "Cost center " + of, Value: o.CostCenter}, sources.Labelled{Label: "Phonetic name " + of, Value: o.PhoneticName},
			sources.Labelled{Label: "Begin " + of, Value: dayText(o.StartDate)}, sources.Labelled{Label: "End " + of, Value: dayText(o.EndDate)})...)
		if o.FullTimeEquivalentMillipercent != 0 {
			c.Others = append(c.Others, sources.Labelled{Label: "Full-time share " + of, Value: fmt.Sprintf("%g %%", float64(o.FullTimeEquivalentMillipercent)/1000)})
		}
	}
	for _, o := range p.Occupations {
		c.Occupations = append(c.Occupations, o.Value)
	}
	for _, b := range primaryFirst(p.Birthdays, func(b *people.Birthday) *people.FieldMetadata { return b.Metadata }) {
		d := dateOf("", b.Date)
		d.Text = b.Text
		c.Birthdays = append(c.Birthdays, d)
	}
	for _, e := range p.Events {
		c.Dates = append(c.Dates, dateOf(labelOf(e.Type, e.FormattedType), e.Date))
	}
	for _, r := range p.Relations {
		c.Relations = append(c.Relations, sources.Labelled{Label: labelOf(r.Type, r.FormattedType), Value: r.Person})
	}
	for i, g := range primaryFirst(p.Genders, func(g *people.Gender) *people.FieldMetadata { return g.Metadata }) {
		if i > 0 {
			c.Others = append(c.Others, filled(sources.Labelled{Label: "Gender", Value: g.Value})...)
		} else {
			c.Gender = g.Value
		}
		c.Others = append(c.Others, filled(sources.Labelled{Label: "Pronouns", Value: g.AddressMeAs})...)
	}
}

func dateOf(label string, d *people.Date) sources.ContactDate {
	out := sources.ContactDate{Label: label}
	if d != nil {
		out.Year, out.Month, out.Day = int(d.Year), int(d.Month), int(d.Day)
	}
	return out
}

func dayText(d *people.Date) string {
	if d == nil {
		return ""
	}
	return strings.TrimSuffix(fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day), "-00")
}

// others keeps what no address book has a field for.
func others(p *people.Person, c *sources.Contact) {
	add := func(label, value string) {
		c.Others = append(c.Others, filled(sources.Labelled{Label: label, Value: value})...)
	}
	for _, b := range p.Biographies {
		if b.ContentType == "TEXT_HTML" {
			c.NotesHTML = append(c.NotesHTML, b.Value)
			continue
		}
		c.Notes = append(c.Notes, b.Value)
	}
	for _, u := range p.UserDefined {
		add(u.Key, u.Value)
	}
	for _, x := range p.ExternalIds {
		add(cmp.Or(x.FormattedType, x.Type, "Id"), x.Value)
	}
	for _, x := range p.Interests {
		add("Interest", x.Value)
	}
	for _, x := range p.Skills {
		add("Skill", x.Value)
	}
	for _, x := range p.Locales {
		add("Language", x.Value)
	}
	for _, x := range p.MiscKeywords {
		add(cmp.Or(x.FormattedType, x.Type, "Keyword"), x.Value)
	}
	for _, x := range p.AgeRanges {
		add("Age", x.AgeRange)
	}
	for _, x := range p.Locations {
		add(placeOf(x), strings.Join(nonEmpty(x.Value, x.BuildingId, x.FloorSection, x.Floor, x.DeskCode), ", "))
	}
}

// placeOf is what a place is to the person: Google has words for where somebody sits and grew up, others are the user's own.
func placeOf(l *people.Location) string {
	label := cmp.Or(map[string]string{"": "Place of work", "desk": "Place of work", "grewUp": "Grew up in"}[l.Type], l.Type)
	if l.Current {
		label += " (current)"
	}
	return label
}

func nonEmpty(list ...string) []string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

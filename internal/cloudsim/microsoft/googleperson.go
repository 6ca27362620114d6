package microsoft

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// googleContact is the part of a contact of Google's People API that Outlook would have too.
type googleContact struct {
	Names []struct {
		DisplayName, UnstructuredName, HonorificPrefix, GivenName, MiddleName, FamilyName, HonorificSuffix string
		PhoneticGivenName, PhoneticFamilyName                                                              string
	}
	Nicknames, Occupations, Biographies, FileAses []struct{ Value string }

	EmailAddresses []struct{ Value, DisplayName string }
	PhoneNumbers   []googleLabelled
	URLs           []googleLabelled
	Addresses      []googlePlace
	Organizations  []struct{ Type, Name, Department, Title, Location, PhoneticName string }
	IMClients      []struct{ Username string }
	Relations      []struct{ Person, Type string }
	Birthdays      []struct {
		Date struct{ Year, Month, Day int }
	}
	Memberships []struct {
		ContactGroupMembership struct{ ContactGroupID string }
	}
	Photos []struct{ URL string }
}

type googleLabelled struct{ Value, Type string }

type googlePlace struct{ Type, FormattedValue, StreetAddress, ExtendedAddress, PoBox, City, Region, PostalCode, Country string }

// contactOf writes a contact of Google's People API as Graph does; groups are the names of contact groups by their ids. What Outlook has no
// member for is left out. The url of its first photo is returned as it is; empty: none.
func contactOf(raw json.RawMessage, groups map[string]string) (o object, photo string, err error) {
	var g googleContact
	if err := json.Unmarshal(raw, &g); err != nil {
		return nil, "", err
	}
	o = object{}
	g.names(o)
	g.reach(o)
	g.places(o)
	g.ties(o)
	categories := []string{}
	for _, m := range g.Memberships {
		if name, own := groups[m.ContactGroupMembership.ContactGroupID]; own {
			categories = append(categories, name)
		}
	}
	o["categories"] = categories
	if len(g.Photos) > 0 {
		photo = g.Photos[0].URL
	}
	return o, photo, nil
}

// set writes a member unless it is empty.
func (o object) set(name, value string) {
	if value != "" {
		o[name] = value
	}
}

// lines writes breaks as Outlook does.
func lines(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
}

func first(values []struct{ Value string }) string {
	if len(values) == 0 {
		return ""
	}
	return values[0].Value
}

func (g googleContact) names(o object) {
	for _, n := range g.Names[:min(1, len(g.Names))] {
		parts := strings.Fields(strings.Join([]string{n.HonorificPrefix, n.GivenName, n.MiddleName, n.FamilyName, n.HonorificSuffix}, " "))
		o.set("displayName", cmp.Or(n.DisplayName, n.UnstructuredName, strings.Join(parts, " ")))
		for name, value := range map[string]string{"title": n.HonorificPrefix, "givenName": n.GivenName, "middleName": n.MiddleName,
			"surname": n.FamilyName, "generation": n.HonorificSuffix, "yomiGivenName": n.PhoneticGivenName, "yomiSurname": n.PhoneticFamilyName} {
			o.set(name, value)
		}
	}
	o.set("fileAs", first(g.FileAses))
	o.set("nickName", first(g.Nicknames))
	o.set("profession", first(g.Occupations))
	o.set("personalNotes", lines(first(g.Biographies)))
	for _, w := range g.Organizations {
		if w.Type == "school" {
			continue
		}
		for name, value := range map[string]string{"companyName": w.Name, "department": w.Department, "jobTitle": w.Title,
			"officeLocation": w.Location, "yomiCompanyName": w.PhoneticName} {
			o.set(name, value)
		}
		break
	}
	for _, b := range g.Birthdays {
		if b.Date.Month > 0 && b.Date.Day > 0 { // the others are a text only
			o["birthday"] = fmt.Sprintf("%04d-%02d-%02dT11:59:00Z", cmp.Or(b.Date.Year, 1604), b.Date.Month, b.Date.Day) // 1604: Outlook's "no year"
			break
		}
	}
}

// reach writes three mail addresses, two telephone numbers each of home and work, one mobile, one page and three addresses for messages.
func (g googleContact) reach(o object) {
	mails := []object{}
	for _, e := range g.EmailAddresses[:min(3, len(g.EmailAddresses))] {
		mails = append(mails, object{"name": cmp.Or(e.DisplayName, o.text("displayName"), e.Value), "address": e.Value})
	}
	o["emailAddresses"] = mails
	phones := map[string][]string{"home": {}, "work": {}, "mobile": {}}
	for _, p := range g.PhoneNumbers {
		if numbers, there := phones[p.Type]; there && len(numbers) < 2 {
			phones[p.Type] = append(numbers, p.Value)
		}
	}
	o["homePhones"], o["businessPhones"] = phones["home"], phones["work"]
	if len(phones["mobile"]) > 0 {
		o["mobilePhone"] = phones["mobile"][0]
	}
	if len(g.URLs) > 0 {
		o["businessHomePage"] = g.URLs[0].Value
	}
	ims := []string{}
	for _, c := range g.IMClients[:min(3, len(g.IMClients))] {
		ims = append(ims, c.Username)
	}
	o["imAddresses"] = ims
}

// places writes an address each of home and work and one other, the first of its kind.
func (g googleContact) places(o object) {
	for _, a := range g.Addresses {
		name := "otherAddress"
		switch a.Type {
		case "home":
			name = "homeAddress"
		case "work":
			name = "businessAddress"
		}
		if o[name] == nil {
			o[name] = a.graph()
		}
	}
}

func (a googlePlace) graph() object {
	var street []string
	for _, line := range []string{a.StreetAddress, a.ExtendedAddress, a.PoBox} {
		if line != "" {
			street = append(street, line)
		}
	}
	o := object{}
	for name, value := range map[string]string{"street": strings.Join(street, "\n"), "city": a.City, "state": a.Region,
		"postalCode": a.PostalCode, "countryOrRegion": a.Country} {
		o.set(name, lines(value))
	}
	if len(o) == 0 {
		o.set("street", lines(a.FormattedValue))
	}
	return o
}

func (g googleContact) ties(o object) {
	children := []string{}
	for _, r := range g.Relations {
		switch name := map[string]string{"spouse": "spouseName", "manager": "manager", "assistant": "assistantName"}[r.Type]; {
		case r.Type == "child":
			children = append(children, r.Person)
		case name != "" && o[name] == nil:
			o.set(name, r.Person)
		}
	}
	o["children"] = children
}

package organisation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// list is a JSON list of objects.
type list = []map[string]any

// persona makes the contacts of one user; it draws from a source of its own, so that nothing else depends on their number.
type persona struct {
	rng *rand.Rand
	n   int // of the contact, from 0
}

// contacts makes contacts in two groups, and an other contact for every tenth.
func (g *generator) contacts(u *User, number int) {
	if g.Contacts == 0 {
		return
	}
	u.ContactGroups = []ContactGroup{{"suppliers", "Suppliers"}, {"choir", "Chœur & Ensemble"}}
	p := &persona{rng: rand.New(rand.NewPCG(uint64(g.Seed), 1000+uint64(number)))}
	for p.n = range g.Contacts {
		u.Contacts = append(u.Contacts, p.person())
		if p.n%10 == 0 {
			address := fmt.Sprintf("noreply+%d@shop.example.net", p.n)
			u.OtherContacts = append(u.OtherContacts, map[string]any{"emailAddresses": list{{"value": address}},
				"names": list{{"displayName": address}}})
		}
	}
}

func pick[T any](p *persona, from ...T) T { return from[p.rng.IntN(len(from))] }

// some says yes in that share of the cases, in percent.
func (p *persona) some(percent int) bool { return p.rng.IntN(100) < percent }

// person makes a contact: every eighth has a company and no name, every fifth has nothing but a name and an address, and every
// sixteenth, from the first on, has every field there is.
func (p *persona) person() map[string]any {
	c := map[string]any{}
	full := p.n%16 == 0
	p.reach(c)
	if p.n%8 == 5 {
		c["organizations"] = list{{"name": fmt.Sprintf("Bäckerei & Söhne %d; GmbH", p.n), "type": "work"}}
		return c
	}
	given := pick(p, "Zoë", "Björn", "Łucja", "María José", "Ahmed", "Ольга", "美咲", "Seán", "Inès", "Anna")
	family := pick(p, "Müller", "O’Brien", "de la Cruz", "Nguyễn", "Иванова", "田中", "Smith", "Østergård", "Ağaoğlu")
	name := map[string]any{"givenName": given, "familyName": family}
	if full || p.some(25) {
		name["honorificPrefix"], name["honorificSuffix"], name["middleName"] = "Dr.", "Jr.", "Q."
		name["phoneticGivenName"], name["phoneticMiddleName"], name["phoneticFamilyName"] = "gi-ven", "kyu", "fa-mi-ly"
	}
	c["names"] = list{name}
	if p.n%5 == 4 {
		return c
	}
	p.places(c, full)
	p.dates(c, full)
	p.ties(c, full)
	if full {
		p.rarities(c)
	}
	return c
}

// reach adds e-mail addresses and telephone numbers with labels of Google's and of the user's own.
func (p *persona) reach(c map[string]any) {
	kinds := []string{"home", "work", "other", "Ferienhaus – Süd"}
	mails := list{}
	for i := range 1 + p.rng.IntN(3) {
		mails = append(mails, map[string]any{"value": fmt.Sprintf("person%d.%d@contacts.example.net", p.n, i), "type": kinds[i],
			"displayName": fmt.Sprintf("Person %d", p.n)})
	}
	c["emailAddresses"] = mails
	phones := list{}
	for i, kind := range []string{"mobile", "home", "work", "homeFax", "workFax", "pager", "main", "Autotelefon"}[:p.rng.IntN(9)] {
		number := fmt.Sprintf("+4930%06d%d", p.n, i)
		phones = append(phones, map[string]any{"value": number[:3] + " " + number[3:5] + " " + number[5:], "canonicalForm": number, "type": kind})
	}
	if len(phones) > 0 {
		c["phoneNumbers"] = phones
	}
}

// places adds addresses and employers.
func (p *persona) places(c map[string]any, full bool) {
	if full || p.some(50) {
		c["addresses"] = list{
			{"type": "home", "streetAddress": fmt.Sprintf("Große Straße %d", p.n), "extendedAddress": "Hinterhaus, 3. OG", "city": "Köln", "region": "NRW",
				"postalCode": "50667", "country": "Germany", "countryCode": "DE", "poBox": "12 34",
				"formattedValue": fmt.Sprintf("Große Straße %d\nHinterhaus, 3. OG\n50667 Köln\nGermany", p.n)},
			{"type": "Atelier", "formattedValue": "Somewhere by the sea"},
		}
	}
	if full || p.some(40) {
		c["organizations"] = list{
			{"type": "work", "name": "ACME, Inc.", "department": "Research; Development", "title": "Head of R&D", "current": true,
				"jobDescription": "Inventions", "startDate": date(2015, 4, 1), "location": "Building 7",
				"domain": "acme.example.net", "symbol": "ACME", "phoneticName": "ak-mi", "costCenter": "CC-17"},
			{"type": "school", "name": "École Nationale", "endDate": date(2014, 6, 0)},
		}
	}
}

func date(year, month, day int) map[string]any {
	d := map[string]any{}
	for name, n := range map[string]int{"year": year, "month": month, "day": day} {
		if n > 0 {
			d[name] = n
		}
	}
	return d
}

// dates adds birthdays with and without a year, one that is text only, and anniversaries.
func (p *persona) dates(c map[string]any, full bool) {
	switch kind := p.rng.IntN(5); {
	case full || kind == 0:
		c["birthdays"] = list{{"date": date(1960+p.n%40, 2, 28), "text": fmt.Sprintf("%d-02-28", 1960+p.n%40)}}
	case kind == 1:
		c["birthdays"] = list{{"date": date(0, 2, 29)}}
	case kind == 2:
		c["birthdays"] = list{{"text": "Anfang März"}}
	}
	if full || p.some(20) {
		c["events"] = list{{"type": "anniversary", "date": date(2001, 9, 15)}, {"type": "Namenstag", "date": date(0, 12, 6)}, {"type": "other", "date": date(2020, 1, 1)}}
	}
}

// ties adds what connects the contact with others and with groups, notes and a photo.
func (p *persona) ties(c map[string]any, full bool) {
	if full || p.some(30) {
		c["nicknames"] = list{{"value": "Zo\\zo, the “Great”"}}
		c["relations"] = list{{"person": "Bo Müller", "type": "spouse"}, {"person": "Kim", "type": "assistant"}, {"person": "Ada", "type": "Patentante"}}
		c["urls"] = list{{"value": fmt.Sprintf("https://example.net/~p%d?a=1&b=2", p.n), "type": "homePage"},
			{"value": "https://blog.example.net/", "type": "blog"}}
	}
	if full || p.some(30) {
		c["biographies"] = list{{"value": "First line\nSecond line; with, signs \\ and an emoji 🎻\n" + strings.Repeat("Note. ", p.rng.IntN(40)), "contentType": "TEXT_PLAIN"}}
		c["userDefined"] = list{{"key": "Kundennummer", "value": fmt.Sprint(10_000 + p.n)}, {"key": "Shoe size", "value": "42½"}}
		c["imClients"] = list{{"username": fmt.Sprintf("p%d", p.n), "protocol": "jabber", "type": "home"},
			{"username": "p@matrix.example.net", "protocol": "Matrix"}}
	}
	if memberships := p.memberships(full); len(memberships) > 1 {
		c["memberships"] = memberships
	}
	if full || p.some(25) {
		c["photos"] = list{{"url": fmt.Sprintf("generate:%d", 4_000+p.rng.IntN(20_000))}}
	}
}

func (p *persona) memberships(full bool) list {
	in := func(id string) map[string]any {
		return map[string]any{"contactGroupMembership": map[string]any{"contactGroupId": id, "contactGroupResourceName": "contactGroups/" + id}}
	}
	memberships := list{in("myContacts")}
	for _, id := range []string{"suppliers", "choir", "starred"} {
		if full || p.some(20) {
			memberships = append(memberships, in(id))
		}
	}
	return memberships
}

// rarities adds the fields that few people use.
func (p *persona) rarities(c map[string]any) {
	value := func(v string) list { return list{{"value": v}} }
	c["fileAses"] = value("Müller, Zoë (Köln)")
	c["sipAddresses"] = list{{"value": fmt.Sprintf("sip:p%d@voip.example.net", p.n), "type": "work"}}
	c["calendarUrls"] = list{{"url": "https://calendar.example.net/busy.ics", "type": "freeBusy"}}
	c["externalIds"] = list{{"value": "E-4711", "type": "organization"}, {"value": "77", "type": "Ausweis"}}
	c["occupations"], c["interests"], c["skills"] = value("Geigenbauerin"), value("Bergsteigen"), value("Löten")
	c["locations"] = list{{"value": "Desk 4", "type": "desk", "buildingId": "B7", "floor": "3", "floorSection": "A", "deskCode": "D4", "current": true}}
	c["miscKeywords"] = list{{"value": "billing: 12", "type": "OUTLOOK_BILLING_INFORMATION"}, {"value": "VIP", "type": "WORK"}}
	c["locales"] = value("de-DE")
	c["genders"] = list{pick(p, map[string]any{"value": "female", "formattedValue": "Female"},
		map[string]any{"value": "unspecified", "addressMeAs": "they/them"})}
	c["ageRanges"] = list{{"ageRange": "TWENTY_ONE_OR_OLDER"}}
	c["clientData"] = list{{"key": "sync-id", "value": fmt.Sprintf("x-%d", p.n)}}
}

// tasks makes two lists whose tasks are open, due, completed, hidden, deleted, assigned, linked and below others in turn.
func (g *generator) tasks(u *User, number int) {
	if g.Tasks == 0 {
		return
	}
	u.TaskLists = []TaskList{{Title: "My Tasks"}, {Title: "Größere Vorhaben"}}
	for i := range g.Tasks {
		l := &u.TaskLists[i%2]
		at := g.start.Add(time.Duration(i) * 5 * time.Hour)
		place := i / 2
		t := map[string]any{"id": fmt.Sprintf("task%04d%06d", number, i), "title": fmt.Sprintf("Aufgabe %d – prüfen", i+1), "status": "needsAction",
			"updated": stamp(at), "position": fmt.Sprintf("%020d", 1_000_000-place)} // the last one is on top
		switch place % 8 {
		case 0:
			t["due"] = at.Format(time.DateOnly) + "T00:00:00.000Z"
			t["notes"] = "One line\nand another; with äöü 🎈"
		case 1:
			t["parent"], t["position"] = l.Tasks[place-1]["id"], fmt.Sprintf("%020d", 0)
		case 2:
			t["status"], t["completed"] = "completed", stamp(at.Add(time.Hour))
		case 3:
			t["status"], t["completed"], t["hidden"] = "completed", stamp(at.Add(time.Hour)), true
		case 4:
			t["deleted"] = true
		case 5:
			t["assignmentInfo"] = map[string]any{"linkToTask": "https://docs.google.com/document/d/x/edit", "surfaceType": "DOCUMENT",
				"driveResourceInfo": map[string]any{"driveFileId": "x"}}
		case 6:
			t["links"] = list{{"type": "email", "description": "Betreff: Angebot", "link": "https://mail.google.com/mail/#all/18c"}}
		case 7:
			t["title"] = ""
		}
		l.Tasks = append(l.Tasks, t)
	}
}

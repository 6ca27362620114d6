package microsoft

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// makeUp gives every user with a mailbox the contacts and tasks of the Spec.
func (d *Data) makeUp(s organisation.Spec) error {
	for i, u := range d.Users() {
		if u.NoMailbox {
			continue
		}
		m := &maker{data: d, email: u.Email, rng: rand.New(rand.NewPCG(uint64(s.Seed), 1000+uint64(i)))}
		for n := range s.Contacts {
			if err := m.contact(n); err != nil {
				return err
			}
		}
		if err := m.tasks(s.Tasks); err != nil {
			return err
		}
	}
	return nil
}

// maker makes up what is in one account.
type maker struct {
	data  *Data
	email string
	rng   *rand.Rand
}

func (m *maker) of(list ...string) string { return list[m.rng.IntN(len(list))] }

func (m *maker) phone() string {
	return fmt.Sprintf("+49 %d %07d", 30+m.rng.IntN(900), m.rng.IntN(10_000_000))
}

// contact makes every seventh contact one with all members, and every eleventh a company without a name. Every third has a picture.
func (m *maker) contact(n int) error {
	o := m.person(n)
	switch {
	case n%7 == 0:
		m.everything(o)
	case n%11 == 10:
		o = object{"companyName": fmt.Sprintf("Gärtnerei %d GmbH & Co. KG", n), "businessPhones": []string{m.phone()}, "homePhones": []string{},
			"birthday": nil, "displayName": ""}
	}
	o["createdDateTime"] = stamp(time.Date(2021, 3, 1, 9, n, 0, 0, time.UTC))
	o["lastModifiedDateTime"] = stamp(time.Date(2022, 3, 1, 9, n, 0, 0, time.UTC))
	folder, err := m.data.ContactFolder(m.email, []string{"", "", "", "", "Kunden", "Kunden/Übersee", "Familie"}[m.rng.IntN(7)])
	if err != nil {
		return err
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return err
	}
	id, err := m.data.AddContact(m.email, folder, raw)
	if err != nil || n%3 != 0 {
		return err
	}
	return m.photo(id, n)
}

// photo sets a picture that is made when somebody asks for it: a small one, and now and then one of a camera.
func (m *maker) photo(id string, n int) error {
	seed, size := m.rng.Uint64(), 2000+m.rng.IntN(4000)
	if n%45 == 42 {
		size = 300 << 10
	}
	return m.data.withContact("make up photo", m.email, id, func(_ *contactBook, e *entry) error {
		e.photo = func() []byte { return Photo(seed, size) }
		return nil
	})
}

func (m *maker) person(n int) object {
	given := m.of("Anna", "Jürgen", "Zoë", "José", "Łukasz", "Ольга", "美咲", "محمد", "O'Neil")
	family := fmt.Sprintf("%s %d", m.of("Müller", "Ångström", "García Márquez", "佐藤", "Иванова", "von der Heide", "D’Angelo"), n)
	return object{"givenName": given, "surname": family, "displayName": given + " " + family, "fileAs": family + ", " + given,
		"emailAddresses": []object{{"name": given + " " + family, "address": fmt.Sprintf("contact%d@example.net", n)}},
		"mobilePhone":    m.phone()}
}

// everything sets all members that a contact has.
func (m *maker) everything(o object) {
	name := o.text("displayName")
	addresses := append(o["emailAddresses"].([]object), object{"name": name + " (privat)", "address": "privat@example.com"},
		object{"name": "", "address": "third@example.org"})
	year := 1940 + m.rng.IntN(70)
	for key, value := range map[string]any{
		"title": m.of("Dr.", "Prof.", "Frau"), "generation": m.of("Jr.", "III"), "initials": "Z.Ö.", "middleName": "Maria", "nickName": "Bärli",
		"yomiGivenName": "みさき", "yomiSurname": "さとう", "yomiCompanyName": "かぶしきがいしゃ", "emailAddresses": addresses,
		"homePhones": []string{m.phone(), m.phone()}, "businessPhones": []string{m.phone(), m.phone()},
		"imAddresses": []string{"sip:user@example.net", "xmpp:user@example.net"}, "companyName": "Müller; Söhne, GmbH", "department": "Vertrieb",
		"officeLocation": "Haus 3, Zimmer 7", "profession": "Kauffrau", "jobTitle": "Leiterin", "manager": "Ute Chef", "assistantName": "Uwe Helfer",
		"spouseName": "Kim", "children": []string{"Åsa", "Bo"}, "businessHomePage": "https://example.net/über?a=1,2;b",
		"categories":    []string{"Rot", "Kunde, alt"},
		"personalNotes": "First line\r\nsecond, with; signs\\\r\n\r\n" + m.of("Ende", "終わり"),
		"birthday":      fmt.Sprintf("%d-%02d-%02dT%s", year, 1+m.rng.IntN(12), 1+m.rng.IntN(28), m.of("11:59:00Z", "00:00:00Z")),
		"homeAddress":   m.address("Köln", "Deutschland"), "businessAddress": m.address("Łódź", "Polska"), "otherAddress": m.address("東京", "日本"),
	} {
		o[key] = value
	}
}

func (m *maker) address(city, country string) object {
	return object{"street": fmt.Sprintf("Straße %d\r\nHinterhaus", 1+m.rng.IntN(200)), "city": city, "state": "Region; " + city,
		"postalCode": fmt.Sprintf("%05d", m.rng.IntN(100_000)), "countryOrRegion": country}
}

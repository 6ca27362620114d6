package mapping

import (
	"cmp"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks"
	"codeberg.org/repatriate/repatriate/sources"
)

// ContactRules say how contacts become vCards.
type ContactRules struct {
	// Version4 writes vCards by RFC 6350; otherwise by RFC 2426, which every server and client reads.
	Version4 bool
}

// Contact returns the mapping of the contacts of one address book. The UID is derived from the id, since providers have none that
// would mean the same contact elsewhere.
func (r ContactRules) Contact(c sources.Contact) (sinks.Contact, []Loss, error) {
	m := contactMapper{v4: r.Version4, card: icalendar.New("VCARD")}
	uid := derivedUID("contact " + c.ID)
	m.begin(uid, c)
	m.names(c)
	m.work(c)
	m.reach(c)
	m.life(c)
	m.rest(c)
	out := sinks.Contact{UID: uid, Data: m.card.Bytes()}
	if c.Photo != nil {
		out.Photo = photo(*c.Photo)
	}
	return out, m.losses, nil
}

// contactMapper holds what is known while one contact is mapped.
type contactMapper struct {
	v4     bool
	card   *icalendar.Component
	groups int
	note   []string // lines for what has no field
	losses []Loss
}

// lose notes a loss; those of one reason are one loss.
func (m *contactMapper) lose(reason, detail string) { m.losses = addLoss(m.losses, reason, detail) }

// begin writes what identifies the card. VERSION comes first (RFC 6350 §6.7.9).
func (m *contactMapper) begin(uid string, c sources.Contact) {
	version := "3.0"
	if m.v4 {
		version = "4.0"
	}
	m.card.Add(icalendar.Raw("VERSION", version), icalendar.Text("PRODID", productID), icalendar.Text("UID", uid))
	if writable(c.Updated) {
		m.card.Add(icalendar.Raw("REV", icalendar.FormatUTC(c.Updated)))
	}
}

// names writes FN, N and what belongs to them.
func (m *contactMapper) names(c sources.Contact) {
	n := c.Name
	m.card.Add(icalendar.Text("FN", m.shown(c)))
	var params []icalendar.Param
	if c.FileAs != "" && m.v4 {
		params = append(params, icalendar.P("SORT-AS", c.FileAs))
	}
	parts := []string{n.Family, n.Given, n.Middle, n.Prefix, n.Suffix}
	if strings.Join(parts, "") == "" && n.Full != "" && len(c.Organizations) == 0 {
		parts[0] = n.Full // an empty N shows as nothing in some clients
	}
	m.card.Add(icalendar.Structured("N", parts, params...))
	for _, name := range nonEmpty(c.Nicknames) {
		m.text("NICKNAME", name) // of a list of them, Radicale keeps the first
	}
	m.text("X-PHONETIC-FIRST-NAME", n.PhoneticGiven)
	m.text("X-PHONETIC-MIDDLE-NAME", n.PhoneticMiddle)
	m.text("X-PHONETIC-LAST-NAME", n.PhoneticFamily)
	m.text("X-PHONETIC-ORG", n.PhoneticOrganization)
	if n.PhoneticGiven+n.PhoneticMiddle+n.PhoneticFamily == "" || !contains(n.PhoneticFull, n.PhoneticGiven, n.PhoneticMiddle, n.PhoneticFamily) {
		m.aside("Phonetic name", n.PhoneticFull)
	}
	m.aside("Initials", n.Initials)
	if !m.v4 {
		m.text("SORT-STRING", c.FileAs)
	}
}

// contains reports whether the text holds each of the parts.
func contains(text string, parts ...string) bool {
	return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(text, p) })
}

// shown is what the contact is called: FN must not be empty (RFC 6350 §6.2.1).
func (m *contactMapper) shown(c sources.Contact) string {
	if c.Truncated {
		m.lose(ContactTruncated, "")
	}
	name, own := c.Shown()
	if !own {
		m.lose(ContactNameless, "")
	}
	return cmp.Or(joined(name), "(no name)")
}

// work writes organizations. Name and title of one are tied together by a group.
func (m *contactMapper) work(c sources.Contact) {
	for i, o := range c.Organizations {
		group := ""
		if _, own := m.types(o.Label); own != "" || len(c.Organizations) > 1 {
			group = m.group()
		}
		if o.Name+o.Department != "" {
			p := icalendar.Structured("ORG", organizationParts(o), m.preferred(o.Primary && i > 0)...)
			m.addIn(group, p)
		}
		if o.Title != "" {
			m.addIn(group, icalendar.Text("TITLE", o.Title))
		}
		m.ownLabel(group, o.Label, o.Name+o.Department+o.Title != "")
	}
	for _, o := range nonEmpty(c.Occupations) {
		m.text("ROLE", o)
	}
	if c.Name.Full == "" && c.Name.Given+c.Name.Family == "" && len(c.Organizations) > 0 {
		if m.v4 {
			m.text("KIND", "org")
		}
		m.text("X-ABShowAs", "COMPANY")
	}
}

// organizationParts are the parts of ORG (RFC 6350 §6.6.4).
func organizationParts(o sources.Organization) []string {
	if o.Department == "" {
		return []string{o.Name}
	}
	return []string{o.Name, o.Department}
}

// reach writes all ways to reach the contact.
func (m *contactMapper) reach(c sources.Contact) {
	for _, e := range c.Emails {
		if !isAddress(e.Value) {
			m.aside("E-mail", strings.TrimSpace(e.Name+" "+e.Value))
			m.lose(ContactAddressInvalid, e.Value)
			continue
		}
		m.labelled("EMAIL", e, "INTERNET")
		if e.Name != "" && e.Name != c.Name.Full && e.Name != e.Value {
			m.aside("Name of "+e.Value, e.Name)
		}
	}
	for _, p := range c.Phones {
		m.labelled("TEL", p, "VOICE")
	}
	for _, u := range c.URLs {
		m.labelled("URL", u, "")
	}
	for _, a := range c.Addresses {
		m.address(a)
	}
	for _, im := range c.IMs {
		im.Value = imURI(im)
		m.labelled("IMPP", im, "")
	}
	for _, u := range c.Calendars {
		name := "CALURI" // RFC 2739
		if strings.EqualFold(u.Label, "freeBusy") {
			name, u.Label = "FBURL", ""
		}
		m.labelled(name, u, "")
	}
}

// isAddress reports whether s is a mail address: some servers refuse a card with one that is none.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && !strings.ContainsAny(s, "\r\n")
}

func (m *contactMapper) address(a sources.PostalAddress) {
	parts := []string{a.POBox, a.Extended, a.Street, a.City, a.Region, a.PostalCode, a.Country}
	if strings.Join(parts, "") == "" {
		if a.Formatted == "" {
			return
		}
		parts[2] = a.Formatted
	}
	types, own := m.types(a.Label)
	p := icalendar.Structured("ADR", parts, append(types, m.preferred(a.Primary)...)...)
	group := m.groupFor(own)
	m.addIn(group, p)
	m.ownLabel(group, own, true)
}

// life writes dates and relations.
func (m *contactMapper) life(c sources.Contact) {
	for i, d := range c.Birthdays {
		if i == 0 && m.date("BDAY", d) {
			continue
		}
		m.ownDate(d, "Birthday")
	}
	anniversary := false
	for _, d := range c.Dates {
		if !anniversary && strings.EqualFold(d.Label, "anniversary") && m.date(m.name("ANNIVERSARY", "X-ANNIVERSARY"), d) {
			anniversary = true
			continue
		}
		m.ownDate(d, cmp.Or(d.Label, "Date"))
	}
	for _, r := range c.Relations {
		m.relation(r)
	}
	if c.Gender != "" {
		m.gender(c.Gender)
	}
}

// name chooses by version.
func (m *contactMapper) name(v4, v3 string) string {
	if m.v4 {
		return v4
	}
	return v3
}

func (m *contactMapper) gender(word string) {
	letter, known := map[string]string{"male": "M", "female": "F", "other": "O", "unspecified": "U"}[strings.ToLower(word)]
	switch {
	case !m.v4:
		m.text("X-GENDER", word)
	case known:
		m.card.Add(icalendar.Raw("GENDER", letter))
	default:
		m.card.Add(icalendar.Raw("GENDER", ";"+icalendar.EscapeText(word)))
	}
}

// rest writes categories and the note.
func (m *contactMapper) rest(c sources.Contact) {
	groups := c.Groups
	if c.Starred {
		groups = append(slices.Clone(groups), "Starred")
	}
	if groups = nonEmpty(groups); len(groups) > 0 {
		m.card.Add(icalendar.TextList("CATEGORIES", groups))
	}
	for _, o := range c.Others {
		m.aside(o.Label, o.Value)
	}
	notes := nonEmpty(c.Notes)
	for _, note := range c.NotesHTML {
		notes = append(notes, nonEmpty([]string{plainText(note)})...)
	}
	if len(m.note) > 0 {
		notes = append(notes, strings.Join(m.note, "\n"))
	}
	m.text("NOTE", strings.Join(notes, "\n\n"))
}

// aside puts into the note what has no field.
func (m *contactMapper) aside(label, value string) {
	if strings.TrimSpace(value) == "" {
		return
	}
	m.note = append(m.note, fmt.Sprintf("%s: %s", cmp.Or(label, "Other"), value))
	m.lose(ContactInNote, label)
}

func (m *contactMapper) text(name, value string) {
	if value != "" {
		m.card.Add(icalendar.Text(name, value))
	}
}

func nonEmpty(list []string) []string {
	var out []string
	for _, s := range list {
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

// photo is the body of a picture.
func photo(b sources.Body) sinks.Body {
	out := sinks.Body(b)
	out.Open = photoOpen(b.Open)
	return out
}

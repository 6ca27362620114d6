package mapping

import (
	"fmt"
	"strings"
	"unicode"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sources"
)

// people adds organizer and guests. SCHEDULE-AGENT=CLIENT on each says that no server is to mail them (RFC 6638 §7.1);
// NONE would say the same, but sabre does not know it.
func (m *eventMapper) people(c *icalendar.Component, o sources.Occurrence) {
	m.peopleLosses(o)
	guests := m.guests(o)
	// An appointment without guests is no group event and has no organizer (RFC 5545 §3.8.4.3).
	if p := o.Organizer; p != nil && (len(guests) > 0 || o.AttendeesOmitted || !p.Self) {
		if address, ok := m.address(*p); ok {
			c.Add(icalendar.Raw("ORGANIZER", address, named(*p, icalendar.P("SCHEDULE-AGENT", "CLIENT"))...))
		}
	}
	c.Add(guests...)
}

func (m *eventMapper) peopleLosses(o sources.Occurrence) {
	if o.AttendeesOmitted {
		m.lose(EventAttendeesOmitted, "the provider gave only a part of the guests")
	}
	if o.GuestsHidden && len(o.Attendees) > 0 {
		m.lose(EventGuestsHidden, "guests can see one another")
	}
}

// guests returns an ATTENDEE for each guest, once.
func (m *eventMapper) guests(o sources.Occurrence) []icalendar.Property {
	var guests []icalendar.Property
	seen := map[string]bool{}
	for _, a := range o.Attendees {
		address, ok := m.address(a)
		key := strings.ToLower(address)
		if address == noAddress {
			key += a.Name + "\x00" + a.Email
		}
		if !ok || seen[key] {
			continue
		}
		seen[key] = true
		if a.AdditionalGuests > 0 {
			m.lose(EventAdditionalGuests, "a guest's number of further guests is not shown")
		}
		guests = append(guests, icalendar.Raw("ATTENDEE", address, guestParams(a)...))
	}
	return guests
}

func guestParams(a sources.Attendee) []icalendar.Param {
	params := named(a)
	kind, role := "INDIVIDUAL", "REQ-PARTICIPANT"
	switch {
	case a.Resource:
		kind, role = "RESOURCE", "NON-PARTICIPANT"
	case a.Optional:
		role = "OPT-PARTICIPANT"
	}
	params = append(params, icalendar.P("CUTYPE", kind), icalendar.P("ROLE", role))
	status := "NEEDS-ACTION"
	switch a.Response {
	case "accepted", "declined", "tentative":
		status = strings.ToUpper(a.Response)
	default:
		params = append(params, icalendar.P("RSVP", "TRUE"))
	}
	params = append(params, icalendar.P("PARTSTAT", status), icalendar.P("SCHEDULE-AGENT", "CLIENT"))
	if a.AdditionalGuests > 0 {
		params = append(params, icalendar.P("X-NUM-GUESTS", fmt.Sprint(a.AdditionalGuests)))
	}
	if a.Comment != "" {
		params = append(params, icalendar.P("X-RESPONSE-COMMENT", a.Comment))
	}
	return params
}

// named adds what a person is called: by name, or by what stands where an address should.
func named(a sources.Attendee, params ...icalendar.Param) []icalendar.Param {
	name := a.Name
	if name == "" && !isMailAddress(bare(a.Email)) {
		name = shortName(a.Email)
	}
	if name == "" {
		return params
	}
	return append([]icalendar.Param{icalendar.P("CN", name)}, params...)
}

// noAddress is the address of somebody who has none that mail could go to: the URI that Exchange writes there.
const noAddress = "invalid:nomail"

// shortName bounds what was to be an address.
func shortName(s string) string {
	const longest = 200
	runes := []rune(oneLine(s))
	return string(runes[:min(longest, len(runes))])
}

// bare returns an address without the scheme that some programs write before it.
func bare(address string) string {
	address = strings.TrimSpace(address)
	for _, scheme := range []string{"mailto:", "smtp:"} {
		if len(address) > len(scheme) && strings.EqualFold(address[:len(scheme)], scheme) {
			return address[len(scheme):]
		}
	}
	return address
}

// isMailAddress reports whether mail could go to an address. Names of an X.500 directory (/o=ExchangeLabs/…) are none.
func isMailAddress(address string) bool {
	local, domain, _ := strings.Cut(address, "@")
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>"(),:;\@`, r)
	}
	return local != "" && domain != "" && len(address) <= 320 && !strings.ContainsFunc(local+domain, bad)
}

// address returns a person's address as a mailto URI (RFC 6068). Who has none stays with a name alone; ok is false if there is no name either.
func (m *eventMapper) address(a sources.Attendee) (address string, ok bool) {
	email := bare(a.Email)
	if !isMailAddress(email) {
		who := strings.TrimSpace(a.Name + " " + email)
		if who == "" {
			return "", false
		}
		m.lose(EventAttendeeAddress, "somebody without a usable address: "+who)
		return noAddress, true
	}
	var b strings.Builder
	b.WriteString("mailto:")
	for _, c := range []byte(email) {
		if c >= 0x80 || strings.IndexByte("%?&#/[]^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

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
			c.Add(icalendar.Raw("ORGANIZER", address, named(p.Name, icalendar.P("SCHEDULE-AGENT", "CLIENT"))...))
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

// guests returns an ATTENDEE for each guest that has an address.
func (m *eventMapper) guests(o sources.Occurrence) []icalendar.Property {
	var guests []icalendar.Property
	seen := map[string]bool{}
	for _, a := range o.Attendees {
		address, ok := m.address(a)
		if !ok || seen[strings.ToLower(address)] {
			continue
		}
		seen[strings.ToLower(address)] = true
		if a.AdditionalGuests > 0 {
			m.lose(EventAdditionalGuests, "a guest's number of further guests is not shown")
		}
		guests = append(guests, icalendar.Raw("ATTENDEE", address, guestParams(a)...))
	}
	return guests
}

func guestParams(a sources.Attendee) []icalendar.Param {
	params := named(a.Name)
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

func named(name string, params ...icalendar.Param) []icalendar.Param {
	if name == "" {
		return params
	}
	return append([]icalendar.Param{icalendar.P("CN", name)}, params...)
}

// address returns a person's address as a mailto URI (RFC 6068).
func (m *eventMapper) address(a sources.Attendee) (string, bool) {
	local, domain, _ := strings.Cut(a.Email, "@")
	bad := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`<>"(),:;\@`, r)
	}
	if local == "" || domain == "" || len(a.Email) > 320 || strings.ContainsFunc(local+domain, bad) {
		m.lose(EventAttendeeAddress, "somebody without a usable address: "+strings.TrimSpace(a.Name+" "+a.Email))
		return "", false
	}
	var b strings.Builder
	b.WriteString("mailto:")
	for _, c := range []byte(a.Email) {
		if c >= 0x80 || strings.IndexByte("%?&#/[]^`{|}", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

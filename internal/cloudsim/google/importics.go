package google

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ImportICS adds the events of an iCalendar file to a calendar, as Google would hold them after an import: series with
// their exceptions, zones under IANA names. It gives the ids, and an error for each event that Google could not hold,
// such as one in a zone that cannot be identified.
func (d *Data) ImportICS(email, calendarID string, ics []byte) (ids []string, skipped []error, err error) {
	zone := ""
	err = d.withCalendar("import", email, calendarID, func(c *calendar) error { zone = c.details.TimeZone; return nil })
	if err != nil {
		return nil, nil, err
	}
	root := parseICalendar(string(ics))
	in := &icsImport{zones: zoneNames(root), fallback: zone}
	for _, exceptions := range []bool{false, true} {
		for _, c := range root.all("VEVENT") {
			if _, is := c.find("RECURRENCE-ID"); is != exceptions {
				continue
			}
			body, err := in.event(c)
			id := ""
			if err == nil {
				id, err = d.AddEvent(email, calendarID, appendObject(nil, body, nil))
			}
			if err != nil {
				skipped = append(skipped, fmt.Errorf("event %q: %w", c.text("UID"), err))
				continue
			}
			ids = append(ids, id)
		}
	}
	return ids, skipped, nil
}

type icsImport struct {
	zones    map[string]string // IANA name by TZID, for those that a VTIMEZONE tells
	fallback string            // zone of floating times
}

func (in *icsImport) event(c *component) (object, error) {
	uid := c.text("UID")
	if uid == "" {
		uid = fmt.Sprintf("%x@google.com", hashOf("event", fmt.Sprint(c.props))[:13])
	}
	master := fmt.Sprintf("%x", hashOf("uid", uid))[:26]
	o := object{{"id", master}, {"iCalUID", uid}}
	if p, ok := c.find("RECURRENCE-ID"); ok {
		original, err := in.moment(p)
		if err != nil {
			return nil, err
		}
		id, _, err := occurrenceID(o, original.text("date")+original.text("dateTime"))
		if err != nil {
			return nil, err
		}
		o = o.with("id", id).with("recurringEventId", master).with("originalStartTime", original)
	}
	o, err := in.times(o, c)
	if err != nil {
		return nil, err
	}
	o = optional(o, "summary", c.text("SUMMARY"))
	o = optional(o, "description", c.text("DESCRIPTION"))
	o = optional(o, "location", c.text("LOCATION"))
	o = optional(o, "status", word(c.text("STATUS"), "CONFIRMED", "confirmed", "TENTATIVE", "tentative", "CANCELLED", "cancelled"))
	o = optional(o, "transparency", word(c.text("TRANSP"), "TRANSPARENT", "transparent"))
	o = optional(o, "visibility", word(c.text("CLASS"), "PUBLIC", "public", "PRIVATE", "private", "CONFIDENTIAL", "private"))
	if n, err := strconv.ParseInt(c.text("SEQUENCE"), 10, 32); err == nil && n >= 0 {
		o = append(o, member{"sequence", int(n)})
	}
	return in.people(o, c), nil
}

// word translates a value by pairs; what is not among them is "".
func word(value string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if strings.EqualFold(value, pairs[i]) {
			return pairs[i+1]
		}
	}
	return ""
}

func (in *icsImport) times(o object, c *component) (object, error) {
	p, ok := c.find("DTSTART")
	if !ok {
		return nil, fmt.Errorf("no DTSTART")
	}
	start, err := in.moment(p)
	if err != nil {
		return nil, err
	}
	end := later(start, duration(c.text("DURATION")))
	if p, ok := c.find("DTEND"); ok {
		if end, err = in.moment(p); err != nil {
			return nil, err
		}
	}
	o = append(o, member{"start", start}, member{"end", end})
	lines := []any{}
	for _, p := range c.props {
		switch p.name {
		case "RRULE", "EXRULE":
			lines = append(lines, p.name+":"+p.value)
		case "RDATE", "EXDATE":
			line, err := in.dates(p)
			if err != nil {
				return nil, err
			}
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		o = append(o, member{"recurrence", lines})
	}
	return o, nil
}

// dates writes an RDATE or EXDATE with the zone's IANA name.
func (in *icsImport) dates(p property) (string, error) {
	switch kind := strings.ToUpper(p.params["VALUE"]); {
	case kind == "DATE":
		return p.name + ";VALUE=DATE:" + p.value, nil
	case kind == "PERIOD":
		return "", fmt.Errorf("%s of periods", p.name)
	case strings.HasSuffix(p.value, "Z"):
		return p.name + ":" + p.value, nil
	}
	zone, err := in.zone(p)
	if err != nil {
		return "", err
	}
	return p.name + ";TZID=" + zone.String() + ":" + p.value, nil
}

// moment gives start, end or originalStartTime.
func (in *icsImport) moment(p property) (object, error) {
	if day, err := time.Parse("20060102", p.value); err == nil {
		return object{{"date", day.Format(time.DateOnly)}}, nil
	}
	if at, err := time.Parse("20060102T150405Z", p.value); err == nil {
		return object{{"dateTime", at.Format(time.RFC3339)}, {"timeZone", "UTC"}}, nil
	}
	zone, err := in.zone(p)
	if err != nil {
		return nil, err
	}
	at, err := time.ParseInLocation("20060102T150405", p.value, zone)
	if err != nil {
		return nil, err
	}
	return object{{"dateTime", at.Format(time.RFC3339)}, {"timeZone", zone.String()}}, nil
}

// zone finds the IANA zone of a time; floating times are in that of the calendar.
func (in *icsImport) zone(p property) (*time.Location, error) {
	id, ok := p.params["TZID"]
	if !ok {
		id = in.fallback
	}
	candidates := []string{in.zones[id], id, windowsZone(id)}
	if parts := strings.Split(id, "/"); len(parts) > 2 {
		candidates = append(candidates, strings.Join(parts[len(parts)-2:], "/"), strings.Join(parts[len(parts)-3:], "/"))
	}
	for _, name := range candidates {
		if zone, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return zone, nil
		}
	}
	return nil, fmt.Errorf("unknown zone %q", id)
}

// zoneNames reads the names that programs add to their VTIMEZONE.
func zoneNames(root *component) map[string]string {
	names := map[string]string{}
	for _, z := range root.all("VTIMEZONE") {
		names[z.text("TZID")] = z.text("X-LIC-LOCATION")
	}
	return names
}

// windowsZone knows the commonest names only.
func windowsZone(id string) string {
	return map[string]string{
		"W. Europe Standard Time": "Europe/Berlin", "Romance Standard Time": "Europe/Paris", "GMT Standard Time": "Europe/London",
		"Central Europe Standard Time": "Europe/Budapest", "Central European Standard Time": "Europe/Warsaw", "E. Europe Standard Time": "Europe/Chisinau",
		"Eastern Standard Time": "America/New_York", "Central Standard Time": "America/Chicago", "Mountain Standard Time": "America/Denver",
		"Pacific Standard Time": "America/Los_Angeles", "Tokyo Standard Time": "Asia/Tokyo", "China Standard Time": "Asia/Shanghai",
		"India Standard Time": "Asia/Kolkata", "AUS Eastern Standard Time": "Australia/Sydney", "Russian Standard Time": "Europe/Moscow",
	}[id]
}

// later adds a duration; a day without one lasts a day.
func later(start object, by time.Duration) object {
	if day, err := time.Parse(time.DateOnly, start.text("date")); err == nil {
		return object{{"date", day.Add(max(by, 24*time.Hour)).Format(time.DateOnly)}}
	}
	at, err := time.Parse(time.RFC3339, start.text("dateTime"))
	if err != nil {
		return start
	}
	return start.with("dateTime", at.Add(by).Format(time.RFC3339))
}

// duration reads RFC 5545 section 3.3.6; what cannot be read is 0.
func duration(s string) time.Duration {
	var total time.Duration
	n := 0
	for _, c := range strings.TrimPrefix(strings.TrimPrefix(s, "+"), "P") {
		switch {
		case c >= '0' && c <= '9' && n < 1e6:
			n = n*10 + int(c-'0')
			continue
		case c == 'W':
			total += time.Duration(n) * 7 * 24 * time.Hour
		case c == 'D':
			total += time.Duration(n) * 24 * time.Hour
		case c == 'H':
			total += time.Duration(n) * time.Hour
		case c == 'M':
			total += time.Duration(n) * time.Minute
		case c == 'S':
			total += time.Duration(n) * time.Second
		}
		n = 0
	}
	return total
}

// people adds the organizer and the guests.
func (in *icsImport) people(o object, c *component) object {
	guests := []any{}
	for _, p := range c.props {
		address := p.value
		if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
			address = address[7:]
		}
		switch p.name {
		case "ORGANIZER":
			o = append(o, member{"organizer", optional(object{{"email", address}}, "displayName", p.params["CN"])})
		case "ATTENDEE":
			status := word(p.params["PARTSTAT"], "ACCEPTED", "accepted", "DECLINED", "declined", "TENTATIVE", "tentative")
			if status == "" {
				status = "needsAction"
			}
			guest := optional(object{{"email", address}, {"responseStatus", status}}, "displayName", p.params["CN"])
			if strings.EqualFold(p.params["ROLE"], "OPT-PARTICIPANT") {
				guest = append(guest, member{"optional", true})
			}
			guests = append(guests, guest)
		}
	}
	if len(guests) > 0 {
		o = append(o, member{"attendees", guests})
	}
	return o
}

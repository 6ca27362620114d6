package caldav

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/internal/recur"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// format describes objects of a component.
func format(noun, component, kept, rewritten string) dav.Format {
	return dav.Format{
		Times: recur.Object, Noun: noun, Kept: kept, Rewritten: rewritten, Renamed: renamedOf[noun], Aside: asideOf[noun], Joined: joinedOf[noun], Copy: copyObject, Join: joinObject, MediaType: "text/calendar; charset=utf-8", Extension: ".ics", Read: readObject, Stamp: stamp,
		Multiget: func(hrefs string) string {
			return `<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>` +
				hrefs + `</C:calendar-multiget>`
		},
		Query: func(uid string) string {
			return `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop>` +
				`<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="` + component + `"><C:prop-filter name="UID"><C:text-match collation="i;octet">` +
				uid + `</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`
		},
		Data: func(p dav.Prop) string { return p.Calendar },
	}
}

var errNoEvent = errors.New("the object has no component with a UID")

// readObject reads an iCalendar object. What is compared leaves out what servers rewrite: order, unknown properties, zones'
// definitions, DTSTAMP; the core is times, recurrence and titles alone.
func readObject(data []byte) (dav.Object, error) {
	calendar, err := icalendar.Parse(data)
	if err != nil {
		return dav.Object{}, err
	}
	o := dav.Object{Written: dav.WrittenDigest(calendar.Value(dav.DigestProperty))}
	var full, core []string
	for _, c := range calendar.Components {
		if c.Name == "VTIMEZONE" {
			continue
		}
		if p, ok := c.Get("UID"); ok && o.UID == "" {
			o.UID = p.Text()
		}
		if _, exception := c.Get("RECURRENCE-ID"); o.Title == "" || !exception {
			p, _ := c.Get("SUMMARY")
			o.Title = strings.TrimSpace(p.Text())
		}
		o.Scheduled = o.Scheduled || isScheduled(c)
		o.Echo = o.Echo || len(c.All("ORGANIZER"))+len(c.All("ATTENDEE")) > 0
		full = append(full, describe(c, fullProperties))
		core = append(core, describe(c, coreProperties))
	}
	if o.UID == "" {
		return dav.Object{}, errNoEvent
	}
	o.Full, o.Core, o.Meaning = dav.Digest(full), dav.Digest(core), meaningOf(calendar)
	o.Names = dav.CategoryNames(calendar.Components...)
	return o, nil
}

// joinObject returns the object with names of categories that no server parts.
func joinObject(data []byte) ([]byte, error) {
	calendar, err := icalendar.Parse(data)
	if err != nil {
		return nil, err
	}
	dav.JoinNames(calendar.Components...)
	return calendar.Bytes(), nil
}

// stamp returns data with the digest as the last property of the calendar.
func stamp(data []byte, digest string) []byte {
	line := []byte(dav.DigestProperty + ":" + digest + "\r\n")
	i := bytes.Index(data, []byte("\r\nBEGIN:"))
	if i < 0 {
		return data
	}
	return slices.Concat(data[:i+2], line, data[i+2:])
}

// The ways in which values are made comparable.
var (
	coreProperties = map[string]func(icalendar.Property) string{
		"UID": text, "SUMMARY": text, "RECURRENCE-ID": moments, "DTSTART": moments, "DTEND": moments, "DUE": moments,
		"DURATION": duration, "RRULE": rule, "EXRULE": rule, "EXDATE": moments, "RDATE": moments,
	}
	fullProperties = func() map[string]func(icalendar.Property) string {
		all := map[string]func(icalendar.Property) string{
			"DESCRIPTION": text, "LOCATION": text, "COMMENT": text, "CONTACT": text, "RESOURCES": texts, "CATEGORIES": texts,
			"STATUS": word, "CLASS": word, "TRANSP": word, "PRIORITY": word, "SEQUENCE": word, "LAST-MODIFIED": word, "COMPLETED": word,
			"PERCENT-COMPLETE": word, "COLOR": word, "URL": text, "CONFERENCE": text, "ATTACH": text, "GEO": text, "RELATED-TO": text,
			"ORGANIZER": person, "ATTENDEE": person, "TRIGGER": duration, "ACTION": word,
		}
		for name, f := range coreProperties {
			all[name] = f
		}
		return all
	}()
)

// implied are values that mean the same as a missing property.
var implied = map[string]string{"TRANSP": "OPAQUE", "SEQUENCE": "0", "CLASS": "PUBLIC", "PRIORITY": "0"}

// describe returns the significant properties of a component, and of its alarms, in one order.
func describe(c *icalendar.Component, significant map[string]func(icalendar.Property) string) string {
	var lines []string
	lists := map[string][]string{} // servers write a list as one property or as several
	for _, p := range c.Properties {
		f, ok := significant[p.Name]
		if !ok || implied[p.Name] == strings.ToUpper(p.Value) && implied[p.Name] != "" {
			continue
		}
		if p.Name == "EXDATE" || p.Name == "RDATE" || p.Name == "CATEGORIES" {
			key := p.Name + ";" + p.Param("TZID")
			lists[key] = append(lists[key], values(p)...)
			continue
		}
		lines = append(lines, p.Name+"="+f(p))
	}
	for key, list := range lists {
		slices.Sort(list)
		lines = append(lines, key+"="+strings.Join(slices.Compact(list), ","))
	}
	for _, alarm := range c.Children("VALARM") {
		if _, full := significant["TRIGGER"]; full {
			lines = append(lines, "VALARM="+describe(alarm, map[string]func(icalendar.Property) string{"TRIGGER": duration, "ACTION": word}))
		}
	}
	slices.Sort(lines)
	return c.Name + "\n" + strings.Join(lines, "\n")
}

func text(p icalendar.Property) string {
	return strings.TrimSpace(strings.ReplaceAll(p.Text(), "\r", ""))
}

func texts(p icalendar.Property) string {
	list := p.List()
	slices.Sort(list)
	return strings.Join(list, ",")
}

// values returns the parts of a list. Cyrus 3.6 also parts at commas that are escaped.
func values(p icalendar.Property) []string {
	list := strings.Split(p.Text(), ",")
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list
}

func word(p icalendar.Property) string { return strings.ToUpper(strings.TrimSpace(p.Value)) }

func moments(p icalendar.Property) string {
	return p.Param("TZID") + ":" + strings.ToUpper(strings.TrimSpace(p.Value))
}

func duration(p icalendar.Property) string {
	if d, err := icalendar.ParseDuration(p.Value); err == nil {
		return d.String()
	}
	return word(p)
}

// rule sorts the parts of a rule and drops the interval that is meant anyway.
func rule(p icalendar.Property) string {
	parts := strings.Split(word(p), ";")
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "INTERVAL=1" || s == "" })
	slices.Sort(parts)
	return strings.Join(parts, ";")
}

// person compares the address and the answer.
func person(p icalendar.Property) string {
	status := strings.ToUpper(p.Param("PARTSTAT"))
	if status == "NEEDS-ACTION" {
		status = ""
	}
	return strings.ToLower(strings.TrimSpace(p.Value)) + ";" + status
}

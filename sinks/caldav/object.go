package caldav

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
)

// digestProperty holds the digest of an object as this program wrote it.
const digestProperty = "X-REPATRIATE-DIGEST"

// object is what is compared of a calendar object resource.
type object struct {
	uid string
	// people says that the object has an organizer or guests.
	people bool
	// full is a digest of all that a user can change, without what servers rewrite: order, unknown properties, zones'
	// definitions, DTSTAMP. core is one of times, recurrence and titles alone.
	full, core string
	// written is full as it was when this program wrote the object; empty if it did not.
	written string
}

// untouched reports whether the object is as this program wrote it.
func (o object) untouched() bool { return o.written != "" && o.written == o.full }

var errNoEvent = errors.New("the object has no component with a UID")

// readObject reads an iCalendar object.
func readObject(data []byte) (object, error) {
	calendar, err := icalendar.Parse(data)
	if err != nil {
		return object{}, err
	}
	o := object{written: strings.TrimSpace(calendar.Value(digestProperty))}
	var full, core []string
	for _, c := range calendar.Components {
		if c.Name == "VTIMEZONE" {
			continue
		}
		if p, ok := c.Get("UID"); ok && o.uid == "" {
			o.uid = p.Text()
		}
		o.people = o.people || len(c.All("ORGANIZER"))+len(c.All("ATTENDEE")) > 0
		full = append(full, describe(c, fullProperties))
		core = append(core, describe(c, coreProperties))
	}
	if o.uid == "" {
		return object{}, errNoEvent
	}
	o.full, o.core = digest(full), digest(core)
	return o, nil
}

func digest(list []string) string {
	slices.Sort(list)
	sum := sha256.Sum256([]byte(strings.Join(list, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// stamp returns data with the digest as the last property of the calendar.
func stamp(data []byte, digest string) []byte {
	line := []byte(digestProperty + ":" + digest + "\r\n")
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

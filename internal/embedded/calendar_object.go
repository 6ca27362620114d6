package embedded

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// invalid is a refusal of an object, with the precondition of RFC 4791 §5.3.2.1
// or RFC 6352 §6.3.2.1 that it violates.
type invalid struct {
	precondition string
	err          error
}

func (e *invalid) Error() string { return e.precondition + ": " + e.err.Error() }

func badData(format string, args ...any) error {
	return &invalid{"valid-calendar-data", fmt.Errorf(format, args...)}
}

func badObject(format string, args ...any) error {
	return &invalid{"valid-calendar-object-resource", fmt.Errorf(format, args...)}
}

// parsed is what is remembered of an object that was found valid.
type parsed struct {
	uid  string
	kind string // VEVENT, VTODO, … or VCARD
	root *component
}

// parseCalendarObject checks an iCalendar object as a strict CalDAV server does
// (RFC 4791 §4.1).
func parseCalendarObject(text string) (parsed, error) {
	roots, err := parseComponents(text)
	if err != nil {
		return parsed{}, badData("%w", err)
	}
	if len(roots) != 1 || roots[0].name != "VCALENDAR" {
		return parsed{}, badData("not one VCALENDAR")
	}
	root := roots[0]
	if root.value("VERSION") != "2.0" || root.value("PRODID") == "" {
		return parsed{}, badData("VERSION:2.0 and PRODID are needed")
	}
	if len(root.all("METHOD")) > 0 {
		return parsed{}, badObject("METHOD in a stored object")
	}
	if err := checkTimeZones(root); err != nil {
		return parsed{}, err
	}
	return checkInstances(root)
}

// checkTimeZones: every TZID that is used is defined, once and completely.
func checkTimeZones(root *component) error {
	defined := map[string]bool{}
	for _, zone := range root.children {
		if zone.name != "VTIMEZONE" {
			continue
		}
		id := zone.value("TZID")
		if id == "" || defined[id] {
			return badObject("a VTIMEZONE without a TZID of its own: %q", id)
		}
		defined[id] = true
		if len(zone.children) == 0 {
			return badData("VTIMEZONE %q is empty", id)
		}
		for _, observance := range zone.children {
			for _, name := range []string{"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"} {
				if len(observance.all(name)) != 1 {
					return badData("VTIMEZONE %q: %s without %s", id, observance.name, name)
				}
			}
		}
	}
	return checkZonesUsed(root, defined)
}

func checkZonesUsed(c *component, defined map[string]bool) error {
	for _, line := range c.lines {
		if id := line.param("TZID"); id != "" && !defined[id] {
			return badObject("%s has the TZID %q, which has no VTIMEZONE", line.name, id)
		}
	}
	for _, child := range c.children {
		if err := checkZonesUsed(child, defined); err != nil {
			return err
		}
	}
	return nil
}

// checkInstances: one kind, one UID, one master, overrides of different
// recurrences.
func checkInstances(root *component) (parsed, error) {
	var p parsed
	masters := 0
	recurrences := map[string]bool{}
	for _, c := range root.children {
		if c.name == "VTIMEZONE" {
			continue
		}
		uid := c.value("UID")
		switch {
		case p.kind == "":
			p = parsed{uid: uid, kind: c.name, root: root}
		case p.kind != c.name:
			return p, badObject("%s and %s in one object", p.kind, c.name)
		case p.uid != uid:
			return p, badObject("two UIDs in one object")
		}
		if err := checkComponent(c); err != nil {
			return p, err
		}
		recurrence := c.value("RECURRENCE-ID")
		switch {
		case recurrence == "":
			masters++
		case recurrences[recurrence]:
			return p, badObject("two overrides of the recurrence %s", recurrence)
		}
		recurrences[recurrence] = true
	}
	switch {
	case p.kind == "" || !slices.Contains(calendarComponents, p.kind):
		return p, badObject("no event, to-do or journal entry")
	case p.uid == "":
		return p, badObject("no UID")
	case masters != 1:
		return p, badObject("%d components without a RECURRENCE-ID, want one master", masters)
	}
	return p, nil
}

var calendarComponents = []string{"VEVENT", "VTODO", "VJOURNAL"}

// once and atMostOnce are RFC 5545 §3.6.1's, as far as events and to-dos share
// them.
var (
	once       = []string{"UID", "DTSTAMP"}
	atMostOnce = []string{
		"DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SUMMARY", "DESCRIPTION", "LOCATION", "CLASS", "STATUS",
		"TRANSP", "ORGANIZER", "SEQUENCE", "PRIORITY", "URL", "CREATED", "LAST-MODIFIED", "GEO",
	}
	dateTime = regexp.MustCompile(`^\d{8}(T\d{6}Z?)?$`)
	rule     = regexp.MustCompile(`^([A-Z-]+=[^;]+;)*FREQ=(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z-]+=[^;]+)*$`)
)

func checkComponent(c *component) error {
	for _, name := range once {
		if len(c.all(name)) != 1 {
			return badData("%s must have one %s", c.name, name)
		}
	}
	for _, name := range atMostOnce {
		if len(c.all(name)) > 1 {
			return badData("%s has more than one %s", c.name, name)
		}
	}
	switch {
	case c.name == "VEVENT" && len(c.all("DTSTART")) == 0:
		return badData("VEVENT without DTSTART")
	case len(c.all("DURATION")) > 0 && len(c.all("DTEND"))+len(c.all("DUE")) > 0:
		return badData("%s has an end and a DURATION", c.name)
	}
	return errors.Join(checkTimes(c), checkRules(c), checkAlarms(c), checkKind(c))
}

func checkTimes(c *component) error {
	for _, name := range []string{"DTSTAMP", "DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE"} {
		for _, line := range c.all(name) {
			for value := range strings.SplitSeq(line.value, ",") {
				isDate := len(value) == 8
				if !dateTime.MatchString(value) || isDate != (line.param("VALUE") == "DATE") {
					return badData("%s:%s is no date or time as its VALUE says", name, value)
				}
				if strings.HasSuffix(value, "Z") && line.param("TZID") != "" {
					return badData("%s:%s is in UTC and has a TZID", name, value)
				}
			}
		}
	}
	return nil
}

func checkRules(c *component) error {
	for _, line := range c.all("RRULE") {
		if !rule.MatchString(line.value) || strings.Contains(line.value, "UNTIL=") && strings.Contains(line.value, "COUNT=") {
			return badData("RRULE:%s", line.value)
		}
	}
	return nil
}

func checkAlarms(c *component) error {
	for _, alarm := range c.children {
		if alarm.name == "VALARM" && (len(alarm.all("ACTION")) != 1 || len(alarm.all("TRIGGER")) != 1) {
			return badData("VALARM without ACTION or TRIGGER")
		}
	}
	return nil
}

package embedded

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// foreign are the properties that a kind of component must not have (RFC 5545
// §3.6.1 to §3.6.3).
var foreign = map[string][]string{
	"VEVENT":   {"DUE", "COMPLETED", "PERCENT-COMPLETE"},
	"VTODO":    {"DTEND", "TRANSP"},
	"VJOURNAL": {"DTEND", "DUE", "DURATION", "COMPLETED", "PERCENT-COMPLETE", "TRANSP", "LOCATION", "PRIORITY", "GEO"},
}

// statuses are the values of STATUS by kind (RFC 5545 §3.8.1.11).
var statuses = map[string][]string{
	"VEVENT":   {"TENTATIVE", "CONFIRMED", "CANCELLED"},
	"VTODO":    {"NEEDS-ACTION", "COMPLETED", "IN-PROCESS", "CANCELLED"},
	"VJOURNAL": {"DRAFT", "FINAL", "CANCELLED"},
}

var (
	duration = regexp.MustCompile(`^\+?P(\d+W|\d+D(T(\d+H)?(\d+M)?(\d+S)?)?|T(\d+H)?(\d+M)?(\d+S)?)$`)
	utcTime  = regexp.MustCompile(`^\d{8}T\d{6}Z$`)
)

// checkKind checks what events, to-dos and journal entries do not share.
func checkKind(c *component) error {
	for _, name := range foreign[c.name] {
		if len(c.all(name)) > 0 {
			return badData("%s has a %s", c.name, name)
		}
	}
	for _, line := range c.all("STATUS") {
		if !slices.Contains(statuses[c.name], strings.ToUpper(line.value)) {
			return badData("%s has the STATUS %q", c.name, line.value)
		}
	}
	for _, line := range c.all("DURATION") {
		if !duration.MatchString(line.value) || strings.HasSuffix(line.value, "P") || strings.HasSuffix(line.value, "T") {
			return badData("DURATION:%s", line.value)
		}
	}
	if c.name != "VTODO" {
		return nil
	}
	return errors.Join(checkDue(c), checkProgress(c))
}

// checkDue: what lasts or repeats has a beginning, and a to-do is due after it,
// in the same type (RFC 5545 §3.6.2, §3.8.2.3).
func checkDue(c *component) error {
	starts, dues := c.all("DTSTART"), c.all("DUE")
	if len(starts) == 0 {
		for _, name := range []string{"DURATION", "RRULE"} {
			if len(c.all(name)) > 0 {
				return badData("VTODO has a %s, but no DTSTART", name)
			}
		}
		return nil
	}
	if len(dues) == 0 {
		return nil
	}
	start, due := starts[0], dues[0]
	switch {
	case len(start.value) == 8 != (len(due.value) == 8):
		return badData("one of DTSTART and DUE is a date, the other a time")
	case strings.HasSuffix(start.value, "Z") == strings.HasSuffix(due.value, "Z") &&
		start.param("TZID") == due.param("TZID") && due.value < start.value:
		return badData("DUE:%s is before DTSTART:%s", due.value, start.value)
	}
	return nil
}

// checkProgress checks COMPLETED, which is in UTC (RFC 5545 §3.8.2.1), and
// PERCENT-COMPLETE.
func checkProgress(c *component) error {
	for _, name := range []string{"COMPLETED", "PERCENT-COMPLETE"} {
		if len(c.all(name)) > 1 {
			return badData("VTODO has more than one %s", name)
		}
	}
	for _, line := range c.all("COMPLETED") {
		if !utcTime.MatchString(line.value) {
			return badData("COMPLETED:%s is no time in UTC", line.value)
		}
	}
	for _, line := range c.all("PERCENT-COMPLETE") {
		if percent, err := strconv.Atoi(line.value); err != nil || percent < 0 || percent > 100 {
			return badData("PERCENT-COMPLETE:%s", line.value)
		}
	}
	return nil
}

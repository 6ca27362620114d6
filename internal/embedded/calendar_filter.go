package embedded

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// matchesCalendar evaluates a filter of components and properties (RFC 4791
// §9.7). A filter by time is refused: it would need recurrences.
func matchesCalendar(root *component, filter *node) (bool, error) {
	outer := filter.child(nsCal, "comp-filter")
	if outer == nil || outer.attr("name") != "VCALENDAR" {
		return false, errors.New("a filter begins with VCALENDAR")
	}
	return matchesComponent(root, outer)
}

func matchesComponent(c *component, filter *node) (bool, error) {
	if filter.child(nsCal, "time-range") != nil {
		return false, errors.New("time-range")
	}
	for _, prop := range filter.named(nsCal, "prop-filter") {
		if ok, err := matchesProp(c.all(prop.attr("name")), prop, nsCal); !ok || err != nil {
			return false, err
		}
	}
	for _, inner := range filter.named(nsCal, "comp-filter") {
		want := inner.child(nsCal, "is-not-defined") == nil
		found := false
		for _, child := range c.children {
			if child.name != inner.attr("name") {
				continue
			}
			ok, err := matchesComponent(child, inner)
			if err != nil {
				return false, err
			}
			found = found || ok
		}
		if found != want {
			return false, nil
		}
	}
	return true, nil
}

// matchesCard evaluates a filter of properties (RFC 6352 §10.5), of which one is
// enough unless the filter says allof.
func matchesCard(card *component, filter *node) (bool, error) {
	return tested(filter, filter.named(nsCard, "prop-filter"), func(prop *node) (bool, error) {
		return matchesProp(card.all(strings.ToUpper(prop.attr("name"))), prop, nsCard)
	})
}

// tested joins conditions by the test attribute of what they stand in: anyof,
// which is the default, or allof. No conditions are met.
func tested(of *node, conditions []*node, holds func(*node) (bool, error)) (bool, error) {
	all := of.attr("test") == "allof"
	for _, condition := range conditions {
		if ok, err := holds(condition); err != nil || ok != all {
			return ok && err == nil, err
		}
	}
	return all || len(conditions) == 0, nil
}

// matchesProp evaluates a prop-filter against all lines of its property.
func matchesProp(lines []contentLine, filter *node, space string) (bool, error) {
	if filter.child(space, "time-range") != nil || filter.child(space, "param-filter") != nil {
		return false, errors.New("time-range or param-filter of a property")
	}
	if filter.child(space, "is-not-defined") != nil {
		return len(lines) == 0, nil
	}
	if len(lines) == 0 {
		return false, nil
	}
	return tested(filter, filter.named(space, "text-match"), func(match *node) (bool, error) { return matchesText(lines, match) })
}

// matchesText compares without regard to case, as the default collations do. A
// negated match holds when no line has the text.
func matchesText(lines []contentLine, match *node) (bool, error) {
	compare, known := comparisons[match.attr("match-type")]
	if !known {
		return false, fmt.Errorf("match-type %q", match.attr("match-type"))
	}
	want := strings.ToLower(match.Text)
	found := slices.ContainsFunc(lines, func(line contentLine) bool { return compare(strings.ToLower(line.value), want) })
	return found != (match.attr("negate-condition") == "yes"), nil
}

// comparisons are the match types of RFC 6352 §10.5.4; CalDAV has only contains.
var comparisons = map[string]func(value, want string) bool{
	"":            strings.Contains,
	"contains":    strings.Contains,
	"equals":      func(value, want string) bool { return value == want },
	"starts-with": strings.HasPrefix,
	"ends-with":   strings.HasSuffix,
}

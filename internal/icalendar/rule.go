package icalendar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule is a recurrence rule by RFC 5545 §3.3.10, as a list of its parts in their order.
type Rule struct {
	parts []rulePart
}

type rulePart struct{ name, value string }

// ParseRule reads a recurrence rule and checks each part's form. Parts of RFC 7529 (RSCALE, SKIP) are let through.
func ParseRule(value string) (Rule, error) {
	var r Rule
	for _, s := range strings.Split(strings.Trim(strings.TrimSpace(value), ";"), ";") {
		name, v, _ := strings.Cut(s, "=")
		p := rulePart{strings.ToUpper(strings.TrimSpace(name)), strings.ToUpper(strings.TrimSpace(v))}
		check, known := ruleParts[p.name]
		if !known || !check(p.value) {
			return Rule{}, fmt.Errorf("recurrence rule: the part %q is not of RFC 5545", clip(s))
		}
		if r.Get(p.name) != "" {
			return Rule{}, fmt.Errorf("recurrence rule: the part %s stands twice", p.name)
		}
		r.parts = append(r.parts, p)
	}
	return r, r.check()
}

// check tests what holds between the parts.
func (r Rule) check() error {
	freq := r.Get("FREQ")
	if freq == "" {
		return fmt.Errorf("recurrence rule without FREQ")
	}
	if r.Get("BYSETPOS") != "" && !slices.ContainsFunc(r.parts, func(p rulePart) bool {
		return strings.HasPrefix(p.name, "BY") && p.name != "BYSETPOS"
	}) {
		return fmt.Errorf("recurrence rule: BYSETPOS without another BY part")
	}
	if r.Get("BYWEEKNO") != "" && freq != "YEARLY" {
		return fmt.Errorf("recurrence rule: BYWEEKNO with FREQ=%s", freq)
	}
	if freq != "MONTHLY" && freq != "YEARLY" && strings.ContainsAny(strings.ReplaceAll(r.Get("BYDAY"), "+", ""), "0123456789") {
		return fmt.Errorf("recurrence rule: a numbered BYDAY with FREQ=%s", freq)
	}
	return nil
}

// Get returns the value of a part; empty if it is not there.
func (r Rule) Get(name string) string {
	for _, p := range r.parts {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// With returns a copy of the rule in which the part has the value; an empty value takes the part away.
func (r Rule) With(name, value string) Rule {
	parts := slices.Clone(r.parts)
	i := slices.IndexFunc(parts, func(p rulePart) bool { return p.name == name })
	switch {
	case i < 0 && value != "":
		parts = append(parts, rulePart{name, value})
	case i >= 0 && value == "":
		parts = slices.Delete(parts, i, i+1)
	case i >= 0:
		parts[i].value = value
	}
	return Rule{parts}
}

// Infinite reports whether the rule has no end.
func (r Rule) Infinite() bool { return r.Get("COUNT") == "" && r.Get("UNTIL") == "" }

// String returns the rule with FREQ first and the other parts in their order.
func (r Rule) String() string {
	var b strings.Builder
	b.WriteString("FREQ=" + r.Get("FREQ"))
	for _, p := range r.parts {
		if p.name != "FREQ" {
			b.WriteString(";" + p.name + "=" + p.value)
		}
	}
	return b.String()
}

var ruleParts = map[string]func(string) bool{
	"FREQ": func(v string) bool {
		return slices.Contains([]string{"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}, v)
	},
	"INTERVAL":   number(1, 1_000_000, false),
	"COUNT":      number(1, 100_000_000, false),
	"UNTIL":      func(v string) bool { _, err := ParseMoment(v); return err == nil },
	"WKST":       isWeekday,
	"BYSECOND":   list(number(0, 60, false)),
	"BYMINUTE":   list(number(0, 59, false)),
	"BYHOUR":     list(number(0, 23, false)),
	"BYDAY":      list(isNumberedWeekday),
	"BYMONTHDAY": list(number(1, 31, true)),
	"BYYEARDAY":  list(number(1, 366, true)),
	"BYWEEKNO":   list(number(1, 53, true)),
	"BYMONTH":    list(func(v string) bool { return number(1, 13, false)(strings.TrimSuffix(v, "L")) }),
	"BYSETPOS":   list(number(1, 366, true)),
	"RSCALE":     func(v string) bool { return v != "" && v == token(v) },
	"SKIP":       func(v string) bool { return v == "OMIT" || v == "BACKWARD" || v == "FORWARD" },
}

// maxRuleValues bounds the values of one part; no rule needs more than the days of a year.
const maxRuleValues = 366

func list(check func(string) bool) func(string) bool {
	return func(v string) bool {
		values := strings.Split(v, ",")
		return len(values) <= maxRuleValues && !slices.ContainsFunc(values, func(s string) bool { return !check(s) })
	}
}

func number(least, most int, signed bool) func(string) bool {
	return func(v string) bool {
		if signed {
			v = strings.TrimLeft(v, "+-")
		}
		n, err := strconv.Atoi(v)
		return err == nil && v[0] != '+' && v[0] != '-' && n >= least && n <= most
	}
}

func isWeekday(v string) bool {
	return slices.Contains([]string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}, v)
}

func isNumberedWeekday(v string) bool {
	if len(v) < 2 || !isWeekday(v[len(v)-2:]) {
		return false
	}
	n := v[:len(v)-2]
	return n == "" || number(1, 53, true)(n)
}

package carddav

import (
	"encoding/base64"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/icalendar"
	"codeberg.org/repatriate/repatriate/sinks/internal/dav"
)

// meaningOf returns a digest of what a card says to its user, field by field, whatever the version of vCard and the notation. Properties
// that programs write for one another do not count.
func meaningOf(card *icalendar.Component) string {
	var lines []string
	for _, p := range card.Properties {
		if f, ok := fields[p.Name]; ok {
			for _, value := range f(p) {
				if value != "" {
					lines = append(lines, strings.TrimPrefix(p.Name, "X-")+"="+value)
				}
			}
		}
	}
	slices.Sort(lines)
	return dav.Digest(slices.Compact(lines))
}

// fields are what a user sees of a card, each as the values that are compared.
var fields = map[string]func(icalendar.Property) []string{
	"N": structured, "ORG": structured, "ADR": func(p icalendar.Property) []string { return typed(p, structured(p)...) },
	"FN": plain, "TITLE": plain, "NOTE": plain, "ROLE": plain, "URL": plain,
	"TEL": func(p icalendar.Property) []string { return typed(p, without("tel:", p)...) },
	"EMAIL": func(p icalendar.Property) []string {
		return typed(p, strings.ToLower(strings.Join(without("mailto:", p), "")))
	},
	"BDAY": date, "ANNIVERSARY": date, "X-ANNIVERSARY": date,
	"CATEGORIES": several, "NICKNAME": several,
	"PHOTO": photo,
}

// tidy returns a text without the white space that is folded differently.
func tidy(s string) string { return strings.Join(strings.Fields(icalendar.UnescapeText(s)), " ") }

func plain(p icalendar.Property) []string { return []string{tidy(p.Value)} }

func without(scheme string, p icalendar.Property) []string {
	value := tidy(p.Value)
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		value = value[len(scheme):]
	}
	return []string{value}
}

// several returns the values of a list, which servers part also at commas that are escaped.
func several(p icalendar.Property) []string {
	var list []string
	for _, s := range strings.Split(icalendar.UnescapeText(p.Value), ",") {
		list = append(list, strings.Join(strings.Fields(s), " "))
	}
	return list
}

// structured returns the parts of a value as one, without the empty ones at its end.
func structured(p icalendar.Property) []string {
	var parts []string
	start, escaped := 0, false
	for i := range len(p.Value) {
		switch {
		case escaped:
			escaped = false
		case p.Value[i] == '\\':
			escaped = true
		case p.Value[i] == ';':
			parts = append(parts, tidy(p.Value[start:i]))
			start = i + 1
		}
	}
	parts = append(parts, tidy(p.Value[start:]))
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return []string{strings.Join(parts, "\x1f")}
}

// assumed are types that are meant anyway, or that say how a program is to use a value.
var assumed = []string{"PREF", "VOICE", "INTERNET", "OTHER", "INTL", "POSTAL", "PARCEL", "X400"}

// typed returns the values with the types of the property, whether those stand in one list or each by itself (RFC 2426 §4, RFC 6350 §5.6),
// or without a name, as vCard 2.1 has them.
func typed(p icalendar.Property, list ...string) []string {
	var types []string
	for _, q := range p.Params {
		values := q.Values
		if len(values) == 0 {
			values = []string{q.Name}
		} else if q.Name != "TYPE" {
			continue
		}
		for _, v := range values {
			for t := range strings.SplitSeq(strings.ToUpper(v), ",") {
				if t = strings.TrimPrefix(strings.TrimSpace(t), "X-"); t != "" && !slices.Contains(assumed, t) {
					types = append(types, t)
				}
			}
		}
	}
	slices.Sort(types)
	for i, value := range list {
		if value != "" {
			list[i] = strings.Join(slices.Compact(types), ",") + ":" + value
		}
	}
	return list
}

// date returns a day without its dashes (RFC 6350 §4.3, RFC 2426 §3.1.5), and without a time of midnight.
func date(p icalendar.Property) []string {
	value := strings.ToUpper(tidy(p.Value))
	day, clock, timed := strings.Cut(value, "T")
	if timed && strings.Trim(clock, "0:Z") == "" {
		value = day
	}
	if rest, ok := strings.CutPrefix(value, "--"); ok { // no year
		return []string{"--" + strings.ReplaceAll(rest, "-", "")}
	}
	return []string{strings.ReplaceAll(value, "-", "")}
}

// photo returns a digest of a picture's bytes, or the address of one.
func photo(p icalendar.Property) []string {
	encoded := strings.TrimRight(pictureOf(p.Value), "=")
	data, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return []string{strings.TrimSpace(p.Value)}
	}
	return []string{dav.DigestOf(data)}
}

package google

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// fillPerson adds what Google would have added to the fields of a person.
func (d *Data) fillPerson(a *addressBook, name string, body, source object) (object, error) {
	memberships, _ := body.get("memberships").([]any)
	for _, m := range memberships {
		if group := groupOf(m); group != "" {
			if _, err := a.groups.get(group); err != nil {
				return nil, err
			}
		}
	}
	out := make(object, 0, len(body)+1)
	for _, m := range body {
		if list, ok := m.value.([]any); ok {
			filled, err := d.fillValues(name, m.name, list, source)
			if err != nil {
				return nil, err
			}
			m.value = filled
		}
		out = append(out, m)
	}
	if list, _ := out.get("photos").([]any); len(list) == 0 {
		avatar := object{{"metadata", object{{"primary", true}, {"source", source}}}, {"url", d.addPhoto(name, 0) + "=s100"}, {"default", true}}
		out = out.with("photos", []any{avatar})
	}
	return out, nil
}

// fillValues completes the values of one field: the first is the primary one.
func (d *Data) fillValues(name, field string, list []any, source object) ([]any, error) {
	out := make([]any, len(list))
	for i, each := range list {
		value, ok := each.(object)
		if !ok {
			return nil, fmt.Errorf("%s of %s: no object", field, name)
		}
		if value.get("metadata") == nil {
			metadata := object{{"source", source}}
			if i == 0 {
				metadata = object{{"primary", true}, {"source", source}}
			}
			value = append(object{{"metadata", metadata}}, value...)
		}
		switch field {
		case "names":
			value = fillName(value)
		case "memberships":
			value = fillMembership(value)
		case "photos":
			url, err := d.photoURL(name, value.text("url"))
			if err != nil {
				return nil, err
			}
			value = value.with("url", url)
		case "addresses", "calendarUrls", "emailAddresses", "events", "externalIds", "imClients", "miscKeywords", "organizations", "phoneNumbers",
			"relations", "sipAddresses", "urls":
			if kind := value.text("type"); kind != "" {
				value = value.or("formattedType", formatted(kind))
			}
		}
		out[i] = value
	}
	return out, nil
}

// fillMembership gives both names of a group.
func fillMembership(m object) object {
	group := groupOf(m)
	if group == "" {
		return m
	}
	return m.with("contactGroupMembership", object{{"contactGroupId", strings.TrimPrefix(group, "contactGroups/")}, {"contactGroupResourceName", group}})
}

// formatted is what people read for a type: "Home" for home; labels of their own stay.
func formatted(kind string) string {
	first, size := utf8.DecodeRuneInString(kind)
	spaced := ""
	for _, r := range kind[size:] {
		if unicode.IsUpper(r) && !strings.Contains(kind, " ") {
			spaced += " "
		}
		spaced += string(r)
	}
	return string(unicode.ToUpper(first)) + spaced
}

// fillName makes the display names out of the parts.
func fillName(n object) object {
	join := func(names ...string) string {
		var parts []string
		for _, name := range names {
			if part := n.text(name); part != "" {
				parts = append(parts, part)
			}
		}
		return strings.Join(parts, " ")
	}
	display := join("honorificPrefix", "givenName", "middleName", "familyName")
	if suffix := n.text("honorificSuffix"); suffix != "" {
		display = strings.TrimPrefix(display+", "+suffix, ", ")
	}
	if display == "" {
		display = n.text("unstructuredName")
	}
	last := strings.Trim(n.text("familyName")+", "+join("givenName", "middleName"), ", ")
	if last == "" {
		last = display
	}
	return n.or("displayName", display).or("displayNameLastFirst", last).or("unstructuredName", display)
}

// Package icalendar writes and reads iCalendar objects by RFC 5545, as far as calendars are moved with them, and the content lines of
// vCards (RFC 6350, RFC 2426), which are the same.
//
// The writer produces legal content lines from any values: CRLF, lines folded at 75 octets between characters, TEXT
// escaped, parameters quoted by RFC 6868. No value can end its line, since it comes from a stranger. The reader is
// tolerant of what real calendars hold and bounded in what it takes. Timezone makes a VTIMEZONE of the zone database
// of the machine, or else of the one that is compiled in, and Rule checks recurrence rules.
package icalendar

import "strings"

// Component is a calendar component, such as VEVENT, with the components inside it.
type Component struct {
	Name       string
	Properties []Property
	Components []*Component
}

// Property is one content line by RFC 5545 §3.1.
type Property struct {
	// Group ties properties of a vCard together (RFC 6350 §3.3); empty for none.
	Group, Name string
	Params      []Param
	// Value is the value as it stands on the line: text in it is escaped; see Text and Property.Text.
	Value string
}

// Param is a parameter of a property, without quotes and without the escapes of RFC 6868.
type Param struct {
	Name   string
	Values []string
}

// New returns an empty component.
func New(name string) *Component { return &Component{Name: name} }

// P returns a parameter with one value.
func P(name, value string) Param { return Param{Name: name, Values: []string{value}} }

// Raw returns a property whose value is written as it is, for every type that is not TEXT. Characters that would end
// the line are dropped when it is written.
func Raw(name, value string, params ...Param) Property {
	return Property{Name: name, Params: params, Value: value}
}

// Text returns a property with a value of type TEXT (RFC 5545 §3.3.11).
func Text(name, text string, params ...Param) Property {
	return Raw(name, EscapeText(text), params...)
}

// Structured returns a property whose value has parts that are parted by semicolons, such as N and ADR of a vCard.
func Structured(name string, parts []string, params ...Param) Property {
	escaped := make([]string, len(parts))
	for i, t := range parts {
		escaped[i] = EscapeText(t)
	}
	return Raw(name, strings.Join(escaped, ";"), params...)
}

// TextList returns a property with a list of TEXT values, such as CATEGORIES.
func TextList(name string, texts []string, params ...Param) Property {
	escaped := make([]string, len(texts))
	for i, t := range texts {
		escaped[i] = EscapeText(t)
	}
	return Raw(name, strings.Join(escaped, ","), params...)
}

// Add appends properties.
func (c *Component) Add(properties ...Property) { c.Properties = append(c.Properties, properties...) }

// Get returns the first property of the name; ok is false if there is none.
func (c *Component) Get(name string) (p Property, ok bool) {
	for _, p := range c.Properties {
		if p.Name == name {
			return p, true
		}
	}
	return Property{}, false
}

// Value returns the value of the first property of the name as it stands on its line; empty if there is none.
func (c *Component) Value(name string) string {
	p, _ := c.Get(name)
	return p.Value
}

// All returns the properties of the name in their order.
func (c *Component) All(name string) []Property {
	var all []Property
	for _, p := range c.Properties {
		if p.Name == name {
			all = append(all, p)
		}
	}
	return all
}

// Children returns the components of the name directly inside c.
func (c *Component) Children(name string) []*Component {
	var all []*Component
	for _, child := range c.Components {
		if child.Name == name {
			all = append(all, child)
		}
	}
	return all
}

// Param returns the first value of the parameter; empty if there is none.
func (p Property) Param(name string) string {
	for _, q := range p.Params {
		if q.Name == name && len(q.Values) > 0 {
			return q.Values[0]
		}
	}
	return ""
}

// Text returns the value read as TEXT.
func (p Property) Text() string { return UnescapeText(p.Value) }

// List returns the values of a list by its commas that are not escaped, still escaped.
func (p Property) List() []string {
	var list []string
	start, escaped := 0, false
	for i := 0; i < len(p.Value); i++ {
		switch {
		case escaped:
			escaped = false
		case p.Value[i] == '\\':
			escaped = true
		case p.Value[i] == ',':
			list = append(list, p.Value[start:i])
			start = i + 1
		}
	}
	return append(list, p.Value[start:])
}

package icalendar

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// The bounds of what Parse takes. They are far above any object that a CalDAV server accepts.
const (
	MaxSize       = 32 << 20
	maxDepth      = 16
	maxComponents = 200_000
)

// ErrNotCalendar says that the data holds no VCALENDAR.
var ErrNotCalendar = errors.New("no VCALENDAR in the data")

// Parse returns the first VCALENDAR in data; see ParseAll.
func Parse(data []byte) (*Component, error) {
	all, err := ParseAll(data)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// ParseAll returns each VCALENDAR in data. It takes bare line feeds, names in lower case, components without an end and
// lines that are none (they are left out), as real calendars have them. It fails on data beyond its bounds.
func ParseAll(data []byte) ([]*Component, error) {
	return parseAll(data, "VCALENDAR", ErrNotCalendar)
}

// ErrNotCard says that the data holds no VCARD.
var ErrNotCard = errors.New("no VCARD in the data")

// ParseCard returns the first VCARD in data, with the tolerance of ParseAll.
func ParseCard(data []byte) (*Component, error) {
	all, err := parseAll(data, "VCARD", ErrNotCard)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func parseAll(data []byte, root string, none error) ([]*Component, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("iCalendar data of %d bytes: more than %d", len(data), MaxSize)
	}
	p := parser{rest: bytes.TrimPrefix(data, []byte("\uFEFF")), root: root}
	for {
		line, ok := p.next()
		if !ok {
			break
		}
		if err := p.take(line); err != nil {
			return nil, err
		}
	}
	if len(p.calendars) == 0 {
		return nil, none
	}
	return p.calendars, nil
}

type parser struct {
	root      string // the name of the components that are wanted
	rest      []byte
	calendars []*Component
	open      []*Component
	count     int
}

// next returns the next line, unfolded.
func (p *parser) next() (string, bool) {
	if len(p.rest) == 0 {
		return "", false
	}
	first := p.physical()
	if !p.continues() {
		return string(first), true
	}
	var b strings.Builder
	b.Write(first)
	for p.continues() {
		b.Write(p.physical()[1:])
	}
	return b.String(), true
}

func (p *parser) continues() bool {
	return len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\t')
}

func (p *parser) physical() []byte {
	line, rest, _ := bytes.Cut(p.rest, []byte("\n"))
	p.rest = rest
	return bytes.TrimSuffix(line, []byte("\r"))
}

func (p *parser) take(line string) error {
	property, ok := ParseLine(line)
	switch {
	case !ok:
		return nil
	case property.Name == "BEGIN":
		return p.begin(strings.ToUpper(strings.TrimSpace(property.Value)))
	case property.Name == "END":
		p.end(strings.ToUpper(strings.TrimSpace(property.Value)))
	case len(p.open) > 0:
		p.open[len(p.open)-1].Add(property)
	}
	return nil
}

func (p *parser) begin(name string) error {
	if p.count++; p.count > maxComponents {
		return fmt.Errorf("iCalendar data of more than %d components", maxComponents)
	}
	if len(p.open) >= maxDepth {
		return fmt.Errorf("iCalendar components nested more than %d deep", maxDepth)
	}
	c := New(name)
	switch {
	case len(p.open) > 0:
		parent := p.open[len(p.open)-1]
		parent.Components = append(parent.Components, c)
	case name != p.root:
		return nil
	default:
		p.calendars = append(p.calendars, c)
	}
	p.open = append(p.open, c)
	return nil
}

// end closes the innermost component of the name and all that is still open inside it.
func (p *parser) end(name string) {
	for i := len(p.open) - 1; i >= 0; i-- {
		if p.open[i].Name == name {
			p.open = p.open[:i]
			return
		}
	}
}

// ParseLine splits an unfolded content line into name, parameters and value; ok is false for a line that is none.
func ParseLine(line string) (p Property, ok bool) {
	end := strings.IndexAny(line, ":;")
	if end <= 0 {
		return Property{}, false
	}
	p = Property{Name: strings.ToUpper(strings.TrimSpace(line[:end]))}
	if group, name, grouped := strings.Cut(p.Name, "."); grouped {
		p.Group, p.Name = strings.ToLower(group), name
	}
	for end < len(line) && line[end] == ';' {
		param, next := parseParam(line, end+1)
		p.Params = append(p.Params, param)
		end = next
	}
	if end >= len(line) {
		return Property{}, false
	}
	p.Value = line[end+1:]
	return p, true
}

// parseParam reads one parameter from position i and returns it with the position of the ";" or ":" behind it.
func parseParam(line string, i int) (Param, int) {
	stop := i + strings.IndexAny(line[i:], "=;:")
	if stop < i {
		return Param{Name: strings.ToUpper(line[i:])}, len(line)
	}
	p := Param{Name: strings.ToUpper(strings.TrimSpace(line[i:stop]))}
	if line[stop] != '=' {
		return p, stop
	}
	for more := true; more; more = stop < len(line) && line[stop] == ',' {
		var value string
		value, stop = paramValue(line, stop+1)
		p.Values = append(p.Values, value)
	}
	for stop < len(line) && line[stop] != ';' && line[stop] != ':' {
		stop++
	}
	return p, stop
}

func paramValue(line string, i int) (string, int) {
	if i < len(line) && line[i] == '"' {
		if end := strings.IndexByte(line[i+1:], '"'); end >= 0 {
			return paramUnescaper.Replace(line[i+1 : i+1+end]), i + end + 2
		}
	}
	end := strings.IndexAny(line[i:], ",;:")
	if end < 0 {
		return paramUnescaper.Replace(line[i:]), len(line)
	}
	return paramUnescaper.Replace(line[i : i+end]), i + end
}

package embedded

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// contentLine is one unfolded line of iCalendar (RFC 5545 §3.1) or vCard.
type contentLine struct {
	name   string // upper case, without a vCard group
	params map[string][]string
	value  string
}

// param returns a parameter's first value, or nothing.
func (l contentLine) param(name string) string {
	if values := l.params[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// component is what stands between BEGIN and END.
type component struct {
	name     string // upper case
	lines    []contentLine
	children []*component
}

// all returns the lines of a name.
func (c *component) all(name string) []contentLine {
	var found []contentLine
	for _, line := range c.lines {
		if line.name == name {
			found = append(found, line)
		}
	}
	return found
}

// value returns the value of the first line of a name, or nothing.
func (c *component) value(name string) string {
	for _, line := range c.lines {
		if line.name == name {
			return line.value
		}
	}
	return ""
}

// maxDepth bounds how deep components are nested: iCalendar needs three levels.
const maxDepth = 8

// parseComponents reads a text strictly: CRLF line ends, valid UTF-8, no control
// characters, every END where its BEGIN wants it.
func parseComponents(text string) ([]*component, error) {
	lines, err := unfold(text)
	if err != nil {
		return nil, err
	}
	root := &component{}
	open := []*component{root}
	for number, raw := range lines {
		line, err := parseLine(raw)
		if err != nil {
			return nil, fmt.Errorf("content line %d: %w", number+1, err)
		}
		top := open[len(open)-1]
		name := strings.ToUpper(line.value)
		switch {
		case line.name == "BEGIN" && len(open) > maxDepth:
			return nil, errors.New("components are nested too deep")
		case line.name == "BEGIN":
			child := &component{name: name}
			top.children = append(top.children, child)
			open = append(open, child)
		case line.name == "END" && (top == root || top.name != name):
			return nil, fmt.Errorf("END:%s without its BEGIN", name)
		case line.name == "END":
			open = open[:len(open)-1]
		case top == root:
			return nil, fmt.Errorf("%s stands outside of every component", line.name)
		default:
			top.lines = append(top.lines, line)
		}
	}
	if len(open) > 1 {
		return nil, fmt.Errorf("%s is not ended", open[len(open)-1].name)
	}
	return root.children, nil
}

// unfold joins folded lines (RFC 5545 §3.1).
func unfold(text string) ([]string, error) {
	switch {
	case !utf8.ValidString(text):
		return nil, errors.New("not UTF-8")
	case !strings.HasSuffix(text, "\r\n"):
		return nil, errors.New("the last line is not ended with CRLF")
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n ", ""), "\r\n\t", "")
	lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
	for number, line := range lines {
		if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }); i >= 0 {
			return nil, fmt.Errorf("content line %d has the control character %q", number+1, line[i])
		}
	}
	return lines, nil
}

// parseLine splits a line into name, parameters and value.
func parseLine(raw string) (contentLine, error) {
	end := strings.IndexAny(raw, ":;")
	if end <= 0 {
		return contentLine{}, errors.New("no name or no value")
	}
	line := contentLine{name: strings.ToUpper(raw[:end]), params: map[string][]string{}}
	if dot := strings.LastIndexByte(line.name, '.'); dot >= 0 {
		line.name = line.name[dot+1:]
	}
	if !isToken(line.name) {
		return contentLine{}, fmt.Errorf("%q is no name", line.name)
	}
	rest := raw[end:]
	for rest[0] == ';' {
		var err error
		if rest, err = parseParam(rest[1:], line.params); err != nil {
			return contentLine{}, err
		}
	}
	line.value = rest[1:]
	return line, nil
}

// parseParam reads "NAME=value,value" and returns what follows, which begins
// with ";" or ":".
func parseParam(rest string, params map[string][]string) (string, error) {
	name, rest, found := strings.Cut(rest, "=")
	name = strings.ToUpper(name)
	if !found || !isToken(name) {
		return "", fmt.Errorf("%q is no parameter", name)
	}
	for {
		var value string
		if strings.HasPrefix(rest, `"`) {
			if value, rest, found = strings.Cut(rest[1:], `"`); !found {
				return "", errors.New("a quotation is not ended")
			}
		} else {
			end := strings.IndexAny(rest, `;:,"`)
			if end < 0 {
				return "", errors.New("no value")
			}
			value, rest = rest[:end], rest[end:]
		}
		params[name] = append(params[name], value)
		switch {
		case rest == "" || !strings.ContainsRune(";:,", rune(rest[0])):
			return "", fmt.Errorf("the parameter %s is not followed by a separator", name)
		case rest[0] != ',':
			return rest, nil
		}
		rest = rest[1:]
	}
}

// isToken: letters, digits and hyphens (RFC 5545 §3.1, iana-token).
func isToken(s string) bool {
	for _, r := range s {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return s != ""
}

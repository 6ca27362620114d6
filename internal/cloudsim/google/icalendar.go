package google

import (
	"strings"
)

// property is a content line of iCalendar (RFC 5545 section 3.1).
type property struct {
	name   string
	params map[string]string
	value  string
}

// component is what lies between BEGIN and END.
type component struct {
	name     string
	props    []property
	children []*component
}

// parseICalendar reads as much as can be understood: lines that cannot be are passed over.
func parseICalendar(text string) *component {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.NewReplacer("\n ", "", "\n\t", "").Replace(text)
	root := &component{}
	stack := []*component{root}
	for line := range strings.SplitSeq(text, "\n") {
		p, ok := parseProperty(strings.TrimSuffix(line, "\r"))
		top := stack[len(stack)-1]
		switch {
		case !ok:
		case p.name == "BEGIN":
			child := &component{name: strings.ToUpper(p.value)}
			top.children = append(top.children, child)
			stack = append(stack, child)
		case p.name == "END" && len(stack) > 1:
			stack = stack[:len(stack)-1]
		default:
			top.props = append(top.props, p)
		}
	}
	return root
}

// parseProperty splits name, parameters and value; quoted parameters may hold colons and semicolons.
func parseProperty(line string) (property, bool) {
	quoted, colon, cuts := false, -1, []int{}
	for i := 0; i < len(line) && colon < 0; i++ {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ';' && !quoted:
			cuts = append(cuts, i)
		case line[i] == ':' && !quoted:
			colon = i
		}
	}
	if colon <= 0 {
		return property{}, false
	}
	cuts = append(cuts, colon)
	p := property{name: strings.ToUpper(line[:cuts[0]]), params: map[string]string{}, value: strings.ToValidUTF8(line[colon+1:], "\uFFFD")}
	for i := 1; i < len(cuts); i++ {
		name, value, _ := strings.Cut(line[cuts[i-1]+1:cuts[i]], "=")
		p.params[strings.ToUpper(name)] = strings.ToValidUTF8(strings.Trim(value, `"`), "\uFFFD")
	}
	return p, true
}

// find gives the first property of that name.
func (c *component) find(name string) (property, bool) {
	for _, p := range c.props {
		if p.name == name {
			return p, true
		}
	}
	return property{}, false
}

// text gives the unescaped value of a property, and "" when there is none.
func (c *component) text(name string) string {
	p, _ := c.find(name)
	return strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(p.value)
}

// all gives the components of that name at any depth.
func (c *component) all(name string) []*component {
	var out []*component
	for _, child := range c.children {
		if child.name == name {
			out = append(out, child)
		}
		out = append(out, child.all(name)...)
	}
	return out
}

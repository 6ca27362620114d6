package google

import (
	"fmt"
	"strings"
)

// mask is a partial response selector as in the query parameter fields, such as
// "nextPageToken,files(id,owners/emailAddress)". The nil mask selects everything.
// https://developers.google.com/workspace/drive/api/guides/performance#partial
type mask struct {
	fields map[string]*mask
}

// child says whether the member is selected, and gives the mask for what is below it.
func (m *mask) child(name string) (*mask, bool) {
	if m == nil {
		return nil, true
	}
	if sub, ok := m.fields[name]; ok {
		return sub, true
	}
	sub, ok := m.fields["*"]
	return sub, ok
}

// has says whether the path of names is selected.
func (m *mask) has(path ...string) bool {
	for _, name := range path {
		sub, ok := m.child(name)
		if !ok {
			return false
		}
		m = sub
	}
	return true
}

// parseMask reads the value of fields. An empty one selects everything.
func parseMask(s string) (*mask, error) {
	if s == "" || s == "*" {
		return nil, nil
	}
	p := maskParser{rest: s}
	m, err := p.list()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest[0])
	}
	return m, err
}

type maskParser struct{ rest string }

func (p *maskParser) list() (*mask, error) {
	m := &mask{fields: map[string]*mask{}}
	for {
		if err := p.field(m); err != nil {
			return nil, err
		}
		if !strings.HasPrefix(p.rest, ",") {
			return m, nil
		}
		p.rest = p.rest[1:]
	}
}

// field reads a name with what is below it: name, name/name or name(list).
func (p *maskParser) field(into *mask) error {
	end := strings.IndexAny(p.rest, ",()/")
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end:]
	if name == "" {
		return fmt.Errorf("empty field name")
	}
	sub, err := p.below()
	if err != nil {
		return err
	}
	if old, ok := into.fields[name]; ok {
		sub = union(old, sub)
	}
	into.fields[name] = sub
	return nil
}

func (p *maskParser) below() (*mask, error) {
	switch {
	case strings.HasPrefix(p.rest, "/"):
		p.rest = p.rest[1:]
		m := &mask{fields: map[string]*mask{}}
		return m, p.field(m)
	case strings.HasPrefix(p.rest, "("):
		p.rest = p.rest[1:]
		m, err := p.list()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(p.rest, ")") {
			return nil, fmt.Errorf("missing )")
		}
		p.rest = p.rest[1:]
		return m, nil
	}
	return nil, nil
}

func union(a, b *mask) *mask {
	if a == nil || b == nil {
		return nil
	}
	out := &mask{fields: map[string]*mask{}}
	for k, v := range a.fields {
		out.fields[k] = v
	}
	for k, v := range b.fields {
		if old, ok := out.fields[k]; ok {
			v = union(old, v)
		}
		out.fields[k] = v
	}
	return out
}

package google

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// member is one name and value of a JSON object. A value of type func() any is worked out only when the field mask
// asks for it, and left out when it gives nil: checksums of large files must cost nothing where nobody wants them.
type member struct {
	name  string
	value any
}

// object is a JSON object whose members keep their order.
type object []member

// get gives the value of name, and nil when there is none.
func (o object) get(name string) any {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// text gives the string value of name, and "" when it is absent or of another type.
func (o object) text(name string) string {
	s, _ := o.get(name).(string)
	return s
}

// child gives the object value of name, and nil when it is absent or of another type.
func (o object) child(name string) object {
	c, _ := o.get(name).(object)
	return c
}

// with gives a copy in which name has the value; nil removes it.
func (o object) with(name string, value any) object {
	out := make(object, 0, len(o)+1)
	found := false
	for _, m := range o {
		if m.name != name {
			out = append(out, m)
			continue
		}
		found = true
		if value != nil {
			out = append(out, member{name, value})
		}
	}
	if !found && value != nil {
		out = append(out, member{name, value})
	}
	return out
}

// or gives a copy in which name has the value unless it has one already.
func (o object) or(name string, value any) object {
	if o.get(name) != nil {
		return o
	}
	return o.with(name, value)
}

// appendValue writes v as JSON, only those members that the mask selects.
func appendValue(b []byte, v any, m *mask) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case json.Number:
		return append(b, v...)
	case object:
		return appendObject(b, v, m)
	case []object:
		return appendList(b, len(v), func(b []byte, i int) []byte { return appendObject(b, v[i], m) })
	case []string:
		return appendList(b, len(v), func(b []byte, i int) []byte { return appendString(b, v[i]) })
	case []any:
		return appendList(b, len(v), func(b []byte, i int) []byte { return appendValue(b, v[i], m) })
	}
	panic(fmt.Sprintf("no JSON for a value of type %T", v))
}

func appendList(b []byte, n int, one func([]byte, int) []byte) []byte {
	b = append(b, '[')
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, i)
	}
	return append(b, ']')
}

func appendObject(b []byte, o object, m *mask) []byte {
	b = append(b, '{')
	first := true
	for _, f := range o {
		sub, ok := m.child(f.name)
		if !ok {
			continue
		}
		value := f.value
		if lazy, is := value.(func() any); is {
			value = lazy()
		}
		if value == nil {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, f.name), ':')
		b = appendValue(b, value, sub)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s)
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// parseObject reads one JSON object and keeps the order of its members.
func parseObject(data []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return o, nil
}

func parseValue(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok {
	case json.Delim('{'):
		return parseMembers(dec)
	case json.Delim('['):
		return parseElements(dec)
	}
	return tok, nil
}

func parseMembers(dec *json.Decoder) (any, error) {
	o := object{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		value, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name.(string), value})
	}
	_, err := dec.Token()
	return o, err
}

func parseElements(dec *json.Decoder) (any, error) {
	list := []any{}
	for dec.More() {
		value, err := parseValue(dec)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := dec.Token()
	return list, err
}

package google

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check compares a value with its type: unknown and repeated members are wrong, and so are other types and formats.
func (d *discovery) check(at string, s shape, v any) []string {
	if s.Ref != "" {
		target, ok := d.Schemas[s.Ref]
		if !ok {
			return []string{at + ": no schema " + s.Ref}
		}
		s = target
	}
	switch s.Type {
	case "any":
		return nil
	case "object":
		return d.checkObject(at, s, v)
	case "array":
		return d.checkArray(at, s, v)
	}
	if wrong := s.scalar(v); wrong != "" {
		return []string{at + ": " + wrong}
	}
	return nil
}

func (d *discovery) checkObject(at string, s shape, v any) []string {
	o, ok := v.(object)
	if !ok {
		return []string{fmt.Sprintf("%s: %T where an object belongs", at, v)}
	}
	var problems []string
	seen := map[string]bool{}
	for _, m := range o {
		if seen[m.name] {
			problems = append(problems, at+": repeated member "+m.name)
		}
		seen[m.name] = true
		p, ok := s.Properties[m.name]
		if !ok && s.Additional != nil {
			p, ok = *s.Additional, true
		}
		if !ok {
			problems = append(problems, at+": unknown member "+m.name)
			continue
		}
		problems = append(problems, d.check(at+"."+m.name, p, m.value)...)
	}
	return problems
}

func (d *discovery) checkArray(at string, s shape, v any) []string {
	list, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprintf("%s: %T where a list belongs", at, v)}
	}
	var problems []string
	for i, element := range list {
		problems = append(problems, d.check(fmt.Sprintf("%s[%d]", at, i), *s.Items, element)...)
	}
	return problems
}

// scalar says what is wrong with a string, number or boolean; "" when nothing is.
func (s shape) scalar(v any) string {
	switch v := v.(type) {
	case string:
		if s.Type == "string" {
			return s.text(v)
		}
	case bool:
		if s.Type == "boolean" {
			return ""
		}
	case json.Number:
		if s.Type == "integer" || s.Type == "number" {
			return s.number(v)
		}
	}
	return fmt.Sprintf("%T where a %s belongs", v, s.Type)
}

func (s shape) number(v json.Number) string {
	n, err := v.Float64()
	low, high := math.Inf(-1), math.Inf(1)
	switch s.Format {
	case "int32":
		low, high = math.MinInt32, math.MaxInt32
	case "uint32":
		low, high = 0, math.MaxUint32
	}
	if limit, parseErr := strconv.ParseFloat(s.Maximum, 64); parseErr == nil {
		high = limit
	}
	if err != nil || n < low || n > high || s.Type == "integer" && n != math.Trunc(n) {
		return fmt.Sprintf("%s is no %s %s", v, s.Type, s.Format)
	}
	return ""
}

func (s shape) text(v string) string {
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, v) {
		return fmt.Sprintf("%q is none of %s", v, strings.Join(s.Enum, " "))
	}
	var err error
	switch s.Format {
	case "int64":
		_, err = strconv.ParseInt(v, 10, 64)
	case "uint64":
		_, err = strconv.ParseUint(v, 10, 64)
	case "date-time", "google-datetime":
		_, err = time.Parse(time.RFC3339, v)
	case "date":
		_, err = time.Parse(time.DateOnly, v)
	case "byte":
		if strings.ContainsAny(v, "+/") {
			_, err = base64.StdEncoding.DecodeString(v)
		} else {
			_, err = base64.URLEncoding.DecodeString(v)
		}
	}
	if err != nil {
		return fmt.Sprintf("%q is not of format %s", v, s.Format)
	}
	return ""
}

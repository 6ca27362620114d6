package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// checkKeys refuses keys that the job file does not have, and names the nearest one.
func checkKeys(path string, doc *ast.File) error {
	var errs []error
	for _, d := range doc.Docs {
		if d.Body != nil {
			errs = append(errs, unknownKeys(path, "", d.Body, reflect.TypeFor[Job]())...)
		}
	}
	return errors.Join(errs...)
}

func unknownKeys(path, prefix string, n ast.Node, t reflect.Type) []error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[Formats]() {
		return nil
	}
	fields := keysOf(t)
	var errs []error
	for _, p := range pairsOf(n) {
		key := p.Key.String()
		field, known := fields[key]
		if !known {
			pos := p.Key.GetToken().Position
			errs = append(errs, fmt.Errorf("%s:%d:%d: there is no key %q%s", path, pos.Line, pos.Column, prefix+key, suggest(key, fields)))
			continue
		}
		errs = append(errs, unknownKeys(path, prefix+key+".", p.Value, field)...)
	}
	return errs
}

// pairsOf returns the keys of a mapping with their values; none of what is no mapping.
func pairsOf(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// keyLines returns in which lines keys stand, by their whole names such as "target.mail.imap".
func keyLines(doc *ast.File) map[string]int {
	lines := make(map[string]int)
	var note func(prefix string, n ast.Node)
	note = func(prefix string, n ast.Node) {
		for _, p := range pairsOf(n) {
			name := prefix + p.Key.String()
			lines[name] = p.Key.GetToken().Position.Line
			note(name+".", p.Value)
		}
	}
	for _, d := range doc.Docs {
		note("", d.Body)
	}
	return lines
}

func keysOf(t reflect.Type) map[string]reflect.Type {
	keys := make(map[string]reflect.Type)
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" && name != "-" {
			keys[name] = f.Type
		}
	}
	return keys
}

func suggest(key string, fields map[string]reflect.Type) string {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	if best := Nearest(key, names); best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return ""
}

// Nearest returns the name that is most like key, or the empty string when none is like it.
func Nearest(key string, names []string) string {
	best, at := "", max(2, len(key)/2)+1
	for _, name := range names {
		if d := distance(strings.ToLower(key), name); d < at || d == at && name < best {
			best, at = name, d
		}
	}
	return best
}

// distance is Levenshtein's: the least number of letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

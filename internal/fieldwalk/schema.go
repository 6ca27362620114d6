// Package fieldwalk walks every field of a provider's own description of an object and finds out, field by field, whether it comes
// along to the target. It is for tests.
package fieldwalk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Schema is the part of JSON Schema that Google's discovery documents and Graph's OpenAPI document share.
type Schema struct {
	Ref        string            `json:"$ref"`
	Type       kinds             `json:"type"`
	Format     string            `json:"format"`
	Pattern    string            `json:"pattern"`
	Enum       []string          `json:"enum"`
	AnyOf      []Schema          `json:"anyOf"`
	Properties map[string]Schema `json:"properties"`
	Items      *Schema           `json:"items"`
}

// kinds are one or several names of types.
type kinds []string

// UnmarshalJSON reads a name or a list of them.
func (k *kinds) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, (*[]string)(k))
	}
	*k = kinds{""}
	return json.Unmarshal(raw, &(*k)[0])
}

// Document holds the schemas of a document by their names.
type Document map[string]Schema

// Load reads a discovery document or an OpenAPI document.
func Load(file string) (Document, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var d struct {
		Schemas    Document `json:"schemas"`
		Components struct {
			Schemas Document `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if d.Schemas == nil {
		d.Schemas = d.Components.Schemas
	}
	return d.Schemas, nil
}

// Field is a field that holds a value and no further fields. Its path names the fields that lead to it; [] stands for an element of a
// list.
type Field struct {
	Path   string
	Schema Schema
}

// Fields returns all fields of an object by their paths. What contains itself is followed once.
func (d Document) Fields(name string) ([]Field, error) {
	root, ok := d[name]
	if !ok {
		return nil, fmt.Errorf("no schema %s", name)
	}
	var out []Field
	if err := d.walk(root, "", []string{name}, &out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

func (d Document) walk(s Schema, path string, above []string, out *[]Field) error {
	for _, one := range s.AnyOf {
		if !slices.Contains(one.Type, "null") {
			return d.walk(one, path, above, out)
		}
	}
	switch {
	case s.Ref != "":
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		target, ok := d[name]
		if !ok {
			return fmt.Errorf("%s: no schema %s", path, name)
		}
		if slices.Contains(above, name) {
			break
		}
		return d.walk(target, path, append(slices.Clone(above), name), out)
	case s.Items != nil:
		return d.walk(*s.Items, path+"[]", above, out)
	case len(s.Properties) > 0:
		for name, p := range s.Properties {
			if err := d.walk(p, strings.TrimPrefix(path+"."+name, "."), above, out); err != nil {
				return err
			}
		}
		return nil
	}
	*out = append(*out, Field{Path: path, Schema: s})
	return nil
}

// words are the values that an enumeration allows: as a list, or in the form in which Graph's document writes them as a pattern.
func (s Schema) words() []string {
	list, _, isList := strings.Cut(strings.TrimPrefix(s.Pattern, "^("), ")(,(")
	if len(s.Enum) > 0 || !isList || !strings.HasPrefix(s.Pattern, "^(") {
		return s.Enum
	}
	return strings.Split(list, "|")
}

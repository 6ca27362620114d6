package microsoft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Schema is an OpenAPI document of Graph, to check answers against.
type Schema struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema shape `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]shape `json:"schemas"`
	} `json:"components"`

	patterns sync.Map // of *regexp.Regexp by their texts
}

// shape is the part of JSON Schema that the document uses.
type shape struct {
	Ref        string           `json:"$ref"`
	Type       types            `json:"type"`
	Pattern    string           `json:"pattern"`
	AnyOf      []shape          `json:"anyOf"`
	Required   []string         `json:"required"`
	Properties map[string]shape `json:"properties"`
	ByPattern  map[string]shape `json:"patternProperties"`
	Items      *shape           `json:"items"`
	Additional *bool            `json:"additionalProperties"`
}

// types are one or several names of types.
type types []string

// UnmarshalJSON reads a name or a list of them.
func (t *types) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, (*[]string)(t))
	}
	*t = types{""}
	return json.Unmarshal(raw, &(*t)[0])
}

// LoadSchema reads the document.
func LoadSchema(file string) (*Schema, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load schema: %w", err)
	}
	s := &Schema{}
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("load schema %s: %w", file, err)
	}
	return s, nil
}

// elsewhere are methods that the document lacks, with one whose answers are like theirs; "" where it has none.
var elsewhere = []struct{ path, like string }{
	{"/v1.0/users/{}/mailboxSettings/userPurpose", ""},
	{"/v1.0/$batch", ""},
	{"/v1.0/sites/getAllSites", "/v1.0/sites"},
}

// alone are resources that the document has only in lists or at other paths; learn.microsoft.com/graph/api/contactfolder-get,
// contact-get, attachment-get and taskfileattachment-get name these.
var alone = []struct{ path, kind string }{
	{"/v1.0/users/{}/contactFolders/{}", "contactFolder"},
	{"/v1.0/users/{}/contactFolders/{}/contacts/{}", "contact"},
	{"/v1.0/users/{}/events/{}/attachments/{}", "attachment"},
	{"/v1.0/users/{}/todo/lists/{}/tasks/{}/attachments/{}", "attachmentBase"},
}

// check gives what is wrong with an answer.
func (s *Schema) check(r *http.Request, w *cloudsim.Recorder) []string {
	if w.Spoiled || !strings.HasPrefix(r.URL.Path, "/v1.0/") || len(w.Body) == 0 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		return nil
	}
	found, known := s.find(r, w.Status)
	if !known {
		return []string{fmt.Sprintf("%s: no schema for HTTP %d", r.URL.Path, w.Status)}
	}
	d := json.NewDecoder(bytes.NewReader(w.Body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return []string{r.URL.Path + ": " + err.Error()}
	}
	wrong := s.wrong(found, v, "answer")
	for i := range wrong {
		wrong[i] = r.URL.Path + ": " + wrong[i]
	}
	return wrong
}

// find returns the shape of the answer to a request.
func (s *Schema) find(r *http.Request, status int) (shape, bool) {
	for _, e := range elsewhere {
		if matches(e.path, r.URL.Path) {
			return s.Paths[e.like]["get"].Responses[fmt.Sprint(status)].Content["application/json"].Schema, true
		}
	}
	if status >= http.StatusBadRequest {
		return errorShape, true
	}
	best, out := -1, shape{}
	for template, methods := range s.Paths {
		literal := len(template) - 100*strings.Count(template, "{")
		response, ok := methods["get"].Responses[fmt.Sprint(status)]
		if !ok || !matches(template, r.URL.Path) || best != -1 && literal < best {
			continue
		}
		best, out = literal, response.Content["application/json"].Schema
	}
	for _, e := range alone {
		if best == -1 && status == http.StatusOK && matches(e.path, r.URL.Path) {
			return shape{Ref: "#/components/schemas/microsoft.graph." + e.kind}, true
		}
	}
	if best == -1 && strings.HasPrefix(r.URL.Path, "/v1.0/sites/") && status == http.StatusOK {
		return shape{Ref: "#/components/schemas/microsoft.graph.site"}, true // by its path
	}
	return out, best != -1
}

// errorShape is that of all errors.
var errorShape = shape{Type: types{"object"}, Required: []string{"error"}, Properties: map[string]shape{"error": {Type: types{"object"}, Required: []string{"code", "message"}}}}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") })
}

// wrong compares a value with its shape.
func (s *Schema) wrong(want shape, v any, at string) []string {
	if want.Ref != "" {
		target, ok := s.Components.Schemas[strings.TrimPrefix(want.Ref, "#/components/schemas/")]
		if !ok {
			return []string{at + ": no schema " + want.Ref}
		}
		return s.wrong(target, v, at)
	}
	if len(want.AnyOf) > 0 {
		return s.noneOf(want.AnyOf, v, at)
	}
	if len(want.Type) > 0 && !slices.ContainsFunc(want.Type, func(t string) bool { return isOf(t, v) }) {
		return []string{fmt.Sprintf("%s: %T where %s belongs", at, v, strings.Join(want.Type, " or "))}
	}
	switch v := v.(type) {
	case map[string]any:
		return s.wrongObject(want, v, at)
	case []any:
		return s.wrongList(want, v, at)
	case string:
		if want.Pattern != "" && !s.pattern(want.Pattern).MatchString(v) {
			return []string{fmt.Sprintf("%s: %q does not match %s", at, v, want.Pattern)}
		}
	}
	return nil
}

// noneOf says what is wrong by the alternative that comes nearest.
func (s *Schema) noneOf(any []shape, v any, at string) (least []string) {
	for _, one := range any {
		wrong := s.wrong(one, v, at)
		if len(wrong) == 0 {
			return nil
		}
		if onlyNull := len(one.Type) == 1 && one.Type[0] == "null"; !onlyNull && (least == nil || len(wrong) < len(least)) {
			least = wrong
		}
	}
	return least
}

func isOf(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case string:
		return kind == "string"
	case bool:
		return kind == "boolean"
	case json.Number:
		_, err := v.Int64()
		return kind == "number" || kind == "integer" && err == nil
	case map[string]any:
		return kind == "object"
	}
	return kind == "array"
}

func (s *Schema) wrongObject(want shape, o map[string]any, at string) (wrong []string) {
	for _, name := range want.Required {
		if _, ok := o[name]; !ok {
			wrong = append(wrong, at+": lacks "+name)
		}
	}
	for name, v := range o {
		p, ok := want.Properties[name]
		for pattern, other := range want.ByPattern {
			if !ok && s.pattern(pattern).MatchString(name) {
				p, ok = other, true
			}
		}
		if !ok && want.Additional != nil && !*want.Additional {
			wrong = append(wrong, at+": unknown member "+name)
		}
		if ok {
			wrong = append(wrong, s.wrong(p, v, at+"."+name)...)
		}
	}
	slices.Sort(wrong)
	return wrong
}

func (s *Schema) wrongList(want shape, list []any, at string) (wrong []string) {
	if want.Items == nil {
		return nil
	}
	for i, v := range list {
		wrong = append(wrong, s.wrong(*want.Items, v, fmt.Sprintf("%s[%d]", at, i))...)
	}
	return wrong
}

func (s *Schema) pattern(text string) *regexp.Regexp {
	if known, ok := s.patterns.Load(text); ok {
		return known.(*regexp.Regexp)
	}
	compiled := regexp.MustCompile(text)
	s.patterns.Store(text, compiled)
	return compiled
}

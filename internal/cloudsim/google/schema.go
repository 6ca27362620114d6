package google

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

// Schema holds what Google's discovery documents say about the APIs, to check requests and answers against.
// https://developers.google.com/discovery/v1/reference/apis
type Schema struct {
	documents []discovery
}

// discovery is what matters of one document.
type discovery struct {
	Name        string                     `json:"name"`
	ServicePath string                     `json:"servicePath"`
	Parameters  map[string]shape           `json:"parameters"`
	Schemas     map[string]shape           `json:"schemas"`
	Resources   map[string]json.RawMessage `json:"resources"`
	methods     []method
}

type method struct {
	ID         string           `json:"id"`
	Path       string           `json:"path"`
	FlatPath   string           `json:"flatPath"`
	HTTPMethod string           `json:"httpMethod"`
	Parameters map[string]shape `json:"parameters"`
	Response   shape            `json:"response"`
	Media      bool             `json:"supportsMediaDownload"`
}

// shape is the type of a value.
type shape struct {
	Ref        string           `json:"$ref"`
	Type       string           `json:"type"`
	Format     string           `json:"format"`
	Enum       []string         `json:"enum"`
	Maximum    string           `json:"maximum"`
	Required   bool             `json:"required"`
	Repeated   bool             `json:"repeated"`
	Location   string           `json:"location"`
	Properties map[string]shape `json:"properties"`
	Additional *shape           `json:"additionalProperties"`
	Items      *shape           `json:"items"`
}

// LoadSchema reads the documents from a directory of the module google.golang.org/api.
func LoadSchema(dir string) (*Schema, error) {
	s := &Schema{}
	for _, file := range []string{"drive/v3/drive-api.json", "gmail/v1/gmail-api.json", "calendar/v3/calendar-api.json", "admin/directory/v1/admin-api.json",
		"people/v1/people-api.json", "tasks/v1/tasks-api.json"} {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
		if err != nil {
			return nil, fmt.Errorf("load schema: %w", err)
		}
		var d discovery
		if err := json.Unmarshal(raw, &d); err != nil {
			return nil, fmt.Errorf("load schema %s: %w", file, err)
		}
		if err := d.collect(d.Resources); err != nil {
			return nil, fmt.Errorf("load schema %s: %w", file, err)
		}
		s.documents = append(s.documents, d)
	}
	return s, nil
}

// ModuleSchema reads the documents of the version of google.golang.org/api that the module in the working directory
// requires. It runs the go command, and so is for tests.
func ModuleSchema(ctx context.Context) (*Schema, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil {
		return nil, fmt.Errorf("find google.golang.org/api: %w", err)
	}
	return LoadSchema(strings.TrimSpace(string(out)))
}

func (d *discovery) collect(resources map[string]json.RawMessage) error {
	for _, raw := range resources {
		var r struct {
			Methods   map[string]method          `json:"methods"`
			Resources map[string]json.RawMessage `json:"resources"`
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		for _, m := range r.Methods {
			if strings.Contains(m.Path, "{+") {
				m.Path = m.FlatPath // where one parameter stands for several parts of the path
			}
			d.methods = append(d.methods, m)
		}
		if err := d.collect(r.Resources); err != nil {
			return err
		}
	}
	return nil
}

// find gives the method of a request: the one with the most literal path.
func (s *Schema) find(r *http.Request) (*discovery, *method) {
	var found *method
	var of *discovery
	for i := range s.documents {
		d := &s.documents[i]
		for j := range d.methods {
			m := &d.methods[j]
			if m.HTTPMethod == r.Method && matches("/"+d.ServicePath+m.Path, r.URL.EscapedPath()) && (found == nil || strings.Count(m.Path, "{") < strings.Count(found.Path, "{")) {
				of, found = d, m
			}
		}
	}
	return of, found
}

func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// check gives what is wrong with a request and its answer. Paths outside the APIs, such as /token, are not judged.
func (s *Schema) check(r *http.Request, w *cloudsim.Recorder) []string {
	if r.URL.Path == "/token" || strings.HasPrefix(r.URL.Path, "/feeds/") || strings.HasPrefix(r.URL.Path, photoRoot) || w.Spoiled {
		return nil
	}
	d, m := s.find(r)
	if m == nil {
		return []string{"no method of Google's APIs: " + r.Method + " " + r.URL.Path}
	}
	var problems []string
	if w.Status/100 == 2 {
		problems = d.checkQuery(m, r.URL.Query())
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && r.Context().Err() == nil {
		problems = append(problems, d.checkAnswer(m, r, w)...)
	}
	for i := range problems {
		problems[i] = m.ID + ": " + problems[i]
	}
	return problems
}

func (d *discovery) checkQuery(m *method, q url.Values) []string {
	var problems []string
	for name, values := range q {
		p, ok := m.Parameters[name]
		if !ok || p.Location != "query" {
			p, ok = d.Parameters[name]
		}
		if !ok {
			problems = append(problems, "no parameter "+name)
			continue
		}
		if len(values) > 1 && !p.Repeated {
			problems = append(problems, "parameter "+name+" is repeated")
		}
		for _, v := range values {
			problems = append(problems, d.check("parameter "+name, p, p.parameter(v))...)
		}
	}
	for name, p := range m.Parameters {
		if p.Required && p.Location == "query" && !q.Has(name) {
			problems = append(problems, "parameter "+name+" is missing")
		}
	}
	return append(problems, d.checkFields(m, q)...)
}

// parameter gives the JSON value that a query parameter stands for.
func (p shape) parameter(v string) any {
	switch {
	case p.Type == "boolean" && (v == "true" || v == "false"):
		return v == "true"
	case p.Type == "integer":
		return json.Number(v)
	}
	return v
}

func (d *discovery) checkAnswer(m *method, r *http.Request, w *cloudsim.Recorder) []string {
	body, err := parseObject(w.Body)
	if err != nil {
		return []string{"the answer is no JSON: " + err.Error()}
	}
	if w.Status/100 != 2 {
		return checkError(body, w.Status, d.Name == "people")
	}
	if r.URL.Query().Get("alt") == "media" || m.Response.Ref == "" {
		return nil
	}
	return d.check("answer", m.Response, body)
}

// checkError judges an error: the People API has a status instead of a list of errors.
func checkError(body object, status int, canonical bool) []string {
	e := body.child("error")
	list, _ := e.get("errors").([]any)
	if canonical {
		if fmt.Sprint(e.get("code")) != fmt.Sprint(status) || e.text("message") == "" || e.text("status") == "" || len(list) > 0 {
			return []string{"an error without code, message or status, or with errors"}
		}
		return nil
	}
	if fmt.Sprint(e.get("code")) != fmt.Sprint(status) || e.text("message") == "" || len(list) == 0 {
		return []string{"an error without code, message or errors"}
	}
	if first, _ := list[0].(object); first.text("reason") == "" || first.text("domain") == "" || first.text("message") == "" {
		return []string{"an error without reason, domain or message"}
	}
	return nil
}

// checkFields follows the paths of the parameter fields through the schema of the answer.
func (d *discovery) checkFields(m *method, q url.Values) []string {
	selected, err := parseMask(q.Get("fields"))
	if err != nil {
		return []string{"fields: " + err.Error()}
	}
	return d.follow("fields", m.Response, selected)
}

func (d *discovery) follow(at string, s shape, selected *mask) []string {
	if selected == nil {
		return nil
	}
	s = d.element(s)
	var problems []string
	for name, below := range selected.fields {
		p, ok := s.Properties[name]
		if !ok && s.Additional != nil {
			p, ok = *s.Additional, true
		}
		if !ok && name != "*" && s.Type != "any" {
			problems = append(problems, at+": no field "+name)
		}
		if ok {
			problems = append(problems, d.follow(at+"."+name, p, below)...)
		}
	}
	slices.Sort(problems)
	return problems
}

// element resolves references, and lists to what they hold.
func (d *discovery) element(s shape) shape {
	for s.Ref != "" || s.Items != nil {
		if s.Ref != "" {
			s = d.Schemas[s.Ref]
		} else {
			s = *s.Items
		}
	}
	return s
}

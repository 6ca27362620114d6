package config_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// documentedKey is a line of the tables in docs/job-file.md.
type documentedKey struct{ name, kind string }

// values are the words that the key takes, if it takes certain ones.
func (k documentedKey) values() []string {
	words, _, _ := strings.Cut(k.kind, ", default")
	if !strings.Contains(words, "` or `") {
		return nil
	}
	var list []string
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(words, -1) {
		list = append(list, m[1])
	}
	return list
}

// standard is the default that the document names; empty where it names none.
func (k documentedKey) standard() string {
	_, standard, _ := strings.Cut(k.kind, "default ")
	return strings.Trim(standard, "`")
}

func documentedKeys(t *testing.T) []documentedKey {
	t.Helper()
	text, err := os.ReadFile("../../docs/job-file.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, _, _ := strings.Cut(string(text), "## Secrets")
	var keys []documentedKey
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| ([^|]+) \\|").FindAllStringSubmatch(tables, -1) {
		keys = append(keys, documentedKey{m[1], m[2]})
	}
	return keys
}

// parsed reads a job that has every section that a key may lie in, with the key set to a value. A nil value takes the key away.
func parsed(t *testing.T, key string, value any) (*config.Job, error) {
	t.Helper()
	source := map[string]any{"google": map[string]any{"credentials": "env:KEY", "admin": "admin@example.org"}}
	if strings.HasPrefix(key, "source.microsoft") {
		source = map[string]any{"microsoft": map[string]any{"tenant": "example.org", "client_id": "id", "secret": "env:SECRET"}}
	}
	dav := func(name string) map[string]any { return map[string]any{name: "https://cloud.example.org/{user}/"} }
	job := map[string]any{
		"job": "x", "accounts": "accounts.csv", "source": source, "concurrency": map[string]any{},
		"target": map[string]any{
			"files": dav("webdav"), "calendar": dav("caldav"), "contacts": dav("carddav"), "tasks": dav("caldav"),
			"mail": map[string]any{"imap": "imaps://mail.example.org", "master": map[string]any{"user": "m", "password": "env:M"}},
		},
	}
	section, path := job, strings.Split(key, ".")
	for _, name := range path[:len(path)-1] {
		section = section[name].(map[string]any)
	}
	if last := path[len(path)-1]; value == nil {
		delete(section, last)
	} else {
		section[last] = value
	}
	text, err := yaml.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	return config.Parse("job.yaml", text)
}

// field returns what a job has under a key.
func field(j *config.Job, key string) reflect.Value {
	v := reflect.ValueOf(j).Elem()
	for name := range strings.SplitSeq(key, ".") {
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("yaml") == name {
				v = v.Field(i)
				break
			}
		}
	}
	return v
}

// TestDocumentedValues: a key takes the words that the document names, and no others.
func TestDocumentedValues(t *testing.T) {
	n := 0
	for _, k := range documentedKeys(t) {
		values := k.values()
		if values == nil {
			continue
		}
		n++
		for _, v := range values {
			var value any = v
			if v == "true" || v == "false" {
				value = v == "true"
			}
			if _, err := parsed(t, k.name, value); err != nil {
				t.Errorf("%s: %s is documented and refused: %v", k.name, v, err)
			}
		}
		_, err := parsed(t, k.name, "no-such-word")
		if err == nil {
			t.Errorf("%s takes any word", k.name)
			continue
		}
		if _, list, ok := strings.Cut(err.Error(), "none of "); ok {
			allowed := strings.Split(strings.TrimSpace(list), ", ")
			if slices.Sort(allowed); !slices.Equal(allowed, slices.Sorted(slices.Values(values))) {
				t.Errorf("%s takes %q, and %q are documented", k.name, allowed, values)
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d keys with words were found", n)
	}
}

// TestDocumentedDefaults: a key that is left out has the value that the document names, and where it names none, none.
func TestDocumentedDefaults(t *testing.T) {
	n := 0
	for _, k := range documentedKeys(t) {
		if strings.Contains(k.kind, "needed") || strings.HasPrefix(k.kind, "section") || strings.HasPrefix(k.kind, "URL") || strings.HasPrefix(k.kind, "secret") {
			continue
		}
		j, err := parsed(t, k.name, nil)
		if err != nil {
			continue // it cannot be left out of a section that is there; TestDocumentedNeeds looks at that
		}
		v := field(j, k.name)
		standard := k.standard()
		if k.name == "state" || k.name == "kinds" {
			continue // they follow from other keys, which TestSmallestJobFile shows
		}
		n++
		switch {
		case !v.IsZero() && standard != fmt.Sprint(v):
			t.Errorf("%s is %v when it is left out, and %q is documented", k.name, v, standard)
		case v.IsZero() && v.Kind() == reflect.Bool && standard != "false":
			t.Errorf("%s is false when it is left out, and %q is documented", k.name, standard)
		case v.IsZero() && v.Kind() == reflect.String && standard != "" && !slices.Contains(k.values(), standard) && k.name != "source.google.formats":
			t.Errorf("%s: the default %q is none of its words", k.name, standard)
		}
	}
	if n < 15 {
		t.Errorf("only %d defaults were looked at", n)
	}
}

// TestDocumentedNeeds: what the document calls needed is needed, and bounds of numbers are those of the program.
func TestDocumentedNeeds(t *testing.T) {
	bounds := regexp.MustCompile(`^(\d+) to (\d+)`)
	needed, bounded := 0, 0
	for _, k := range documentedKeys(t) {
		if strings.Contains(k.kind, ", needed") {
			needed++
			if _, err := parsed(t, k.name, nil); err == nil {
				t.Errorf("%s is called needed and can be left out", k.name)
			}
		}
		if m := bounds.FindStringSubmatch(k.kind); m != nil {
			bounded++
			low, _ := strconv.Atoi(m[1]) // they are digits
			high, _ := strconv.Atoi(m[2])
			for value, taken := range map[int]bool{low: true, high: true, high + 1: false, low - 2: false} {
				if _, err := parsed(t, k.name, value); (err == nil) != taken {
					t.Errorf("%s: %d, although it is said to lie between %d and %d: %v", k.name, value, low, high, err)
				}
			}
		}
	}
	if needed < 6 || bounded < 3 {
		t.Errorf("only %d needed and %d bounded keys were found", needed, bounded)
	}
}

// TestDocumentedTypes: what the document says of a key's type is the type in the program.
func TestDocumentedTypes(t *testing.T) {
	kinds := map[string]reflect.Kind{"list": reflect.Slice, "number": reflect.Int, "`true`": reflect.Bool}
	for _, k := range documentedKeys(t) {
		j, err := parsed(t, k.name, nil)
		if err != nil {
			continue
		}
		word, _, _ := strings.Cut(strings.ReplaceAll(k.kind, ",", " "), " ")
		got := field(j, k.name).Kind()
		if want, ok := kinds[word]; ok && got != want && (want != reflect.Int || got != reflect.Float64) {
			t.Errorf("%s is documented as %s, and a %s in the program", k.name, word, got)
		}
		if got == reflect.Bool && word != "`true`" || got == reflect.Slice && word != "list" {
			t.Errorf("%s is documented as %q, and a %s in the program", k.name, k.kind, got)
		}
	}
}

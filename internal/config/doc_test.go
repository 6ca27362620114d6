package config_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
)

// keysOf returns the full names of all keys of a struct, sections included.
func keysOf(prefix string, t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[config.Formats]() {
		return nil
	}
	var keys []string
	for f := range t.Fields() {
		name := f.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		keys = append(keys, prefix+name)
		keys = append(keys, keysOf(prefix+name+".", f.Type)...)
	}
	return keys
}

// TestEveryKeyIsDocumented holds the tables of docs/job-file.md and the Job struct together, in both directions.
func TestEveryKeyIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/job-file.md")
	if err != nil {
		t.Fatal(err)
	}
	tables, rest, _ := strings.Cut(string(text), "## Secrets")
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|").FindAllStringSubmatch(tables, -1) {
		documented = append(documented, m[1])
	}
	keys := keysOf("", reflect.TypeFor[config.Job]())
	if len(keys) < 25 {
		t.Fatalf("only %d keys were found: %q", len(keys), keys)
	}
	for _, k := range keys {
		if !slices.Contains(documented, k) {
			t.Errorf("docs/job-file.md does not describe %s", k)
		}
	}
	for _, k := range documented {
		if !slices.Contains(keys, k) {
			t.Errorf("docs/job-file.md describes %s, which the job file does not have", k)
		}
	}
	for _, column := range []string{"source", "target", "password", "kinds", "state", "name", "comment"} {
		if !strings.Contains(rest, "`"+column+"`") {
			t.Errorf("docs/job-file.md does not describe the column %s of the accounts file", column)
		}
	}
}

// TestSmallestJobFile reads the example in docs/job-file.md.
func TestSmallestJobFile(t *testing.T) {
	text, err := os.ReadFile("../../docs/job-file.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/job-file.md has no example")
	}
	j, err := config.Parse("job.yaml", []byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if j.State != "pilot.db" || !slices.Equal(j.Kinds, []string{"mail"}) {
		t.Errorf("defaults: %+v", j)
	}
}

package fieldwalk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// described is a document in both forms: Google's references and enumerations, and Graph's.
const described = `{"schemas": {
	"Thing": {"properties": {
		"name": {"type": "string"}, "nick": {"type": "string"}, "size": {"type": ["integer", "null"]}, "loud": {"type": "boolean"},
		"state": {"anyOf": [{"type": "string", "pattern": "^(off|on|unknownFutureValue)(,(off|on))*$"}, {"type": "null"}]},
		"born": {"type": "string", "pattern": "^\\d{4}-\\d\\d-\\d\\d$"},
		"parts": {"type": "array", "items": {"$ref": "Part"}}}},
	"Part": {"properties": {"label": {"type": "string"}, "kind": {"type": "string", "enum": ["A", "B"]}, "of": {"$ref": "Thing"}}}}}`

func fieldsOf(t *testing.T, name string) []Field {
	t.Helper()
	file := filepath.Join(t.TempDir(), "document.json")
	if err := os.WriteFile(file, []byte(described), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := d.Fields(name)
	if err != nil {
		t.Fatal(err)
	}
	return fields
}

func TestFieldsAreFollowed(t *testing.T) {
	var paths []string
	for _, f := range fieldsOf(t, "Thing") {
		paths = append(paths, f.Path)
	}
	want := strings.Fields("born loud name nick parts[].kind parts[].label parts[].of size state")
	if !slices.Equal(paths, want) {
		t.Errorf("%v, want %v", paths, want)
	}
}

// TestWhatIsDroppedIsSeen drops each field in turn.
func TestWhatIsDroppedIsSeen(t *testing.T) {
	fields := fieldsOf(t, "Thing")
	for _, dropped := range fields {
		name := dropped.Path[strings.LastIndexByte(dropped.Path, '.')+1:]
		w := Walk{Fields: fields, Write: func(_ *testing.T, object []byte) []string {
			all := string(object)
			if at := strings.Index(all, `"`+name+`":`); at >= 0 {
				end := at + strings.IndexAny(all[at:], ",}")
				all = all[:at] + all[end:]
			}
			return []string{all, string(object) + all}
		}}
		for i, f := range fields {
			if got := w.found(t, f, i); got != (f.Path != dropped.Path) {
				t.Errorf("%s is dropped, and %s found: %v", dropped.Path, f.Path, got)
			}
		}
	}
}

func TestTextsThatHideOthers(t *testing.T) {
	w := Walk{Fields: fieldsOf(t, "Thing"), Write: func(_ *testing.T, object []byte) []string {
		all := string(object)
		if at := strings.Index(all, `,"nick"`); at >= 0 && strings.Contains(all, `"name"`) {
			all = all[:at] + all[at+strings.IndexAny(all[at+1:], ",}")+1:]
		}
		return []string{all}
	}}
	if got := w.hidden(t); !slices.Equal(got, []string{"nick"}) {
		t.Errorf("%v", got)
	}
}

func TestSectionsAreReplaced(t *testing.T) {
	one := Walk{Title: "One", About: "a", Left: []Left{{Fields: "x y", Reason: "r"}}}
	two := Walk{Title: "Two", About: "b", Behind: []Left{{Fields: "z", Reason: "s"}}}
	document := replace(replace("", one.Title, one.section()), two.Title, two.section())
	if !strings.HasPrefix(document, head) || !strings.Contains(document, "| `x`, `y` | r |\n\n## Two") || !strings.HasSuffix(document, "| `z` | s |\n") {
		t.Error(document)
	}
	if again := replace(replace(document, two.Title, two.section()), one.Title, one.section()); again != document {
		t.Errorf("it does not stay the same:\n%s", again)
	}
	one.Left[0].Reason = "other"
	if changed := replace(document, one.Title, one.section()); changed == document || !strings.Contains(changed, "| `z` | s |\n") {
		t.Error(changed)
	}
}

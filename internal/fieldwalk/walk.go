package fieldwalk

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Walk is what a test knows about the fields of one object. Title and About begin its section of the document.
type Walk struct {
	Title, About string
	// Fields are those that the provider describes.
	Fields []Field
	// Asked reports whether the provider is asked for a field of the object itself; nil means for all.
	Asked func(name string) bool
	// Probes say what a field needs in order to count.
	Probes []Probe
	// Left are the fields that do not come along.
	Left []Left
	// Behind are texts that come along only where another field does not say the same.
	Behind []Left
	// Write returns what of an object stands on the target: one text for each form in which it can be written there.
	Write func(t *testing.T, object []byte) []string
}

// Probe is how fields are tried. Where several concern a field, all of them hold; later ones are stronger.
type Probe struct {
	// Fields are patterns of paths, parted by blanks: * stands for any one name, ** for any number of them.
	Fields string
	// Value is what the field holds, instead of a mark that is made up.
	Value any
	// Marks are what must stand on the target, in one of these forms; without them, the mark itself or, where the value is no mark, any
	// difference from the object without the field.
	Marks []string
	// With are other fields that must be there, by their paths; one that begins with a dot is beside the field, and one
	// whose value is nil must not be there.
	With map[string]any
	// First are elements that stand in lists of the object before the one that is tried.
	First map[string]any
}

// Left are fields that do not come along.
type Left struct {
	// Fields are patterns of paths, parted by blanks, as in a Probe.
	Fields string
	// Reason says why, in the words of the document.
	Reason string
}

// Run tries every field. One that is not found on the target must be left for a reason, and one that is found must not be.
func (w Walk) Run(t *testing.T) {
	t.Helper()
	var lost []string
	for i, f := range w.Fields {
		if !w.found(t, f, i) {
			lost = append(lost, f.Path)
		}
	}
	w.compare(t, "does not come along", lost, w.Left)
	w.compare(t, "does not come along with all others", w.hidden(t), w.Behind)
	for _, p := range w.Probes {
		if !slices.ContainsFunc(w.Fields, func(f Field) bool { return matches(p.Fields, f.Path) != "" }) {
			t.Errorf("the probe of %s concerns no field", p.Fields)
		}
	}
}

// compare demands that the list has the fields of which something is so, and no others.
func (w Walk) compare(t *testing.T, so string, paths []string, list []Left) {
	t.Helper()
	for _, path := range paths {
		if !slices.ContainsFunc(list, func(l Left) bool { return matches(l.Fields, path) != "" }) {
			t.Errorf("%s %s, and no list says why", path, so)
		}
	}
	for _, l := range list {
		for _, pattern := range strings.Fields(l.Fields) {
			some := false
			for _, f := range w.Fields {
				if matches(pattern, f.Path) == "" {
					continue
				}
				if some = true; !slices.Contains(paths, f.Path) {
					t.Errorf("a list has %s: it is not so that %s %s", pattern, f.Path, so)
				}
			}
			if !some {
				t.Errorf("a list has %s: there is no such field", pattern)
			}
		}
	}
}

// matches returns the first of the patterns that a path has.
func matches(patterns, path string) string {
	for _, pattern := range strings.Fields(patterns) {
		text := strings.NewReplacer(`\*\*`, `.*`, `\*`, `[^.]*`).Replace(regexp.QuoteMeta(pattern))
		if regexp.MustCompile("^" + text + "$").MatchString(path) {
			return pattern
		}
	}
	return ""
}

// probe joins all that is known about a field.
func (w Walk) probe(path string) Probe {
	out := Probe{With: map[string]any{}, First: map[string]any{}}
	for _, p := range w.Probes {
		if matches(p.Fields, path) == "" {
			continue
		}
		if p.Value != nil {
			out.Value, out.Marks = p.Value, nil
		}
		if p.Marks != nil {
			out.Marks = p.Marks
		}
		maps.Copy(out.With, p.With)
		maps.Copy(out.First, p.First)
	}
	return out
}

// found tries a field alone and, if that does not do, with what it needs.
func (w Walk) found(t *testing.T, f Field, number int) bool {
	t.Helper()
	p := w.probe(f.Path)
	for _, needs := range []Probe{{}, p} {
		without := w.write(t, f.Path, needs, nil)
		for _, v := range values(f, p, number) {
			if seen(w.write(t, f.Path, needs, v.value), without, v.marks) {
				return true
			}
		}
	}
	return false
}

// value is what a field may hold, and the forms in which it may stand on the target; without forms, any difference counts.
type value struct {
	value any
	marks []string
}

func values(f Field, p Probe, number int) []value {
	s := f.Schema
	if p.Value != nil {
		return []value{{p.Value, p.Marks}}
	}
	switch {
	case len(s.words()) > 0:
		var out []value
		for _, word := range s.words() {
			out = append(out, value{word, p.Marks})
		}
		return out
	case slices.Contains(s.Type, "boolean"):
		return []value{{true, p.Marks}}
	case slices.Contains(s.Type, "integer"), slices.Contains(s.Type, "number"):
		return []value{{1000 + number, p.Marks}}
	case s.Format == "google-datetime" || strings.Contains(s.Pattern, "T"):
		at := fmt.Sprintf("2031-05-17T%02d:%02d:59Z", number/60%24, number%60)
		return []value{{at, or(p.Marks, at, strings.NewReplacer("-", "", ":", "").Replace(at))}}
	case s.Pattern != "":
		return []value{{"2031-05-17", or(p.Marks, "2031-05-17", "20310517")}}
	}
	mark := fmt.Sprintf("marker%d@example.org", number)
	return []value{{mark, or(p.Marks, mark)}}
}

func or(marks []string, usual ...string) []string {
	if marks != nil {
		return marks
	}
	return usual
}

// write makes the object in which a field holds a value, or is missing if that is nil, and converts it.
func (w Walk) write(t *testing.T, path string, needs Probe, v any) []string {
	t.Helper()
	object := map[string]any{}
	if at := strings.LastIndexByte(path, '.'); at > 0 {
		set(object, path[:at], map[string]any{}) // that it is there must not count
	}
	for at, value := range needs.With {
		if strings.HasPrefix(at, ".") {
			at = path[:max(0, strings.LastIndexByte(path, '.'))] + at
		}
		if at = strings.TrimPrefix(at, "."); at != path && value != nil {
			set(object, at, value)
		}
	}
	if v != nil {
		set(object, path, v)
	}
	for list, first := range needs.First {
		if rest, ok := object[list].([]any); ok {
			object[list] = append([]any{first}, rest...)
		}
	}
	if w.Asked != nil {
		maps.DeleteFunc(object, func(name string, _ any) bool { return !w.Asked(name) })
	}
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return w.Write(t, raw)
}

// hidden returns the texts that come along by themselves, and do not in an object that has all of them.
func (w Walk) hidden(t *testing.T) (paths []string) {
	t.Helper()
	all, marks := Probe{With: map[string]any{}}, map[string]string{}
	for i, f := range w.Fields {
		p := w.probe(f.Path)
		v := values(f, p, i)[0]
		if text, ok := v.value.(string); ok && p.Value == nil && slices.Equal(v.marks, []string{text}) && w.found(t, f, i) {
			maps.Copy(all.With, p.With)
			marks[f.Path] = text
		}
	}
	for path, text := range marks {
		all.With[path] = text
	}
	maps.DeleteFunc(all.With, func(path string, _ any) bool { return strings.HasPrefix(path, ".") })
	written := w.write(t, "", all, nil)
	for path, mark := range marks {
		if slices.ContainsFunc(written, func(text string) bool { return !strings.Contains(text, mark) }) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// set puts a value at a path. Lists have one element.
func set(object map[string]any, path string, v any) {
	name, rest, deeper := strings.Cut(path, ".")
	name, list := strings.CutSuffix(name, "[]")
	if !deeper {
		if list {
			v = []any{v}
		}
		object[name] = v
		return
	}
	below, ok := object[name].(map[string]any)
	if all, isList := object[name].([]any); isList {
		below, ok = all[0].(map[string]any)
	}
	if !ok {
		below = map[string]any{}
		object[name] = below
		if list {
			object[name] = []any{below}
		}
	}
	set(below, rest, v)
}

// seen reports whether each form on the target holds one of the marks, and differs from the one without the field.
func seen(written, without []string, marks []string) bool {
	for i, text := range written {
		if len(without) == len(written) && text == without[i] {
			return false
		}
		if len(marks) > 0 && !slices.ContainsFunc(marks, func(m string) bool { return strings.Contains(text, m) }) {
			return false
		}
	}
	return len(written) > 0
}

// Unfold returns the lines of a vCard or an iCalendar object as they were before they were folded, without the escapes of texts.
func Unfold(data []byte) string {
	return strings.NewReplacer("\r\n ", "", `\n`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`).Replace(string(data))
}

package fieldwalk

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// head is the beginning of the document. What follows are the sections, one of each kind of object.
const head = `# Fields that stay behind

What the providers describe of a contact or a task and what does not come along. A field that is in none of these tables is found
again on the target; where that has no field of its own for it, it stands in the note of the contact or in the description of the
task, and the [summary](reasons.md#losses-of-contacts) counts it.

The paths are those of the provider's own description. ` + "`[]`" + ` is an element of a list, ` + "`*`" + ` any one name, ` + "`**`" + ` any number of them.

This document is generated. The tests walk every field that the providers describe, and fail when one neither comes along nor stands
here. To renew it after a change:

` + "```" + `
go test -p 1 ./sources/google ./sources/microsoft -run Fields -update
` + "```" + `
`

// Compare compares the walk's section of the document with what does not come along, or writes it anew. Path is where the document is.
func (w Walk) Compare(t *testing.T, path string, update bool) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil && !update {
		t.Fatal(err)
	}
	want := replace(string(raw), w.Title, w.section())
	if want == string(raw) {
		return
	}
	if !update {
		t.Errorf("%s is not what the test knows about %s: run the command that stands there", path, w.Title)
		return
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// section is the text about one kind of object.
func (w Walk) section() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", w.Title, w.About)
	table(&b, "field", "why it does not come along", w.Left)
	if len(w.Behind) > 0 {
		b.WriteString("\nThese come along only where another field does not say the same:\n\n")
		table(&b, "field", "what comes along instead", w.Behind)
	}
	return b.String()
}

func table(b *strings.Builder, field, reason string, list []Left) {
	fmt.Fprintf(b, "| %s | %s |\n|---|---|\n", field, reason)
	for _, l := range list {
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.Join(strings.Fields(l.Fields), "`, `"), l.Reason)
	}
}

// replace returns the document with another section of a title and with the head that belongs to it.
func replace(document, title, section string) string {
	_, sections, _ := strings.Cut(document, "\n## ")
	out, done := head, false
	for _, s := range strings.Split(sections, "\n## ") {
		if s = strings.TrimRight(s, "\n"); s == "" {
			continue
		}
		s = "## " + s + "\n"
		if strings.HasPrefix(s, "## "+title+"\n") {
			s, done = section, true
		}
		out += "\n" + s
	}
	if !done {
		out += "\n" + section
	}
	return out
}

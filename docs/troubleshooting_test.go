package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/docs"
)

// productCode returns what the program consists of, tests and simulations left out, with the quotation marks of texts as they are printed.
func productCode(t *testing.T) string {
	t.Helper()
	var code strings.Builder
	for _, dir := range []string{"cmd", "engine", "checkpoint", "fault", "mapping", "sources", "sinks", "internal"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "cloudsim") {
				return err
			}
			text, err := os.ReadFile(path)
			code.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return strings.ReplaceAll(code.String(), `\"`, `"`)
}

// TestMessages: each message that troubleshooting.md explains is still one of the program, and its reason is one that there is.
func TestMessages(t *testing.T) {
	text, err := os.ReadFile("troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	code, known := productCode(t), map[string]bool{}
	for _, r := range docs.ListReasons() {
		known[r.Name] = true
	}
	n := 0
	for section := range strings.SplitSeq(string(text), "\n## ") {
		if !strings.Contains(section, "| it says |") {
			continue
		}
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`(?: \\(`([a-z_.]+)`\\))? \\|").FindAllStringSubmatch(section, -1) {
			n++
			for part := range strings.SplitSeq(m[1], "…") {
				if part = strings.Trim(part, " :;,?"); !strings.Contains(code, part) {
					t.Errorf("troubleshooting.md explains %q, but nothing prints %q", m[1], part)
				}
			}
			if m[2] != "" && !known[m[2]] {
				t.Errorf("troubleshooting.md names %s, which is no reason", m[2])
			}
		}
		if rows := strings.Count(section, "\n| ") - strings.Count(section, "\n| it says |"); rows != len(regexp.MustCompile("(?m)^\\| `").FindAllString(section, -1)) {
			t.Errorf("a line of the section %.30q does not begin with a message", section)
		}
	}
	if n < 60 {
		t.Errorf("only %d messages were found", n)
	}
}

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/config"
	"codeberg.org/repatriate/repatriate/sources/google"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// readme returns the README, and the indented block in it that holds a word.
func readme(t *testing.T) (text string, block func(holding string) string) {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text = string(b)
	return text, func(holding string) string {
		for part := range strings.SplitSeq(text, "\n\n") {
			if strings.HasPrefix(part, "    ") && strings.Contains(part, holding) {
				return strings.ReplaceAll(part[4:], "\n    ", "\n")
			}
		}
		t.Fatalf("the README has no block with %q", holding)
		return ""
	}
}

// TestReadmeNamesTheScopes: whoever copies the list of scopes grants what is asked for, and no more.
func TestReadmeNamesTheScopes(t *testing.T) {
	_, block := readme(t)
	got := strings.Split(strings.TrimSpace(block("googleapis.com/auth/")), ",")
	want := slices.Clone(google.ScopesOf(config.Kinds, false))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the README asks for %q, the program for %q", got, want)
	}
}

// TestPermissionsAreDocumented: the same for Microsoft, in the README and in docs/providers.md.
func TestPermissionsAreDocumented(t *testing.T) {
	_, block := readme(t)
	want := slices.Sorted(slices.Values(microsoft.PermissionsOf(config.Kinds)))
	if got := slices.Sorted(slices.Values(strings.Split(strings.TrimSpace(block("User.Read.All")), ", "))); !slices.Equal(got, want) {
		t.Errorf("the README asks for %q, the program for %q", got, want)
	}
	text, err := os.ReadFile("../../docs/providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Microsoft 365")
	section, _, _ = strings.Cut(section, "\n|")
	var got []string
	for _, m := range regexp.MustCompile("`([A-Za-z]+\\.Read[A-Za-z.]*)`").FindAllStringSubmatch(section, -1) {
		got = append(got, m[1])
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("docs/providers.md asks for %q, the program for %q", got, want)
	}
}

// TestSecurityNamesWhatIsAsked: docs/security.md gives a reason for each scope and permission, and for no other.
func TestSecurityNamesWhatIsAsked(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z.]+readonly|[A-Za-z]+\\.Read[A-Za-z.]*)` \\|").FindAllStringSubmatch(string(text), -1) {
		got = append(got, m[1])
	}
	for _, s := range google.Scopes() {
		want = append(want, strings.TrimPrefix(s, "https://www.googleapis.com/auth/"))
	}
	want = append(want, microsoft.PermissionsOf(config.Kinds)...)
	slices.Sort(got)
	slices.Sort(want)
	if want = slices.Compact(want); !slices.Equal(got, want) {
		t.Errorf("docs/security.md explains %q, the program asks for %q", got, want)
	}
}

// TestReadmeExamples loads the job file and the accounts file of the README.
func TestReadmeExamples(t *testing.T) {
	_, block := readme(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"pilot.yaml": block("job: pilot"), "accounts.csv": block("source,target,password,kinds")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	job, err := config.Load(filepath.Join(dir, "pilot.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(job.People) != 2 || !slices.Equal(job.Kinds, config.Kinds) {
		t.Errorf("the README's job: %+v", job)
	}
}

// TestReadmeCommands: each command that the README shows is one, with the flags that it has there.
func TestReadmeCommands(t *testing.T) {
	text, _ := readme(t)
	shown := regexp.MustCompile(`repatriate ([a-z]+)((?: [^#|>\n`+"`"+`]*)?)`).FindAllStringSubmatch(text, -1)
	var seen []string
	for _, m := range shown {
		c, _, err := newRoot().Find([]string{m[1]})
		if err != nil || c.Name() != m[1] {
			continue // a word of a sentence
		}
		seen = append(seen, m[1])
		for _, flag := range regexp.MustCompile(`--([a-z-]+)`).FindAllStringSubmatch(m[2], -1) {
			if c.Flags().Lookup(flag[1]) == nil {
				t.Errorf("the README shows %q, but %s has no such flag", m[0], m[1])
			}
		}
	}
	for _, name := range []string{"init", "accounts", "explain", "run", "status", "retry", "demo", "simulate"} {
		if !slices.Contains(seen, name) {
			t.Errorf("the README does not show the command %s", name)
		}
	}
}

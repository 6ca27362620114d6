package secret_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/internal/secret"
)

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("from a file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REPATRIATE_TEST", "from the environment")
	for ref, want := range map[string]string{
		"env:REPATRIATE_TEST":               "from the environment",
		"file:key":                          "from a file",
		"file:" + filepath.Join(dir, "key"): "from a file",
		"cmd:printf 'two\\nlines\\n'":       "two\nlines",
		"cmd:cat key":                       "from a file",
	} {
		s, err := secret.Resolve(t.Context(), ref, dir)
		if err != nil || s.Reveal() != want {
			t.Errorf("%s: %q, %v", ref, s.Reveal(), err)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	for _, ref := range []string{"", "hunter2", "env:", "http:x", "env:REPATRIATE_NO_SUCH", "file:missing", "cmd:false", "cmd:true"} {
		if s, err := secret.Resolve(t.Context(), ref, t.TempDir()); err == nil {
			t.Errorf("%q gives %q", ref, s.Reveal())
		}
	}
}

func TestSecretShowsNothing(t *testing.T) {
	s := secret.New([]byte("hunter2"))
	doc, err := json.Marshal(map[string]any{"password": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(doc), s.LogValue().String()} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the secret stands in %q", text)
		}
	}
}

// TestCommandsGetNoOtherSecrets: a command's environment has everything but the variables in which secrets of the job stand.
func TestCommandsGetNoOtherSecrets(t *testing.T) {
	t.Setenv("REPATRIATE_TEST_PASSWORD", "hunter2")
	t.Setenv("REPATRIATE_TEST_HELPER", "kept")
	r := secret.Reader{Dir: t.TempDir(), Hidden: []string{"env:REPATRIATE_TEST_PASSWORD", "file:x"}}
	s, err := r.Resolve(t.Context(), "cmd:env")
	if err != nil {
		t.Fatal(err)
	}
	if all := s.Reveal(); strings.Contains(all, "hunter2") || !strings.Contains(all, "REPATRIATE_TEST_HELPER=kept") {
		t.Errorf("a command's environment: %s", all)
	}
	if s, err := r.Resolve(t.Context(), "env:REPATRIATE_TEST_PASSWORD"); err != nil || s.Reveal() != "hunter2" {
		t.Errorf("%q, %v", s.Reveal(), err)
	}
}

// TestNoSecretIsEndless: what has no end, or says nothing of its size, is refused all the same.
func TestNoSecretIsEndless(t *testing.T) {
	for ref, want := range map[string]string{
		"file:/dev/zero":                     "too large",
		"cmd:cat /dev/zero":                  "too much",
		"cmd:echo hunter2 >&2; exit 3":       "exit status 3",
		"cmd:head -c 1048576 /dev/zero":      "",
		"cmd:head -c 1048577 /dev/zero; cat": "too much",
	} {
		_, err := secret.Resolve(t.Context(), ref, t.TempDir())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", ref, err)
		}
		if err != nil && strings.Contains(strings.ReplaceAll(err.Error(), ref, ""), "hunter2") {
			t.Errorf("the error holds what the command wrote: %v", err)
		}
	}
}

// TestFrom: a reference of one folder holds in another.
func TestFrom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REPATRIATE_TEST_PW", "hunter2")
	for _, ref := range []string{"file:pw", "file:" + filepath.Join(dir, "pw"), "cmd:cat pw", "cmd:false; cat pw", "env:REPATRIATE_TEST_PW"} {
		s, err := secret.Resolve(t.Context(), secret.From(ref, dir), t.TempDir())
		if err != nil || s.Reveal() != "hunter2" {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if got := secret.From("", dir); got != "" {
		t.Errorf("no reference became %q", got)
	}
}

func TestExposed(t *testing.T) {
	dir := t.TempDir()
	r := secret.Reader{Dir: dir}
	for mode, exposed := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o700: false, 0o640: true, 0o604: true, 0o620: true, 0o666: true} {
		name := filepath.Join(dir, fmt.Sprintf("%o", mode))
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{"file:" + name, "file:" + filepath.Base(name)} {
			path, got := r.Exposed(ref)
			if (path != "") != exposed || exposed && (path != name || got != mode) {
				t.Errorf("%s: %q, %o", ref, path, got)
			}
		}
	}
	for _, ref := range []string{"env:HOME", "cmd:cat " + filepath.Join(dir, "666"), "file:missing", "file:/dev/null", "file:" + dir} {
		if path, _ := r.Exposed(ref); path != "" {
			t.Errorf("%s: %q", ref, path)
		}
	}
}

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

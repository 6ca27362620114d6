package google

import (
	"slices"
	"strings"
	"testing"
)

func TestScopesOf(t *testing.T) {
	const root = "https://www.googleapis.com/auth/"
	for kinds, want := range map[string]string{
		"":               "admin.directory.user.readonly",
		"mail":           "gmail.readonly admin.directory.user.readonly",
		"files contacts": "drive.readonly admin.directory.user.readonly contacts.readonly",
		"calendar tasks": "calendar.readonly admin.directory.user.readonly tasks.readonly",
	} {
		if got := strings.ReplaceAll(strings.Join(ScopesOf(strings.Fields(kinds), false), " "), root, ""); got != want {
			t.Errorf("%q: %s, want %s", kinds, got, want)
		}
	}
	all := []string{"files", "mail", "calendar", "contacts", "tasks"}
	if got := ScopesOf(all, true); !slices.Equal(got, Scopes()) {
		t.Errorf("the scopes of all kinds are %q, those of the package %q", got, Scopes())
	}
	if got := ScopesOf([]string{"mail"}, true); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "contacts") }) {
		t.Errorf("a job of mail asks for %q", got)
	}
	for _, s := range Scopes() {
		if !strings.HasSuffix(s, ".readonly") {
			t.Errorf("%s does more than read", s)
		}
	}
}

func TestLibrariesOf(t *testing.T) {
	if got, want := LibrariesOf([]string{"mail", "contacts"}), []string{"Gmail API", "Admin SDK API", "People API"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestClientIDOf(t *testing.T) {
	if id, err := ClientIDOf(keyFile(t, map[string]string{"client_id": "1234"})); err != nil || id != "1234" {
		t.Errorf("the id %q, %v", id, err)
	}
	for name, key := range map[string]string{"no JSON": "{", "no key": "{}", "a login": `{"type": "authorized_user", "client_id": "1"}`} {
		if id, err := ClientIDOf([]byte(key)); err == nil {
			t.Errorf("%s: the id %q", name, id)
		}
	}
}

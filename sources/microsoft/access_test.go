package microsoft

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// permissionsInCode returns the permissions of all methods that the package declares, tests left out.
func permissionsInCode(t *testing.T) []string {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			l, ok := n.(*ast.CompositeLit)
			if !ok || len(l.Elts) != 4 {
				return true
			}
			if of, ok := l.Type.(*ast.Ident); ok && of.Name == "method" {
				permission, err := strconv.Unquote(l.Elts[3].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found = append(found, permission)
			}
			return true
		})
	}
	return found
}

// TestPermissionsAreComplete: whoever grants what PermissionsOf says can use every method, and grants nothing else.
func TestPermissionsAreComplete(t *testing.T) {
	used := permissionsInCode(t)
	if len(used) < 25 {
		t.Fatalf("only %d methods were found", len(used))
	}
	slices.Sort(used)
	all := PermissionsOf([]string{"files", "mail", "calendar", "contacts", "tasks"})
	if want := slices.Compact(used); !slices.Equal(slices.Sorted(slices.Values(all)), want) {
		t.Errorf("PermissionsOf has %q, the methods need %q", all, want)
	}
	if simulated := slices.Sorted(slices.Values(sim.ReadOnlyPermissions())); !slices.Equal(slices.Sorted(slices.Values(all)), simulated) {
		t.Errorf("PermissionsOf has %q, the simulated tenant grants %q", all, simulated)
	}
	for _, p := range all {
		if strings.Contains(p, "Write") || !strings.Contains(p, ".Read") {
			t.Errorf("%s does more than read", p)
		}
	}
}

func TestPermissionsOf(t *testing.T) {
	for kinds, want := range map[string]string{
		"":               "User.Read.All MailboxSettings.Read",
		"mail":           "User.Read.All MailboxSettings.Read Mail.Read",
		"contacts tasks": "User.Read.All MailboxSettings.Read Contacts.Read Tasks.Read.All",
		"files":          "User.Read.All MailboxSettings.Read Files.Read.All Sites.Read.All",
	} {
		if got := strings.Join(PermissionsOf(strings.Fields(kinds)), " "); got != want {
			t.Errorf("%q: %s, want %s", kinds, got, want)
		}
	}
}

func TestConsentURL(t *testing.T) {
	for _, c := range []struct{ cloud, tenant, want string }{
		{"", "example.org", "https://login.microsoftonline.com/example.org/adminconsent?client_id=id%261"},
		{"us", "example.org", "https://login.microsoftonline.us/example.org/adminconsent?client_id=id%261"},
		{"global", "a/../b", "https://login.microsoftonline.com/a%2F..%2Fb/adminconsent?client_id=id%261"},
	} {
		if got, err := ConsentURL(c.cloud, c.tenant, "id&1"); err != nil || got != c.want {
			t.Errorf("%+v: %s, %v", c, got, err)
		}
	}
	if _, err := ConsentURL("mars", "example.org", "id"); err == nil {
		t.Error("a cloud that does not exist has an address")
	}
}

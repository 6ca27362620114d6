package examples_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/examples"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/config"
)

// TestJobFiles loads every job file with the accounts file that it names.
func TestJobFiles(t *testing.T) {
	paths, err := filepath.Glob("*.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("job files: %q, %v", paths, err)
	}
	for _, path := range paths {
		j, err := config.Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if len(j.People) != 2 || j.People[1].Target != "grace.h" {
			t.Errorf("%s: accounts %+v", path, j.People)
		}
	}
}

// TestFolders loads the examples that have folders of their own, and finds each in README.md.
func TestFolders(t *testing.T) {
	paths, err := filepath.Glob("*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range paths {
		if strings.HasPrefix(path, "organisation") {
			continue
		}
		n++
		j, err := config.Load(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if len(j.People) == 0 {
			t.Errorf("%s moves nobody", path)
		}
		if !strings.Contains(string(readme), "("+path+")") {
			t.Errorf("README.md does not name %s", path)
		}
	}
	if n < 4 {
		t.Errorf("only %d examples in folders: %q", n, paths)
	}
}

// TestWhatTheyShow holds what the comments in the job files say.
func TestWhatTheyShow(t *testing.T) {
	minimal, err := config.Load("minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(minimal.Kinds, []string{"mail"}) {
		t.Errorf("minimal.yaml moves %q", minimal.Kinds)
	}
	nextcloud, err := config.Load("nextcloud-dovecot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if m := nextcloud.Target.Mail.Master; m == nil || m.User != "migration" || m.Form != "separator" || nextcloud.Concurrency.Accounts != 8 {
		t.Errorf("nextcloud-dovecot.yaml: %+v", nextcloud)
	}
	town, err := config.Load("microsoft.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if m := town.Source.Microsoft; m == nil || m.Certificate != "file:app.pem" || m.Licences != 400 || len(m.Sites) != 2 || len(town.Kinds) != 3 {
		t.Errorf("microsoft.yaml: %+v", town)
	}
	open, err := config.Load("opendocument.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if g := open.Source.Google; g.Formats.Word != "opendocument" || g.Tier != "old" || open.Labels != "copies" || open.Deletions != "propagate" {
		t.Errorf("opendocument.yaml: %+v", open)
	}
}

// TestOrganisation loads the demo organisation as it is embedded, and compares it with what lies in the folder.
func TestOrganisation(t *testing.T) {
	embedded, err := google.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	onDisk, err := google.LoadFS(os.DirFS("organisation"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := len(embedded.Users()), len(onDisk.Users()); a != b || a < 5 {
		t.Errorf("%d users are embedded, %d lie in the folder", a, b)
	}
}

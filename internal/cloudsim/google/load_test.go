package google_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"codeberg.org/repatriate/repatriate/examples"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

func exampleData(t *testing.T) *sim.Data {
	t.Helper()
	data, err := sim.Load("../../../examples/organisation")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestLoadOrganisation(t *testing.T) {
	embedded, err := sim.LoadFS(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]*sim.Data{"directory": exampleData(t), "embedded": embedded} {
		t.Run(name, func(t *testing.T) { checkOrganisation(t, data) })
	}
}

func checkOrganisation(t *testing.T, data *sim.Data) {
	if n := len(data.Users()); n != 7 {
		t.Errorf("%d users, want 7", n)
	}
	if n := len(data.Messages("anna.keller@example.org")); n != 10 {
		t.Errorf("%d messages of Anna, want 10", n)
	}
	if n := len(data.Events("anna.keller@example.org", "primary")); n != 15 {
		t.Errorf("%d events of Anna, want 15", n)
	}
	if _, err := data.FileID("anna.keller@example.org", "Office", "Empty folder"); err != nil {
		t.Error(err)
	}
}

func TestLoadTwiceGivesTheSameIDs(t *testing.T) {
	first, second := exampleData(t), exampleData(t)
	for _, u := range first.Users() {
		a, b := first.Messages(u.Email), second.Messages(u.Email)
		for i := range a {
			if a[i].ID != b[i].ID {
				t.Errorf("message %s, then %s", a[i].ID, b[i].ID)
			}
		}
		if first.RootID(u.Email) != second.RootID(u.Email) {
			t.Errorf("%s has two roots", u.Email)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	const head = "domain: example.org\nusers:\n  - {email: a@example.org}\n"
	drive := func(entry string) fstest.MapFS {
		return fstest.MapFS{"organisation.yaml": {Data: []byte(head)}, "users/a/drive/drive.yaml": {Data: []byte("files: [" + entry + "]")}}
	}
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"twice the user": {fstest.MapFS{"organisation.yaml": {Data: []byte(head + "  - {email: a@example.org}\n")}}, "a@example.org exists"},
		"bad flag":       {drive("{name: x, text: y, flags: [odd]}"), "odd"},
		"bad shortcut":   {drive("{name: x, shortcut: nowhere}"), "nowhere"},
		"bad folder":     {drive("{name: x, text: y, in: nowhere}"), "no folder"},
		"bad group": {fstest.MapFS{"organisation.yaml": {Data: []byte(head)}, "users/a/contacts/contacts.yaml": {Data: []byte(
			"contacts: [{memberships: [{contactGroupMembership: {contactGroupId: none}}]}]")}}, "contact 1: add contact: no contactGroups/none"},
		"bad parent": {fstest.MapFS{"organisation.yaml": {Data: []byte(head)}, "users/a/tasks/x.yaml": {Data: []byte(
			"title: X\ntasks: [{title: y, parent: none}]")}}, "task list X: 1: add task: no task none"},
		"bad export": {drive("{name: x, google: drawing, exports: {docx: {text: y}}}"), "docx"},
	} {
		if _, err := sim.LoadFS(test.files); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

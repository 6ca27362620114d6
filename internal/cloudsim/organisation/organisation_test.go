package organisation

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"codeberg.org/repatriate/repatriate/examples"
)

func TestReadTheExample(t *testing.T) {
	o, err := Read(examples.Organisation())
	if err != nil {
		t.Fatal(err)
	}
	if o.Domain != "example.org" || len(o.Users) != 7 || len(o.Drives) != 1 || len(o.Users[0].Messages) != 10 || len(o.Users[0].Calendars) != 3 {
		t.Errorf("got %s, %d users, %d drives", o.Domain, len(o.Users), len(o.Drives))
	}
	if u := o.Users[0]; len(u.ContactGroups) != 2 || len(u.Contacts) != 4 || len(u.TaskLists) != 2 || len(u.TaskLists[0].Tasks) != 6 || o.Made != nil {
		t.Errorf("%d groups, %d contacts, lists %v", len(u.ContactGroups), len(u.Contacts), u.TaskLists)
	}
	if at := o.Users[0].Files[0].Modified; len(o.Users[0].Files) == 0 || at.Year() > 2030 {
		t.Errorf("modified %v", at)
	}
	for _, m := range o.Users[0].Messages {
		r, err := m.Raw.Open(0)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(r)
		if err != nil || int64(len(raw)) != m.Raw.Size() || len(raw) == 0 {
			t.Errorf("%s: %d bytes, %v", m.File, len(raw), err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	const head = "domain: example.org\nusers:\n  - {email: a@example.org}\n"
	drive := func(entry string) fstest.MapFS {
		return fstest.MapFS{"organisation.yaml": {Data: []byte(head)}, "users/a/drive/drive.yaml": {Data: []byte("files: [" + entry + "]")}}
	}
	for name, row := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"nothing":             {fstest.MapFS{}, "organisation.yaml"},
		"an unknown key":      {fstest.MapFS{"organisation.yaml": {Data: []byte(head + "colour: red\n")}}, "colour"},
		"no content":          {drive("{name: x}"), "no text, file"},
		"no such file":        {drive("{name: x, file: y}"), "users/a/drive/y"},
		"a file elsewhere":    {drive("{name: x, file: ../../../../../etc/passwd}"), "../../etc/passwd"},
		"a size that is none": {drive("{name: x, generate: 1TB}"), "no size"},
		"a time that is none": {drive("{name: x, text: y, modified: yesterday}"), "yesterday"},
		"no such message":     {fstest.MapFS{"organisation.yaml": {Data: []byte(head)}, "users/a/mail/mail.yaml": {Data: []byte("messages: [{file: x.eml}]")}}, "x.eml"},
		"no such drive":       {fstest.MapFS{"organisation.yaml": {Data: []byte(head + "shared_drives: [{name: x, directory: x}]\n")}}, "shared_drives/x"},
	} {
		if _, err := Read(row.files); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
}

func TestReadContactsAndTasks(t *testing.T) {
	o, err := Read(fstest.MapFS{
		"organisation.yaml":              {Data: []byte("domain: example.org\nusers:\n  - {email: a@example.org}\n")},
		"users/a/contacts/contacts.yaml": {Data: []byte("groups: [{id: g, name: G}]\ncontacts: [{names: [{givenName: Ö}]}]\nother_contacts: [{names: [{givenName: P}]}, {}]\n")},
		"users/a/tasks/1.yaml":           {Data: []byte("title: First\ntasks: [{title: x}, {title: y}]\n")},
		"users/a/tasks/2.yaml":           {Data: []byte("title: Second\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	u := o.Users[0]
	if len(u.ContactGroups) != 1 || len(u.Contacts) != 1 || len(u.OtherContacts) != 2 || len(u.TaskLists) != 2 || len(u.TaskLists[0].Tasks) != 2 || u.TaskLists[1].Title != "Second" {
		t.Errorf("got %+v", u)
	}
}

func TestContactsAndTasksLeaveTheRestAsItIs(t *testing.T) {
	s := Spec{Users: 2, Mail: 10, Files: 10, Events: 10, Seed: 3}
	plain := Generate(s)
	s.Contacts, s.Tasks = 40, 30
	a, b := Generate(s), Generate(s)
	if !reflect.DeepEqual(a, b) {
		t.Error("one spec gave two organisations")
	}
	if len(a.Users[1].Contacts) != 40 || len(a.Users[1].OtherContacts) != 4 || len(a.Users[1].TaskLists[1].Tasks) != 15 {
		t.Errorf("%d contacts, %d other contacts", len(a.Users[1].Contacts), len(a.Users[1].OtherContacts))
	}
	if a.Made.Contacts != 40 || plain.Made.Contacts != 0 {
		t.Errorf("made of %+v and %+v", a.Made, plain.Made)
	}
	a.Made = plain.Made
	for _, u := range a.Users {
		u.ContactGroups, u.Contacts, u.OtherContacts, u.TaskLists = nil, nil, nil, nil
	}
	if !reflect.DeepEqual(plain, a) {
		t.Error("contacts and tasks changed the rest")
	}
}

func TestGenerateIsTheSameAgain(t *testing.T) {
	s := Spec{Users: 2, Mail: 20, Files: 90, Events: 12, Seed: 3}
	a, b := Generate(s), Generate(s)
	if !reflect.DeepEqual(a, b) {
		t.Error("one spec gave two organisations")
	}
	if s.Seed = 4; reflect.DeepEqual(a, Generate(s)) {
		t.Error("two seeds gave one organisation")
	}
	year := a.Users[0].Files[0]
	if len(a.Users) != 2 || len(a.Users[1].Messages) != 20 || len(*year.Folder) != 3 || len(*(*year.Folder)[0].Folder) != filesPerFolder {
		t.Errorf("%d users, %d folders", len(a.Users), len(*year.Folder))
	}
	if n := len(a.Users[0].Calendars[0].Events); n != 12+2*2 {
		t.Errorf("%d events with their occurrences", n)
	}
}

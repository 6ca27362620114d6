package microsoft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"testing"
	"testing/fstest"

	"codeberg.org/repatriate/repatriate/examples"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

// TestContactsOfTheExample follows a contact that has nearly everything, and looks for what Outlook cannot hold.
func TestContactsOfTheExample(t *testing.T) {
	data := must(LoadFS(examples.Organisation()))
	all := data.Contacts("anna.keller@example.org")
	if len(all) != 4 || len(data.Contacts("ben.osei@example.org")) != 3 {
		t.Fatalf("%d contacts", len(all))
	}
	var o object
	if err := json.Unmarshal(all[0].Body, &o); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"displayName": "Dr. Zoë Marie Größl", "title": "Dr.", "givenName": "Zoë", "surname": "Größl", "yomiGivenName": "So-i", "nickName": "Zo",
		"homePhones": []any{"+49 221 555 0101"}, "businessPhones": []any{"+49 221 555 0103"}, "mobilePhone": "+49 151 555 0102",
		"birthday": "1604-02-29T11:59:00Z", "spouseName": "Bo Größl", "categories": []any{"Chœur & Ensemble"},
		"personalNotes": "Sings alto; knows the hall, the organist\r\nand who has the keys 🎻", "businessAddress": map[string]any{},
	} {
		if fmt.Sprint(o[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, o[name], want)
		}
	}
	if home := o.child("homeAddress"); home.text("street") != "Große Straße 7\r\nHinterhaus, 3. OG" || home.text("city") != "Köln" {
		t.Errorf("%v", home)
	}
	for _, lost := range []string{"Patentante", "Ferienhaus", "0104", "Namenstag", "starred", "myContacts"} {
		if bytes.Contains(all[0].Body, []byte(lost)) {
			t.Errorf("Outlook holds %s", lost)
		}
	}
	for i, c := range all {
		_, err := jpeg.Decode(bytes.NewReader(c.Photo))
		if with := i == 0 || i == 2; with != (err == nil) || with != (len(c.Photo) >= 12<<10) {
			t.Errorf("the photo of %d has %d bytes: %v", i, len(c.Photo), err)
		}
	}
	var birthdayless object
	if err := json.Unmarshal(all[3].Body, &birthdayless); err != nil || birthdayless["birthday"] != nil ||
		birthdayless.child("otherAddress").text("street") != "Somewhere by the sea" {
		t.Errorf("%v %v", birthdayless, err)
	}
}

func TestTasksOfTheExample(t *testing.T) {
	data := must(LoadFS(examples.Organisation()))
	email := "anna.keller@example.org"
	lists := data.TaskLists(email)
	if len(lists) != 3 || lists[0].Known != "defaultList" || lists[2].Name != "Größere Vorhaben" || len(data.Tasks(email, lists[2].ID)) != 2 {
		t.Fatalf("lists: %+v", lists)
	}
	tasks := data.Tasks(email, "")
	if len(tasks) != 3 { // without two steps and a deleted one
		t.Fatalf("%d tasks", len(tasks))
	}
	var o object
	if err := json.Unmarshal(tasks[0].Body, &o); err != nil {
		t.Fatal(err)
	}
	if due := o.child("dueDateTime"); due.text("dateTime") != "2024-07-12T00:00:00.0000000" || due.text("timeZone") != mailboxZone || o.text("status") != "notStarted" ||
		o.child("body").text("content") != "Ask the neighbours, too;\r\nthe grill is at Ben's" || o.text("lastModifiedDateTime") != "2024-05-02T09:00:00.0000000Z" {
		t.Errorf("%v", o)
	}
	steps := tasks[0].ChecklistItems
	if len(steps) != 2 || !bytes.Contains(steps[0], []byte(`"isChecked":false`)) || !bytes.Contains(steps[1], []byte(`"checkedDateTime":"2024-05-20T14:30:00.0000000Z"`)) {
		t.Errorf("steps: %s", steps)
	}
	if links := tasks[1].LinkedResources; len(links) != 1 || !bytes.Contains(links[0], []byte("Betreff: Angebot")) {
		t.Errorf("links: %s", links)
	}
	if !bytes.Contains(tasks[2].Body, []byte(`"completedDateTime":{"dateTime":"2024-03-01T00:00:00.0000000","timeZone":"UTC"}`)) {
		t.Errorf("completed: %s", tasks[2].Body)
	}
}

// TestStepsOfDeletedTasks: what is below a deleted task is gone, and what is below a step is a step.
func TestStepsOfDeletedTasks(t *testing.T) {
	tasks, err := tasksOf([]json.RawMessage{[]byte(`{"id":"a","deleted":true}`), []byte(`{"id":"b","parent":"a"}`), []byte(`{"id":"c"}`),
		[]byte(`{"id":"d","parent":"c"}`), []byte(`{"id":"e","parent":"d"}`), []byte(`{"title":"f"}`)}, "UTC")
	if err != nil || len(tasks) != 2 || len(tasks[0]["checklistItems"].([]object)) != 2 || tasks[1].text("title") != "f" {
		t.Errorf("%v %v", tasks, err)
	}
}

// TestMadeUpTenants: an organisation that was generated becomes the tenant of the same Spec.
func TestMadeUpTenants(t *testing.T) {
	spec, email := organisation.Spec{Users: 1, Contacts: 12, Tasks: 10, Seed: 5}, "user0001@example.org"
	one, other := Generate(spec), must(Of(organisation.Generate(spec)))
	if fmt.Sprint(one.Contacts(email)) != fmt.Sprint(other.Contacts(email)) || len(one.Contacts(email)) != 12 {
		t.Error("other contacts")
	}
	n := 0
	for _, l := range one.TaskLists(email) {
		n += len(one.Tasks(email, l.ID))
		if fmt.Sprint(one.Tasks(email, l.ID)) != fmt.Sprint(other.Tasks(email, l.ID)) {
			t.Errorf("other tasks in %s", l.Name)
		}
	}
	if n != 10 {
		t.Errorf("%d tasks", n)
	}
}

func TestContactsAndTasksThatAreWrong(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"a photo of no size": {"users/a/contacts/contacts.yaml": {Data: []byte("contacts: [{photos: [{url: 'generate:big'}]}]\n")}},
		"a photo too large":  {"users/a/contacts/contacts.yaml": {Data: []byte("contacts: [{photos: [{url: 'generate:5GB'}]}]\n")}},
		"a due date list":    {"users/a/tasks/1.yaml": {Data: []byte("title: T\ntasks: [{due: []}]\n")}},
		"a name list":        {"users/a/contacts/contacts.yaml": {Data: []byte("contacts: [{names: Anna}]\n")}},
	} {
		files["organisation.yaml"] = &fstest.MapFile{Data: []byte("domain: example.org\nusers:\n  - {email: a@example.org}\n")}
		if _, err := LoadFS(files); err == nil {
			t.Errorf("%s was loaded", name)
		}
	}
}

// TestTheExampleAsGraphShowsIt reads contacts and tasks of the example; every answer is checked against the document.
func TestTheExampleAsGraphShowsIt(t *testing.T) {
	c := serveStrictly(t, must(LoadFS(examples.Organisation())))
	for user, want := range map[string][2]int{"anna.keller": {4, 5}, "ben.osei": {3, 2}, "carla.nunes": {0, 0}} {
		root := "users/" + user + "@example.org/"
		contacts, _, _ := c.all(root + "contactFolders/contacts/contacts/delta")
		lists, _, _ := c.all(root + "todo/lists")
		tasks := 0
		for id := range lists {
			all, _, _ := c.all(root + "todo/lists/" + id + "/tasks/delta?$expand=checklistItems,linkedResources")
			tasks += len(all)
		}
		if got := [2]int{len(contacts), tasks}; got != want {
			t.Errorf("%s has %v contacts and tasks, want %v", user, got, want)
		}
	}
}

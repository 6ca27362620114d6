package microsoft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

const people = "users/" + anybody + "/"

func TestContactFolders(t *testing.T) {
	data := oneUser()
	deep := must(data.ContactFolder(anybody, "Kunden/Übersee"))
	for i := range 11 {
		must(data.ContactFolder(anybody, fmt.Sprintf("More %d", i)))
	}
	c := serveStrictly(t, data)
	top, pages, _ := c.all(people + "contactFolders?$top=5")
	main := c.get(people+"contactFolders/contacts", 200, "")
	if len(top) != 12 || pages != 3 || top[main.text("id")] != nil || main.text("displayName") != "Kontakte" {
		t.Errorf("%d folders on %d pages beside %v", len(top), pages, main)
	}
	for id, f := range top {
		if f.text("parentFolderId") != main.text("id") {
			t.Errorf("%v is not below the default folder", f)
		}
		below, _, _ := c.all(people + "contactFolders/" + id + "/childFolders?$select=displayName")
		if (len(below) == 1) != (f.text("displayName") == "Kunden") || len(below) == 1 && below[deep].text("displayName") != "Übersee" {
			t.Errorf("below %v: %v", f, below)
		}
	}
	if err := data.RenameContactFolder(anybody, deep, "Fern"); err != nil || c.get(people+"contactFolders/"+deep, 200, "").text("displayName") != "Fern" {
		t.Error(err)
	}
	if err := data.DeleteContactFolder(anybody, must(data.ContactFolder(anybody, "Kunden"))); err != nil {
		t.Error(err)
	}
	c.get(people+"contactFolders/"+deep, 404, "ErrorItemNotFound")
	if data.DeleteContactFolder(anybody, "contacts") == nil {
		t.Error("the default folder was deleted")
	}
}

func TestContactDelta(t *testing.T) {
	data := oneUser()
	data.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	var ids []string
	for i := range 7 {
		ids = append(ids, must(data.AddContact(anybody, "", json.RawMessage(fmt.Sprintf(`{"givenName":"P%d","title":"Dr."}`, i)))))
	}
	other := must(data.ContactFolder(anybody, "Other"))
	c := serveStrictly(t, data)
	delta := people + "contactFolders/contacts/contacts/delta?$select=givenName,changeKey,lastModifiedDateTime"
	first, pages, link := c.all(delta)
	if len(first) != 7 || pages != 3 || first[ids[2]].text("givenName") != "P2" || first[ids[2]]["title"] != nil {
		t.Fatalf("%d contacts on %d pages: %v", len(first), pages, first)
	}
	if none, _, again := c.all(link); len(none) != 0 || again == "" {
		t.Errorf("without a change: %v", none)
	}
	data.Now = func() time.Time { return time.Unix(1_700_000_100, 0) }
	for i, err := range []error{data.ChangeContact(anybody, ids[0], json.RawMessage(`{"givenName":null,"surname":"S"}`)),
		data.DeleteContact(anybody, ids[1]),
		data.MoveContact(anybody, ids[2], other), data.SetPhoto(anybody, ids[3], Photo(1, 100)), data.DeleteContact(anybody, ids[1])} {
		if (err == nil) != (i < 4) {
			t.Fatal(i, err)
		}
	}
	changed, _, link := c.all(link)
	if len(changed) != 4 || changed[ids[1]]["@removed"] == nil || changed[ids[2]]["@removed"] == nil || changed[ids[3]] == nil {
		t.Fatalf("changes: %v", changed)
	}
	now, before := changed[ids[0]], first[ids[0]]
	if now["givenName"] != nil || now.text("changeKey") == before.text("changeKey") || now.text("lastModifiedDateTime") == before.text("lastModifiedDateTime") {
		t.Errorf("%v became %v", before, now)
	}
	if moved, _, _ := c.all(people + "contactFolders/" + other + "/contacts/delta"); moved[ids[2]].text("parentFolderId") != other {
		t.Errorf("moved: %v", moved)
	}
	data.ExpireTokens()
	c.get(link, 410, "SyncStateNotFound")
	if again, _, _ := c.all(delta); len(again) != 5 {
		t.Errorf("afterwards %d contacts", len(again))
	}
}

func TestContactAndPhoto(t *testing.T) {
	data := oneUser()
	picture := Photo(7, 300<<10)
	if _, err := jpeg.Decode(bytes.NewReader(picture)); err != nil || len(picture) < 300<<10 ||
		len(picture) > 400<<10 || !bytes.Equal(picture, Photo(7, 300<<10)) {
		t.Fatalf("%d bytes: %v", len(picture), err)
	}
	with := must(data.AddContact(anybody, "", json.RawMessage(`{"companyName":"ACME","emailAddresses":[{"name":"x","address":"x@y"}]}`)))
	without := must(data.AddContact(anybody, "", json.RawMessage(`{}`)))
	other := must(data.ContactFolder(anybody, "Other"))
	if err := data.SetPhoto(anybody, with, picture); err != nil {
		t.Fatal(err)
	}
	c := serveStrictly(t, data, "contact.get: parameter $expand", "contact.delta: parameter $top")
	for _, path := range []string{people + "contacts/", people + "contactFolders/contacts/contacts/"} {
		status, header, raw := c.do("GET", path+with+"/photo/$value", "", "")
		if status != 200 || header.Get("Content-Type") != "image/jpeg" || !bytes.Equal(raw, picture) {
			t.Errorf("HTTP %d, %d bytes of %s", status, len(raw), header.Get("Content-Type"))
		}
		c.get(path+without+"/photo/$value", 404, "ErrorItemNotFound")
		c.get(path+"gone/photo/$value", 404, "ErrorItemNotFound")
		c.get(path+"gone", 404, "ErrorItemNotFound")
		o := c.get(path+with, 200, "")
		if o.text("displayName") != "ACME" || o["givenName"] != nil || o.child("primaryEmailAddress").text("address") != "x@y" {
			t.Errorf("%v", o)
		}
		if o := c.get(path+with+"?$select=companyName", 200, ""); len(o) != 3 { // with id and etag
			t.Errorf("selected: %v", o)
		}
	}
	c.get(people+"contactFolders/"+other+"/contacts/"+with, 404, "ErrorItemNotFound")
	c.get(people+"contactFolders/gone/contacts/delta", 404, "ErrorItemNotFound")
	c.get(people+"contacts/"+with+"?$expand=photo", 400, "BadRequest")
	c.get(people+"contactFolders/contacts/contacts/delta?$top=5", 400, "BadRequest")
}

func TestContactBatch(t *testing.T) {
	data := oneUser()
	id := must(data.AddContact(anybody, "", json.RawMessage(`{"givenName":"P"}`)))
	if err := data.SetPhoto(anybody, id, Photo(1, 1000)); err != nil {
		t.Fatal(err)
	}
	task := must(data.AddTask(anybody, "", json.RawMessage(`{"title":"T"}`)))
	c := serveStrictly(t, data)
	prefer := `"headers":{"Prefer":"IdType=\"ImmutableId\""}`
	status, _, raw := c.do("POST", "$batch", `{"requests":[{"id":"1","method":"GET","url":"/users/a@example.org/contacts/`+id+`",`+prefer+`},
		{"id":"2","method":"GET","url":"/users/a@example.org/contacts/`+id+`/photo/$value"},
		{"id":"3","method":"GET","url":"/users/a@example.org/todo/lists/`+data.TaskLists(anybody)[0].ID+`/tasks/`+task+`"},
		{"id":"4","method":"GET","url":"/users/a@example.org/contacts/gone/photo/$value"}]}`, "")
	var answer struct {
		Responses []struct {
			ID     string
			Status int
			Body   json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil || status != 200 {
		t.Fatalf("HTTP %d %s", status, raw)
	}
	for _, r := range answer.Responses {
		want := map[string]string{"1": `"givenName":"P"`, "2": `"/9j/`, "3": `"title":"T"`, "4": "ErrorItemNotFound"}[r.ID]
		if (r.Status == 200) != (r.ID != "4") || !strings.Contains(string(r.Body), want) {
			t.Errorf("%s: HTTP %d %.200s", r.ID, r.Status, r.Body)
		}
	}
}

func TestGeneratedContacts(t *testing.T) {
	spec := organisation.Spec{Users: 2, Contacts: 60, Tasks: 40, Mail: 3, Events: 5, Seed: 3}
	data, email := Generate(spec), "user0001@example.org"
	if fmt.Sprint(Generate(spec).Contacts(email)) != fmt.Sprint(data.Contacts(email)) || len(data.Contacts(email)) != 60 {
		t.Error("the same Spec gives other contacts")
	}
	without := spec
	without.Contacts, without.Tasks = 0, 0
	if fmt.Sprint(Generate(without).Events(email, "")) != fmt.Sprint(data.Events(email, "")) || len(Generate(without).Contacts(email)) != 0 {
		t.Error("contacts and tasks change the rest")
	}
	c := serveStrictly(t, data)
	root := "users/" + email + "/contactFolders/"
	seen, members, pictures := 0, map[string]bool{}, 0
	for _, path := range []string{"", "Kunden", "Kunden/Übersee", "Familie"} {
		all, _, _ := c.all(root + must(data.ContactFolder(email, path)) + "/contacts/delta")
		seen += len(all)
		for id, o := range all {
			for name, v := range o {
				if s := fmt.Sprint(v); v != nil && s != "" && s != "[]" && s != "map[]" {
					members[name] = true
				}
			}
			if status, _, _ := c.do("GET", "users/"+email+"/contacts/"+id+"/photo/$value", "", ""); status == 200 {
				pictures++
			}
		}
	}
	if seen != 60 || pictures != 20 || len(members) != 42 { // all of the document but what must be expanded, and the etag
		t.Errorf("%d contacts with %d pictures and %d members", seen, pictures, len(members))
	}
}

func TestRealContact(t *testing.T) {
	files, _ := filepath.Glob("../../../../shared/data/graph-json/*-contact-full.json")
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("the collection is missing")
		}
		t.Skip("the collection is missing")
	}
	raw := must(os.ReadFile(files[0]))
	data := oneUser()
	id := must(data.AddContact(anybody, "", raw))
	got := serveStrictly(t, data).get(people+"contacts/"+id, 200, "")
	var want object
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	for name, v := range want {
		if !slices.Contains([]string{"id", "parentFolderId"}, name) && fmt.Sprint(got[name]) != fmt.Sprint(v) {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
}

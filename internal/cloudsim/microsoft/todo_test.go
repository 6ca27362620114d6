package microsoft

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
)

const lists = "users/" + anybody + "/todo/lists"

func TestTodoLists(t *testing.T) {
	data := oneUser()
	team := must(data.AddTaskList(anybody, TaskList{Name: "Team", Shared: true, Foreign: true}))
	for i := range 3 {
		must(data.AddTaskList(anybody, TaskList{Name: fmt.Sprint("Own ", i)}))
	}
	odd := must(data.AddTaskList(anybody, TaskList{Name: "Odd", Known: "unknownFutureValue"}))
	c := serveStrictly(t, data, "todoLists.list: parameter $filter")
	all, pages, _ := c.all(lists + "?$top=4")
	known := map[string]int{}
	for _, l := range all {
		known[l.text("wellknownListName")]++
	}
	if len(all) != 7 || pages != 2 || fmt.Sprint(known) != "map[defaultList:1 flaggedEmails:1 none:4 unknownFutureValue:1]" {
		t.Errorf("%d lists on %d pages: %v", len(all), pages, known)
	}
	if all[team]["isOwner"] != false || all[team]["isShared"] != true || all[odd]["isOwner"] != true {
		t.Errorf("%v and %v", all[team], all[odd])
	}
	if err := data.DeleteTaskList(anybody, team); err != nil || data.DeleteTaskList(anybody, "") == nil {
		t.Errorf("delete: %v", err)
	}
	c.get(lists+"/"+team+"/tasks/delta", 404, "ErrorItemNotFound")
	c.get(lists+"?$filter=x", 400, "BadRequest")
}

func TestTaskDelta(t *testing.T) {
	data := oneUser()
	data.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	var ids []string
	for i := range 7 {
		ids = append(ids, must(data.AddTask(anybody, "", json.RawMessage(fmt.Sprintf(`{"title":"T%d","checklistItems":[{"displayName":"C"}],
			"dueDateTime":{"dateTime":"2024-07-02T00:00:00.0000000","timeZone":"W. Europe Standard Time"}}`, i)))))
	}
	c := serveStrictly(t, data, "todoTask.delta: parameter $top")
	delta := lists + "/" + data.TaskLists(anybody)[0].ID + "/tasks/delta"
	c.get(delta+"?$top=5", 400, "BadRequest")
	c.get(delta+"?$expand=attachments", 400, "BadRequest")
	first, pages, link := c.all(delta)
	if due := first[ids[2]].child("dueDateTime").text("dateTime"); len(first) != 7 || pages != 3 ||
		due != "2024-07-01T22:00:00.0000000" || first[ids[2]]["checklistItems"] != nil {
		t.Fatalf("%d tasks on %d pages: %v", len(first), pages, first[ids[2]])
	}
	expanded, _, _ := c.all(delta + "?$select=title&$expand=checklistItems")
	if o := expanded[ids[2]]; o["checklistItems"] == nil || o["status"] != nil || o["linkedResources"] != nil {
		t.Errorf("expanded: %v", o)
	}
	data.Now = func() time.Time { return time.Unix(1_700_000_100, 0) }
	part := must(data.AddChecklistItem(anybody, ids[2], json.RawMessage(`{"displayName":"D"}`)))
	for i, err := range []error{data.ChangeTask(anybody, ids[0], json.RawMessage(`{"status":"completed","dueDateTime":null}`)),
		data.DeleteTask(anybody, ids[1]),
		data.ChangeTaskPart(anybody, ids[2], part, json.RawMessage(`{"isChecked":true}`)), data.DeleteTaskPart(anybody, ids[3], "gone"),
		data.DeleteTask(anybody, ids[1])} {
		if (err == nil) != (i < 3) {
			t.Fatal(i, err)
		}
	}
	changed, _, link := c.all(link)
	done, before := changed[ids[0]], first[ids[0]]
	if len(changed) != 3 || changed[ids[1]]["@removed"] == nil || changed[ids[2]] == nil || done["completedDateTime"] == nil || done["dueDateTime"] != nil {
		t.Fatalf("changes: %v", changed)
	}
	if done.text("lastModifiedDateTime") == before.text("lastModifiedDateTime") || done.text("@odata.etag") == before.text("@odata.etag") ||
		done.text("bodyLastModifiedDateTime") != before.text("bodyLastModifiedDateTime") {
		t.Errorf("%v became %v", before, done)
	}
	data.ExpireTokens()
	c.get(link, 410, "SyncStateNotFound")
}

func TestTaskParts(t *testing.T) {
	data := oneUser()
	id := must(data.AddTask(anybody, "", json.RawMessage(`{"title":"T","reminderDateTime":{"dateTime":"2024-07-02T06:00:00","timeZone":"UTC"},
		"recurrence":{"pattern":{"type":"daily","interval":1},"range":{"type":"noEnd","startDate":"2024-07-02"}}}`)))
	first := must(data.AddChecklistItem(anybody, id, json.RawMessage(`{"displayName":"0","isChecked":true}`)))
	for i := range 4 {
		must(data.AddChecklistItem(anybody, id, json.RawMessage(fmt.Sprintf(`{"displayName":"%d"}`, i+1))))
	}
	link := must(data.AddLinkedResource(anybody, id, json.RawMessage(`{"applicationName":"App","webUrl":"https://x"}`)))
	if _, err := data.AddTask(anybody, "", json.RawMessage(`{"dueDateTime":{"dateTime":"tomorrow","timeZone":"UTC"}}`)); err == nil {
		t.Error("a task is due tomorrow")
	}
	c := serveStrictly(t, data)
	task := lists + "/" + data.TaskLists(anybody)[0].ID + "/tasks/" + id
	items, pages, _ := c.all(task + "/checklistItems?$top=2")
	if len(items) != 5 || pages != 3 || items[first]["checkedDateTime"] == nil || items[first]["isChecked"] != true {
		t.Errorf("%d items on %d pages: %v", len(items), pages, items)
	}
	if links, _, _ := c.all(task + "/linkedResources"); len(links) != 1 || links[link].text("applicationName") != "App" {
		t.Errorf("links: %v", links)
	}
	o := c.get(task+"?$select=recurrence,isReminderOn&$expand=checklistItems,linkedResources", 200, "")
	if len(o["checklistItems"].([]any)) != 5 || len(o["linkedResources"].([]any)) != 1 || o["isReminderOn"] != true ||
		o["recurrence"] == nil || o["title"] != nil {
		t.Errorf("%v", o)
	}
	c.get(task+"?$expand=extensions", 400, "BadRequest")
	c.get(lists+"/"+data.TaskLists(anybody)[1].ID+"/tasks/"+id, 404, "ErrorItemNotFound")
	if err := data.DeleteTaskPart(anybody, id, first); err != nil || len(data.Tasks(anybody, "")[0].ChecklistItems) != 4 {
		t.Errorf("delete: %v", err)
	}
}

func TestTaskFiles(t *testing.T) {
	data := oneUser()
	id := must(data.AddTask(anybody, "", json.RawMessage(`{"title":"T"}`)))
	for i := range 3 {
		if err := data.AddTaskAttachment(anybody, id, Attachment{Name: fmt.Sprint(i, ".txt"), MimeType: "text/plain", Content: []byte("abc")}); err != nil {
			t.Fatal(err)
		}
	}
	c := serveStrictly(t, data, "todoTask.attachments: parameter $select")
	task := lists + "/" + data.TaskLists(anybody)[0].ID + "/tasks/" + id
	if o := c.get(task, 200, ""); o["hasAttachments"] != true || o["attachments"] != nil {
		t.Errorf("the task: %v", o)
	}
	files, pages, _ := c.all(task + "/attachments?$top=2")
	if len(files) != 3 || pages != 2 {
		t.Fatalf("%d files on %d pages", len(files), pages)
	}
	for at, o := range files {
		one := c.get(task+"/attachments/"+at, 200, "")
		if o["contentBytes"] != nil || one.text("contentBytes") != "YWJj" || one.text("name") != o.text("name") || o.text("@odata.type") != "#microsoft.graph.taskFileAttachment" {
			t.Errorf("%v and %v", o, one)
		}
	}
	c.get(task+"/attachments/x", 404, "ErrorItemNotFound")
	c.get(task+"/attachments?$select=name", 400, "BadRequest")
}

func TestGeneratedTasks(t *testing.T) {
	spec := organisation.Spec{Users: 1, Tasks: 60, Seed: 3}
	data, email := Generate(spec), "user0001@example.org"
	c := serveStrictly(t, data)
	seen, members := 0, map[string]bool{}
	for _, l := range data.TaskLists(email) {
		all, _, _ := c.all("users/" + email + "/todo/lists/" + l.ID + "/tasks/delta?$expand=checklistItems,linkedResources")
		if len(all) == 0 || fmt.Sprint(Generate(spec).Tasks(email, l.ID)) != fmt.Sprint(data.Tasks(email, l.ID)) {
			t.Errorf("%s has %d tasks, or others the second time", l.Name, len(all))
		}
		seen += len(all)
		for _, o := range all {
			for name := range o {
				members[name] = true
			}
		}
	}
	if seen != 60 || len(members) != 19 {
		t.Errorf("%d tasks with %d members: %v", seen, len(members), members)
	}
}

func TestPeopleAndTasksNeedPermissionsAndMailbox(t *testing.T) {
	data := oneUser()
	if err := data.AddUser(User{Email: "none@example.org", NoMailbox: true}); err != nil {
		t.Fatal(err)
	}
	c := serveStrictly(t, data)
	for _, path := range []string{"contactFolders", "contactFolders/contacts/contacts/delta", "contacts/x", "contacts/x/photo/$value",
		"todo/lists", "todo/lists/x/tasks/delta"} {
		c.get("users/none@example.org/"+path, 404, "MailboxNotEnabledForRESTAPI")
		c.server.options.Permissions = []string{"Mail.Read"}
		c.get("users/"+anybody+"/"+path, 403, "Authorization_RequestDenied")
		c.server.options.Permissions = ReadOnlyPermissions()
	}
}

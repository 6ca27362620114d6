package google_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/internal/cloudsim/organisation"
	"google.golang.org/api/tasks/v1"
)

func newServer(t *testing.T, s *sim.Server) *httptest.Server {
	t.Helper()
	h := httptest.NewServer(s)
	t.Cleanup(func() {
		h.Close()
		_ = s.Close()
	})
	return h
}

// listTasks gives the ids of the tasks that a list with these options has.
func listTasks(t *testing.T, list *tasks.TasksListCall) []string {
	t.Helper()
	ids := []string{}
	err := list.Pages(t.Context(), func(page *tasks.Tasks) error {
		for _, task := range page.Items {
			ids = append(ids, task.Id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	return ids
}

func taskData(t *testing.T) *sim.Data {
	t.Helper()
	data := emptyOrganisation(t)
	for _, body := range []string{
		`{"id":"open","title":"Open","due":"2024-05-02T00:00:00.000Z","updated":"2024-01-01T00:00:00.000Z"}`,
		`{"id":"child","parent":"open","updated":"2024-02-01T00:00:00.000Z"}`,
		`{"id":"done","status":"completed","completed":"2024-03-01T00:00:00.000Z","updated":"2024-03-01T00:00:00.000Z"}`,
		`{"id":"hidden","status":"completed","hidden":true,"completed":"2024-04-01T00:00:00.000Z","updated":"2024-04-01T00:00:00.000Z"}`,
		`{"id":"gone","deleted":true,"updated":"2024-05-01T00:00:00.000Z"}`,
		`{"id":"assigned","assignmentInfo":{"surfaceType":"DOCUMENT","linkToTask":"https://docs.google.com/document/d/x"},"updated":"2024-06-01T00:00:00.000Z"}`,
	} {
		if _, err := data.AddTask(ben, "", json.RawMessage(body)); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func TestTaskFilters(t *testing.T) {
	s, h := start(t, taskData(t), sim.Options{PageSize: 2})
	c := connect(t, s, h, ben)
	list := func() *tasks.TasksListCall { return c.tasks.Tasks.List("@default") }
	for name, row := range map[string]struct {
		list *tasks.TasksListCall
		want []string
	}{
		"defaults":  {list(), []string{"child", "done", "open"}},
		"open only": {list().ShowCompleted(false).ShowHidden(true), []string{"child", "open"}},
		"hidden":    {list().ShowHidden(true), []string{"child", "done", "hidden", "open"}},
		"deleted":   {list().ShowDeleted(true), []string{"child", "done", "gone", "open"}},
		"assigned":  {list().ShowAssigned(true), []string{"assigned", "child", "done", "open"}},
		"all":       {list().ShowAssigned(true).ShowDeleted(true).ShowHidden(true), []string{"assigned", "child", "done", "gone", "hidden", "open"}},
		"updated":   {list().UpdatedMin("2024-02-01T01:00:00+01:00"), []string{"child", "done"}},
		"completed": {list().ShowHidden(true).CompletedMin("2024-03-01T00:00:00Z").CompletedMax("2024-03-31T00:00:00Z"), []string{"done"}},
		"due":       {list().DueMin("2024-05-01T00:00:00Z").DueMax("2024-05-03T00:00:00Z"), []string{"open"}},
	} {
		if got := listTasks(t, row.list); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
	_, err := list().UpdatedMin("yesterday").Do()
	wantReason(t, err, 400, "invalid")
	one, err := c.tasks.Tasks.Get("@default", "child").Do()
	if err != nil || one.Parent != "open" || len(one.Position) != 20 || one.Etag == "" || one.Status != "needsAction" {
		t.Errorf("one task: %v, %+v", err, one)
	}
	_, err = c.tasks.Tasks.Get("@default", "nothing").Do()
	wantReason(t, err, 404, "notFound")
	_, err = c.tasks.Tasks.List("nothing").Do()
	wantReason(t, err, 404, "notFound")
}

func TestTaskPages(t *testing.T) {
	data := emptyOrganisation(t)
	for range 130 {
		if _, err := data.AddTask(ben, "", json.RawMessage(`{}`)); err != nil {
			t.Fatal(err)
		}
	}
	s, h := start(t, data, sim.Options{Quotas: sim.Quotas{Tasks: sim.Limit{ProjectPerDay: 3}}})
	c := connect(t, s, h, ben)
	list := c.tasks.Tasks.List("@default")
	if page, err := list.Do(); err != nil || len(page.Items) != 20 || page.NextPageToken == "" {
		t.Errorf("a page by default: %v", err)
	}
	if all := listTasks(t, list.MaxResults(1000)); len(all) != 130 || s.Counts()["tasks.tasks.list"] != 3 {
		t.Errorf("%d tasks in %d pages", len(all), s.Counts()["tasks.tasks.list"]-1)
	}
	_, err := list.Do()
	wantReason(t, err, 403, "dailyLimitExceeded")
}

func TestTaskChanges(t *testing.T) {
	data := taskData(t)
	data.Now = func() time.Time { return time.Date(2024, 7, 1, 0, 0, 0, 0, time.UTC) }
	second, err := data.AddTaskList(ben, "Zweite")
	if err != nil {
		t.Fatal(err)
	}
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, ben)
	lists, err := c.tasks.Tasklists.List().MaxResults(1).Do()
	if err != nil || len(lists.Items) != 1 || lists.Items[0].Title != "My Tasks" || lists.NextPageToken == "" {
		t.Fatalf("lists: %v", err)
	}
	if rest, err := c.tasks.Tasklists.List().MaxResults(1).PageToken(lists.NextPageToken).Do(); err != nil || rest.Items[0].Id != second {
		t.Errorf("second list: %v", err)
	}
	before, err := c.tasks.Tasks.Get("@default", "child").Do()
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(data.UpdateTask(ben, "", "child", json.RawMessage(`{"status":"completed"}`)), data.RenameTaskList(ben, second, "Third"))
	if err != nil {
		t.Fatal(err)
	}
	if after, err := c.tasks.Tasks.Get(lists.Items[0].Id, "child").Do(); err != nil || after.Etag == before.Etag || after.Updated == before.Updated || after.Completed == nil {
		t.Errorf("a changed task: %v, %+v", err, after)
	}
	if l, err := c.tasks.Tasklists.Get(second).Do(); err != nil || l.Title != "Third" {
		t.Errorf("a renamed list: %v", err)
	}
	if err := errors.Join(data.DeleteTask(ben, "", "open"), data.DeleteTaskList(ben, second)); err != nil {
		t.Fatal(err)
	}
	if got := listTasks(t, c.tasks.Tasks.List("@default").ShowDeleted(true).UpdatedMin("2024-06-30T00:00:00Z")); !slices.Equal(got, []string{"child", "open"}) {
		t.Errorf("changes: %v", got)
	}
	if n := len(data.Tasks(ben, "")); n != 3 {
		t.Errorf("%d tasks are left, want 3", n)
	}
	if data.DeleteTaskList(ben, "@default") == nil {
		t.Error("the default list was deleted")
	}
	if _, err := data.AddTask(ben, "", json.RawMessage(`{"parent":"nothing"}`)); err == nil {
		t.Error("a task below nothing was taken")
	}
}

func TestGeneratedTasks(t *testing.T) {
	const user = "user0002@example.org"
	data := sim.Generate(organisation.Spec{Users: 2, Tasks: 60, Seed: 9})
	s, h := start(t, data, sim.Options{})
	c := connect(t, s, h, user)
	total := 0
	for _, id := range data.TaskLists(user) {
		total += len(listTasks(t, c.tasks.Tasks.List(id).ShowDeleted(true).ShowHidden(true).ShowAssigned(true).MaxResults(100)))
	}
	if total != 60 {
		t.Errorf("%d tasks, want 60", total)
	}
	again := sim.Generate(organisation.Spec{Users: 2, Tasks: 60, Seed: 9})
	if fmt.Sprint(again.TaskLists(user)) != fmt.Sprint(data.TaskLists(user)) || fmt.Sprintf("%s", again.Tasks(user, "")) != fmt.Sprintf("%s", data.Tasks(user, "")) {
		t.Error("one spec gave two lists")
	}
}

func TestTasksOfOfficialShape(t *testing.T) {
	data := emptyOrganisation(t)
	paths := collection(t, "google-json", "*-task-*.json")
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := data.AddTask(ben, "", raw); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	s, h := start(t, data, sim.Options{})
	got := listTasks(t, connect(t, s, h, ben).tasks.Tasks.List("@default").ShowAssigned(true).ShowHidden(true).ShowDeleted(true))
	if len(got) != len(paths) {
		t.Errorf("%d tasks", len(got))
	}
}

package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// graphTasks are the lists of To Do.
type graphTasks struct {
	graphSim
}

func openGraphTasks(b *bench, d *dice) world {
	w := &graphTasks{graphSim: b.startMicrosoft()}
	for range 2 {
		w.editList(d)
	}
	return shelve(b, "tasks", w, func(ctx context.Context) ([]opened[sources.Task], error) {
		c := w.connect()
		list, err := microsoft.TaskLists(ctx, c, user)
		return each(list, func(at sources.Collection) sources.Source[sources.Task] {
			return microsoft.Tasks(c, user, at.ID, at.TimeZone)
		}), err
	}, moveTasks, readTodo)
}

func (w *graphTasks) expire() { w.data.ExpireTokens() }

// graphTask is what the oracle reads of Graph's JSON.
type graphTask struct {
	Title, Status, Importance     string
	Categories                    []string
	Body                          struct{ Content string }
	DueDateTime, ReminderDateTime *graphTime
	IsReminderOn                  bool
}

// ours are the lists that are moved.
func (w *graphTasks) ours() (ids []string) {
	for _, l := range w.data.TaskLists(user) {
		if l.Known != "flaggedEmails" && !l.Foreign {
			ids = append(ids, l.ID)
		}
	}
	return ids
}

func (w *graphTasks) truth() map[string]objects {
	out := map[string]objects{}
	for _, list := range w.ours() {
		out[list] = objects{}
		for _, info := range w.data.Tasks(user, list) {
			out[list][uid("task", info.ID)] = object{facts: factsOfTask(info), raw: fmt.Sprintf("%s %s %s", info.Body, info.ChecklistItems, info.LinkedResources)}
		}
	}
	return out
}

func factsOfTask(info msim.TaskInfo) string {
	var v graphTask
	must(json.Unmarshal(info.Body, &v))
	t := todo{title: v.Title, categories: v.Categories, priority: map[string]string{"high": "1", "low": "9"}[v.Importance],
		status: map[string]string{"completed": "COMPLETED", "inProgress": "IN-PROCESS"}[v.Status]}
	if t.status == "" {
		t.status = "NEEDS-ACTION"
	}
	if word := map[string]string{"waitingOnOthers": "Waiting", "deferred": "Deferred"}[v.Status]; word != "" {
		t.categories = append(t.categories, word)
	}
	if v.DueDateTime != nil {
		t.due = compactDay(v.DueDateTime.instant().In(location("Europe/Berlin")).Format(time.DateOnly)) // of the mailbox
	}
	if v.ReminderDateTime != nil && v.IsReminderOn {
		t.reminder = v.ReminderDateTime.instant().UTC().Format("20060102T150405Z")
	}
	var parts []string
	if v.Body.Content != "" {
		parts = append(parts, v.Body.Content)
	}
	var steps []string
	for _, raw := range info.ChecklistItems {
		var step struct {
			DisplayName string
			IsChecked   bool
		}
		must(json.Unmarshal(raw, &step))
		steps = append(steps, map[bool]string{false: "- [ ] ", true: "- [x] "}[step.IsChecked]+step.DisplayName)
	}
	if len(steps) > 0 {
		parts = append(parts, lines(steps))
	}
	for _, raw := range info.LinkedResources {
		var link struct{ DisplayName, WebURL string }
		must(json.Unmarshal(raw, &link))
		parts = append(parts, link.DisplayName+": "+link.WebURL)
	}
	t.text = strings.Join(parts, "\n\n")
	return t.line()
}

func (w *graphTasks) edit(d *dice) string {
	list := pick(d, w.ours())
	tasks := w.data.Tasks(user, list)
	if d.IntN(25) == 0 {
		return w.editList(d)
	}
	if len(tasks) < 3 || d.IntN(8) == 0 && len(tasks) < 30 {
		return "new task " + value(w.data.AddTask(user, list, fmt.Appendf(nil, `{"title": %q}`, word(d))))
	}
	info := pick(d, tasks)
	switch d.IntN(10) {
	case 0:
		return w.patch(info, fmt.Sprintf(`{"title": %q, "importance": %q}`, word(d), pick(d, []string{"low", "normal", "high"})))
	case 1:
		return w.patch(info, fmt.Sprintf(`{"body": {"content": %q, "contentType": "text"}}`, pick(d, []string{"", word(d) + "\nmore"})))
	case 2:
		return w.patch(info, pick(d, []string{`{"dueDateTime": null}`, fmt.Sprintf(`{"dueDateTime": {"dateTime": "2024-%02d-%02dT00:00:00", "timeZone": "W. Europe Standard Time"}}`,
			1+d.IntN(12), 1+d.IntN(28))}))
	case 3:
		return w.patch(info, pick(d, []string{`{"reminderDateTime": null, "isReminderOn": false}`, `{"isReminderOn": false}`,
			fmt.Sprintf(`{"isReminderOn": true, "reminderDateTime": {"dateTime": "2024-%02d-%02dT0%d:00:00", "timeZone": "UTC"}}`, 1+d.IntN(12), 1+d.IntN(28), d.IntN(10))}))
	case 4:
		return w.patch(info, fmt.Sprintf(`{"status": %q}`, pick(d, []string{"notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"})))
	case 5:
		return w.patch(info, fmt.Sprintf(`{"categories": [%s]}`, pick(d, []string{"", `"Red, green"`, `"Red", "Blue"`})))
	case 6, 7:
		return w.editPart(d, info)
	case 8:
		to := pick(d, w.ours())
		if to == list {
			return ""
		}
		must(w.data.DeleteTask(user, info.ID))
		return "moved " + info.ID + " to " + to + " as " + value(w.data.AddTask(user, to, info.Body))
	}
	must(w.data.DeleteTask(user, info.ID))
	return "deleted " + info.ID
}

func (w *graphTasks) patch(info msim.TaskInfo, body string) string {
	must(w.data.ChangeTask(user, info.ID, []byte(body)))
	return info.ID + ": " + body
}

// editPart changes the steps and links of a task.
func (w *graphTasks) editPart(d *dice, info msim.TaskInfo) string {
	parts := append(info.ChecklistItems[:len(info.ChecklistItems):len(info.ChecklistItems)], info.LinkedResources...)
	if len(parts) == 0 || d.IntN(3) == 0 {
		if d.IntN(2) == 0 {
			return "new link " + value(w.data.AddLinkedResource(user, info.ID, fmt.Appendf(nil, `{"displayName": %q, "webUrl": "https://example.net/%d"}`, word(d), d.IntN(1e6))))
		}
		return "new step " + value(w.data.AddChecklistItem(user, info.ID, fmt.Appendf(nil, `{"displayName": %q}`, word(d))))
	}
	var part struct{ ID string }
	raw := pick(d, parts)
	must(json.Unmarshal(raw, &part))
	if d.IntN(3) == 0 {
		must(w.data.DeleteTaskPart(user, info.ID, part.ID))
		return "part deleted " + part.ID
	}
	body := fmt.Sprintf(`{"displayName": %q}`, word(d))
	if strings.Contains(string(raw), "isChecked") && d.IntN(2) == 0 {
		body = fmt.Sprintf(`{"isChecked": %v}`, d.IntN(2) == 0)
	}
	must(w.data.ChangeTaskPart(user, info.ID, part.ID, []byte(body)))
	return part.ID + ": " + body
}

func (w *graphTasks) editList(d *dice) string {
	return editCollection(d, "list", w.ours()[1:],
		func(name string) (string, error) { return w.data.AddTaskList(user, msim.TaskList{Name: name}) },
		func(id string) error { return w.data.DeleteTaskList(user, id) },
		func(id, name string) error {
			return w.data.ChangeTaskList(user, id, func(l *msim.TaskList) { l.Name = name })
		})
}

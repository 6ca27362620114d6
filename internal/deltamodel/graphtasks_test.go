package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"codeberg.org/repatriate/repatriate/checkpoint"
	msim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/microsoft"
)

// graphTasks are the lists of To Do.
type graphTasks struct {
	data   *msim.Data
	client *microsoft.Client
	lists  int
}

func newGraphTasks(g *rig, seed uint64) world {
	data := microsoftData(g.t, seed)
	o := msim.Options{PageSize: pick(g.r, []int{0, 0, 3, 9})}
	g.paged = o.PageSize > 0
	w := &graphTasks{data: data}
	w.client, g.provider = startMicrosoft(g.t, data, o, g.wire, g.r)
	return w
}

func (w *graphTasks) collections(ctx context.Context) ([]sources.Collection, error) {
	return microsoft.TaskLists(ctx, w.client, user)
}

func (w *graphTasks) move(ctx context.Context, g *rig, c sources.Collection, l checkpoint.Ledger) error {
	return moveTasks(ctx, g, forgetful[sources.Task]{microsoft.Tasks(w.client, user, c.ID, c.TimeZone), &g.forget}, c, l)
}

func (w *graphTasks) read(body []byte) (string, error) { return readTodo(body) }

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
	done(json.Unmarshal(info.Body, &v))
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
		done(json.Unmarshal(raw, &step))
		steps = append(steps, map[bool]string{false: "- [ ] ", true: "- [x] "}[step.IsChecked]+step.DisplayName)
	}
	if len(steps) > 0 {
		parts = append(parts, lines(steps))
	}
	for _, raw := range info.LinkedResources {
		var link struct{ DisplayName, WebURL string }
		done(json.Unmarshal(raw, &link))
		parts = append(parts, link.DisplayName+": "+link.WebURL)
	}
	t.text = strings.Join(parts, "\n\n")
	return t.line()
}

func (w *graphTasks) edit(r *rand.Rand) string {
	list := pick(r, w.ours())
	tasks := w.data.Tasks(user, list)
	if r.IntN(25) == 0 {
		return w.editList(r)
	}
	if len(tasks) < 3 || r.IntN(8) == 0 && len(tasks) < 30 {
		return "new task " + added(w.data.AddTask(user, list, fmt.Appendf(nil, `{"title": %q}`, word(r))))
	}
	info := pick(r, tasks)
	switch r.IntN(10) {
	case 0:
		return w.patch(info, fmt.Sprintf(`{"title": %q, "importance": %q}`, word(r), pick(r, []string{"low", "normal", "high"})))
	case 1:
		return w.patch(info, fmt.Sprintf(`{"body": {"content": %q, "contentType": "text"}}`, pick(r, []string{"", word(r) + "\nmore"})))
	case 2:
		return w.patch(info, pick(r, []string{`{"dueDateTime": null}`, fmt.Sprintf(`{"dueDateTime": {"dateTime": "2024-%02d-%02dT00:00:00", "timeZone": "W. Europe Standard Time"}}`,
			1+r.IntN(12), 1+r.IntN(28))}))
	case 3:
		return w.patch(info, pick(r, []string{`{"reminderDateTime": null, "isReminderOn": false}`, `{"isReminderOn": false}`,
			fmt.Sprintf(`{"isReminderOn": true, "reminderDateTime": {"dateTime": "2024-%02d-%02dT0%d:00:00", "timeZone": "UTC"}}`, 1+r.IntN(12), 1+r.IntN(28), r.IntN(10))}))
	case 4:
		return w.patch(info, fmt.Sprintf(`{"status": %q}`, pick(r, []string{"notStarted", "inProgress", "completed", "waitingOnOthers", "deferred"})))
	case 5:
		return w.patch(info, fmt.Sprintf(`{"categories": [%s]}`, pick(r, []string{"", `"Red, green"`, `"Red", "Blue"`})))
	case 6, 7:
		return w.editPart(r, info)
	case 8:
		to := pick(r, w.ours())
		if to == list {
			return ""
		}
		done(w.data.DeleteTask(user, info.ID))
		return "moved " + info.ID + " to " + to + " as " + added(w.data.AddTask(user, to, info.Body))
	}
	done(w.data.DeleteTask(user, info.ID))
	return "deleted " + info.ID
}

func (w *graphTasks) patch(info msim.TaskInfo, body string) string {
	done(w.data.ChangeTask(user, info.ID, []byte(body)))
	return info.ID + ": " + body
}

// editPart changes the steps and links of a task.
func (w *graphTasks) editPart(r *rand.Rand, info msim.TaskInfo) string {
	parts := append(info.ChecklistItems[:len(info.ChecklistItems):len(info.ChecklistItems)], info.LinkedResources...)
	if len(parts) == 0 || r.IntN(3) == 0 {
		if r.IntN(2) == 0 {
			return "new link " + added(w.data.AddLinkedResource(user, info.ID, fmt.Appendf(nil, `{"displayName": %q, "webUrl": "https://example.net/%d"}`, word(r), r.IntN(1e6))))
		}
		return "new step " + added(w.data.AddChecklistItem(user, info.ID, fmt.Appendf(nil, `{"displayName": %q}`, word(r))))
	}
	var part struct{ ID string }
	raw := pick(r, parts)
	done(json.Unmarshal(raw, &part))
	if r.IntN(3) == 0 {
		done(w.data.DeleteTaskPart(user, info.ID, part.ID))
		return "part deleted " + part.ID
	}
	body := fmt.Sprintf(`{"displayName": %q}`, word(r))
	if strings.Contains(string(raw), "isChecked") && r.IntN(2) == 0 {
		body = fmt.Sprintf(`{"isChecked": %v}`, r.IntN(2) == 0)
	}
	done(w.data.ChangeTaskPart(user, info.ID, part.ID, []byte(body)))
	return part.ID + ": " + body
}

func (w *graphTasks) editList(r *rand.Rand) string {
	own := w.ours()[1:]
	switch n := r.IntN(4); {
	case len(own) < 2 || n == 0 && len(own) < 4:
		w.lists++
		return "new list " + added(w.data.AddTaskList(user, msim.TaskList{Name: fmt.Sprintf("List %d", w.lists)}))
	case n == 1 && len(own) > 2:
		id := pick(r, own)
		done(w.data.DeleteTaskList(user, id))
		return "list deleted " + id
	default:
		id := pick(r, own)
		done(w.data.ChangeTaskList(user, id, func(l *msim.TaskList) { l.Name = word(r) }))
		return "list renamed " + id
	}
}

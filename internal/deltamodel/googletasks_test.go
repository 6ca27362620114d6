package deltamodel

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// googleTasks are the task lists of a Google account.
type googleTasks struct {
	googleSim
	moves int
}

func openGoogleTasks(b *bench, d *dice) world {
	w := &googleTasks{googleSim: b.startGoogle(gsim.Options{})}
	for range 2 {
		w.editList(d)
	}
	return shelve(b, "tasks", w, func(ctx context.Context) ([]opened[sources.Task], error) {
		c := w.connect()
		list, err := google.TaskLists(ctx, c, user)
		return each(list, func(at sources.Collection) sources.Source[sources.Task] { return google.Tasks(c, user, at.ID) }), err
	}, moveTasks, readTodo)
}

// expire makes pages expire: lists of tasks have no other tokens.
func (w *googleTasks) expire() { w.data.ExpirePageTokens() }

// googleTask is what the oracle reads of Google's JSON.
type googleTask struct{ ID, Title, Notes, Status, Due, Parent, Position string }

func (w *googleTasks) truth() map[string]objects {
	out := map[string]objects{}
	for _, list := range w.data.TaskLists(user) {
		out[list] = objects{}
		for _, raw := range w.data.Tasks(user, list) {
			var v googleTask
			must(json.Unmarshal(raw, &v))
			t := todo{title: v.Title, text: v.Notes, status: "NEEDS-ACTION", order: cmp.Or(strings.TrimLeft(v.Position, "0"), "0")}
			if v.Status == "completed" {
				t.status = "COMPLETED"
			}
			if len(v.Due) >= 10 {
				t.due = compactDay(v.Due[:10])
			}
			if v.Parent != "" {
				t.parent = uid("task", v.Parent)
			}
			out[list][uid("task", v.ID)] = object{facts: t.line(), raw: string(raw)}
		}
	}
	return out
}

func (w *googleTasks) tasks(list string) (out []googleTask) {
	for _, raw := range w.data.Tasks(user, list) {
		var v googleTask
		must(json.Unmarshal(raw, &v))
		out = append(out, v)
	}
	return out
}

func (w *googleTasks) edit(d *dice) string {
	list := pick(d, w.data.TaskLists(user))
	tasks := w.tasks(list)
	if d.IntN(25) == 0 {
		return w.editList(d)
	}
	if len(tasks) < 3 || d.IntN(8) == 0 && len(tasks) < 30 {
		parent := ""
		if len(tasks) > 0 && d.IntN(3) == 0 {
			if p := pick(d, tasks); p.Parent == "" {
				parent = fmt.Sprintf(`, "parent": %q`, p.ID)
			}
		}
		return "new task " + value(w.data.AddTask(user, list, fmt.Appendf(nil, `{"title": %q%s}`, word(d), parent)))
	}
	v := pick(d, tasks)
	switch d.IntN(9) {
	case 0:
		return w.patch(list, v, fmt.Sprintf(`{"title": %q}`, word(d)))
	case 1:
		return w.patch(list, v, pick(d, []string{`{"notes": null}`, fmt.Sprintf(`{"notes": %q}`, word(d)+"\nmore")}))
	case 2:
		return w.patch(list, v, pick(d, []string{`{"due": null}`, fmt.Sprintf(`{"due": "2024-%02d-%02dT00:00:00.000Z"}`, 1+d.IntN(12), 1+d.IntN(28))}))
	case 3:
		return w.patch(list, v, pick(d, []string{`{"status": "completed", "hidden": true}`, `{"status": "completed"}`, `{"status": "needsAction", "hidden": null}`}))
	case 4:
		return w.reorder(d, list, tasks)
	case 5:
		return w.nest(d, list, v, tasks)
	case 6:
		return w.moveTo(d, list, v, tasks)
	case 7:
		must(w.data.DeleteTask(user, list, v.ID))
		return "deleted " + v.ID
	}
	return w.patch(list, v, fmt.Sprintf(`{"status": %q}`, pick(d, []string{"completed", "needsAction"})))
}

func (w *googleTasks) patch(list string, v googleTask, body string) string {
	must(w.data.UpdateTask(user, list, v.ID, json.RawMessage(body)))
	return v.ID + ": " + body
}

// reorder puts some tasks to other places; each that moves counts as changed.
func (w *googleTasks) reorder(d *dice, list string, tasks []googleTask) string {
	for range 2 {
		w.patch(list, pick(d, tasks), fmt.Sprintf(`{"position": "%020d"}`, d.IntN(1000)))
	}
	return "reordered " + list
}

// nest makes a task a step of another, or none any more.
func (w *googleTasks) nest(d *dice, list string, v googleTask, tasks []googleTask) string {
	if v.Parent != "" {
		return w.patch(list, v, `{"parent": null}`)
	}
	for _, other := range tasks {
		if other.Parent == v.ID {
			return "" // it has steps of its own
		}
	}
	if p := pick(d, tasks); p.ID != v.ID && p.Parent == "" {
		return w.patch(list, v, fmt.Sprintf(`{"parent": %q}`, p.ID))
	}
	return ""
}

// moveTo puts a task into another list: it is deleted here, and there with the same id or another one.
func (w *googleTasks) moveTo(d *dice, list string, v googleTask, tasks []googleTask) string {
	to := pick(d, w.data.TaskLists(user))
	for _, other := range tasks {
		if to == list || other.Parent == v.ID {
			return ""
		}
	}
	must(w.data.DeleteTask(user, list, v.ID))
	w.moves++
	id := fmt.Sprintf("%sm%d", v.ID, w.moves)
	_ = value(w.data.AddTask(user, to, fmt.Appendf(nil, `{"id": %q, "title": %q}`, id, v.Title)))
	return "moved " + v.ID + " to " + to + " as " + id
}

func (w *googleTasks) editList(d *dice) string {
	return editCollection(d, "list", w.data.TaskLists(user)[1:],
		func(name string) (string, error) { return w.data.AddTaskList(user, name) },
		func(id string) error { return w.data.DeleteTaskList(user, id) },
		func(id, name string) error { return w.data.RenameTaskList(user, id, name) })
}

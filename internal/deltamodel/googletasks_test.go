package deltamodel

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"codeberg.org/repatriate/repatriate/checkpoint"
	gsim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
	"codeberg.org/repatriate/repatriate/sources"
	"codeberg.org/repatriate/repatriate/sources/google"
)

// googleTasks are the task lists of a Google account.
type googleTasks struct {
	data   *gsim.Data
	client *google.Client
	lists  int
	moves  int
}

func newGoogleTasks(g *rig, seed uint64) world {
	data := googleData(g.t, seed)
	o := gsim.Options{PageSize: pick(g.r, []int{0, 0, 3, 9})}
	g.paged = o.PageSize > 0
	w := &googleTasks{data: data}
	w.client, g.provider = startGoogle(g.t, data, o, g.wire, g.r)
	return w
}

func (w *googleTasks) collections(ctx context.Context) ([]sources.Collection, error) {
	return google.TaskLists(ctx, w.client, user)
}

func (w *googleTasks) move(ctx context.Context, g *rig, c sources.Collection, l checkpoint.Ledger) error {
	return moveTasks(ctx, g, forgetful[sources.Task]{google.Tasks(w.client, user, c.ID), &g.forget}, c, l)
}

func (w *googleTasks) read(body []byte) (string, error) { return readTodo(body) }

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
			done(json.Unmarshal(raw, &v))
			t := todo{title: v.Title, text: v.Notes, status: "NEEDS-ACTION", order: strings.TrimLeft(v.Position, "0")}
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
		done(json.Unmarshal(raw, &v))
		out = append(out, v)
	}
	return out
}

func (w *googleTasks) edit(r *rand.Rand) string {
	list := pick(r, w.data.TaskLists(user))
	tasks := w.tasks(list)
	if r.IntN(25) == 0 {
		return w.editList(r)
	}
	if len(tasks) < 3 || r.IntN(8) == 0 && len(tasks) < 30 {
		parent := ""
		if len(tasks) > 0 && r.IntN(3) == 0 {
			if p := pick(r, tasks); p.Parent == "" {
				parent = fmt.Sprintf(`, "parent": %q`, p.ID)
			}
		}
		return "new task " + added(w.data.AddTask(user, list, fmt.Appendf(nil, `{"title": %q%s}`, word(r), parent)))
	}
	v := pick(r, tasks)
	switch r.IntN(9) {
	case 0:
		return w.patch(list, v, fmt.Sprintf(`{"title": %q}`, word(r)))
	case 1:
		return w.patch(list, v, pick(r, []string{`{"notes": null}`, fmt.Sprintf(`{"notes": %q}`, word(r)+"\nmore")}))
	case 2:
		return w.patch(list, v, pick(r, []string{`{"due": null}`, fmt.Sprintf(`{"due": "2024-%02d-%02dT00:00:00.000Z"}`, 1+r.IntN(12), 1+r.IntN(28))}))
	case 3:
		return w.patch(list, v, pick(r, []string{`{"status": "completed", "hidden": true}`, `{"status": "completed"}`, `{"status": "needsAction", "hidden": null}`}))
	case 4:
		return w.reorder(r, list, tasks)
	case 5:
		return w.nest(r, list, v, tasks)
	case 6:
		return w.moveTo(r, list, v, tasks)
	case 7:
		done(w.data.DeleteTask(user, list, v.ID))
		return "deleted " + v.ID
	}
	return w.patch(list, v, fmt.Sprintf(`{"status": %q}`, pick(r, []string{"completed", "needsAction"})))
}

func (w *googleTasks) patch(list string, v googleTask, body string) string {
	done(w.data.UpdateTask(user, list, v.ID, json.RawMessage(body)))
	return v.ID + ": " + body
}

// reorder puts some tasks to other places; each that moves counts as changed.
func (w *googleTasks) reorder(r *rand.Rand, list string, tasks []googleTask) string {
	for range 2 {
		w.patch(list, pick(r, tasks), fmt.Sprintf(`{"position": "%020d"}`, r.IntN(1000)))
	}
	return "reordered " + list
}

// nest makes a task a step of another, or none any more.
func (w *googleTasks) nest(r *rand.Rand, list string, v googleTask, tasks []googleTask) string {
	if v.Parent != "" {
		return w.patch(list, v, `{"parent": null}`)
	}
	for _, other := range tasks {
		if other.Parent == v.ID {
			return "" // it has steps of its own
		}
	}
	if p := pick(r, tasks); p.ID != v.ID && p.Parent == "" {
		return w.patch(list, v, fmt.Sprintf(`{"parent": %q}`, p.ID))
	}
	return ""
}

// moveTo puts a task into another list: it is deleted here, and there with the same id or another one.
func (w *googleTasks) moveTo(r *rand.Rand, list string, v googleTask, tasks []googleTask) string {
	to := pick(r, w.data.TaskLists(user))
	for _, other := range tasks {
		if to == list || other.Parent == v.ID {
			return ""
		}
	}
	done(w.data.DeleteTask(user, list, v.ID))
	w.moves++
	id := fmt.Sprintf("%sm%d", v.ID, w.moves)
	done2(w.data.AddTask(user, to, fmt.Appendf(nil, `{"id": %q, "title": %q}`, id, v.Title)))
	return "moved " + v.ID + " to " + to + " as " + id
}

func done2(_ string, err error) { done(err) }

func (w *googleTasks) editList(r *rand.Rand) string {
	own := w.data.TaskLists(user)[1:]
	switch n := r.IntN(4); {
	case len(own) < 2 || n == 0 && len(own) < 4:
		w.lists++
		return "new list " + added(w.data.AddTaskList(user, fmt.Sprintf("List %d", w.lists)))
	case n == 1 && len(own) > 2:
		id := pick(r, own)
		done(w.data.DeleteTaskList(user, id))
		return "list deleted " + id
	default:
		id := pick(r, own)
		done(w.data.RenameTaskList(user, id, word(r)))
		return "list renamed " + id
	}
}

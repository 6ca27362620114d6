package google

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// taskList is a list of tasks. Deleted tasks stay in it.
type taskList struct {
	id, title string
	updated   time.Time
	tasks     []*task
}

type task struct{ body object }

// defaultList stands for the first list of a user.
const defaultList = "@default"

func (d *Data) addTaskList(u *user, title string) *taskList {
	l := &taskList{id: taskID("list", u.Email, title, fmt.Sprint(len(u.tasks))), title: title, updated: d.Now()}
	u.tasks = append(u.tasks, l)
	return l
}

func taskID(parts ...string) string {
	return fmt.Sprintf("%x", hashOf(append([]string{"task"}, parts...)...)[:11])
}

// AddTaskList adds a list of tasks and gives its id. Every user has a first one, @default.
func (d *Data) AddTaskList(email, title string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return "", fmt.Errorf("add task list: %w", err)
	}
	return d.addTaskList(u, title).id, nil
}

// RenameTaskList changes the title of a list.
func (d *Data) RenameTaskList(email, list, title string) error {
	return d.withTaskList("rename task list", email, list, func(_ *user, l *taskList) error {
		l.title, l.updated = title, d.Now()
		return nil
	})
}

// DeleteTaskList deletes a list with its tasks; the first one stays.
func (d *Data) DeleteTaskList(email, list string) error {
	return d.withTaskList("delete task list", email, list, func(u *user, l *taskList) error {
		if l == u.tasks[0] {
			return fmt.Errorf("the default list cannot be deleted")
		}
		u.tasks = slices.DeleteFunc(u.tasks, func(other *taskList) bool { return other == l })
		return nil
	})
}

// TaskLists gives the ids of a user's lists, the default one first.
func (d *Data) TaskLists(email string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []string{}
	if u := d.byEmail[email]; u != nil {
		for _, l := range u.tasks {
			out = append(out, l.id)
		}
	}
	return out
}

// list gives a list by its id; the empty one and @default are the first.
func (u *user) list(id string) (*taskList, error) {
	if id == "" || id == defaultList {
		return u.tasks[0], nil
	}
	for _, l := range u.tasks {
		if l.id == id {
			return l, nil
		}
	}
	return nil, fmt.Errorf("no task list %s", id)
}

func (l *taskList) task(id string) (*task, error) {
	for _, t := range l.tasks {
		if t.body.text("id") == id {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no task %s", id)
}

func (d *Data) withTaskList(op, email, list string, edit func(*user, *taskList) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	u, err := d.user(email)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	l, err := u.list(list)
	if err == nil {
		err = edit(u, l)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// AddTask adds a task as the Tasks API writes it and gives its id. What every task has and this one lacks is made up: without a position
// it comes after all others. The empty list is the default one.
func (d *Data) AddTask(email, list string, resource json.RawMessage) (string, error) {
	body, err := parseObject(resource)
	if err != nil {
		return "", fmt.Errorf("add task: %w", err)
	}
	id := ""
	err = d.withTaskList("add task", email, list, func(_ *user, l *taskList) error {
		body = body.or("id", taskID(l.id, fmt.Sprint(len(l.tasks))))
		if id = body.text("id"); id == "" {
			return fmt.Errorf("an id that is no text")
		}
		if _, err := l.task(id); err == nil {
			return fmt.Errorf("id %s exists", id)
		}
		if parent := body.text("parent"); parent != "" {
			if _, err := l.task(parent); err != nil {
				return err
			}
		}
		body = body.or("position", fmt.Sprintf("%020d", len(l.tasks))).or("updated", stamp(d.Now()))
		l.tasks = append(l.tasks, &task{d.completeTask(l, body)})
		return nil
	})
	return id, err
}

// UpdateTask merges members into a task; null removes one. A task that becomes completed gets the time of it.
func (d *Data) UpdateTask(email, list, id string, patch json.RawMessage) error {
	changes, err := parseObject(patch)
	if err != nil {
		return fmt.Errorf("update task: %w", err)
	}
	return d.withTaskList("update task", email, list, func(_ *user, l *taskList) error {
		t, err := l.task(id)
		if err != nil {
			return err
		}
		body := t.body.with("updated", stamp(d.Now()))
		for _, m := range changes {
			body = body.with(m.name, m.value)
		}
		t.body = d.completeTask(l, body.with("id", id))
		return nil
	})
}

// DeleteTask deletes a task; the tasks below it go with it.
func (d *Data) DeleteTask(email, list, id string) error {
	return d.withTaskList("delete task", email, list, func(_ *user, l *taskList) error {
		if _, err := l.task(id); err != nil {
			return err
		}
		for _, t := range l.tasks {
			if t.body.text("id") == id || t.body.text("parent") == id {
				t.body = d.completeTask(l, t.body.with("deleted", true).with("updated", stamp(d.Now())))
			}
		}
		return nil
	})
}

// completeTask adds what Google would have added, and a new tag.
func (d *Data) completeTask(l *taskList, body object) object {
	d.taskChanges++
	l.updated = d.Now()
	at := "https://www.googleapis.com/tasks/v1/lists/" + l.id + "/tasks/" + body.text("id")
	body = body.with("kind", "tasks#task").with("etag", fmt.Sprintf(`"%x"`, hashOf("task tag", l.id, body.text("id"), fmt.Sprint(d.taskChanges))[:8]))
	body = body.or("title", "").or("selfLink", at).or("status", "needsAction").or("links", []any{})
	body = body.or("webViewLink", "https://tasks.google.com/task/"+body.text("id")+"?sa=6")
	if body.text("status") != "completed" {
		return body.with("completed", nil)
	}
	return body.or("completed", stamp(d.Now()))
}

// Tasks gives the tasks of a list that are not deleted, as JSON of the Tasks API, in the order in which they came.
func (d *Data) Tasks(email, list string) []json.RawMessage {
	out := []json.RawMessage{}
	_ = d.withTaskList("tasks", email, list, func(_ *user, l *taskList) error {
		for _, t := range l.tasks {
			if t.body.get("deleted") != true {
				out = append(out, appendObject(nil, t.body, nil))
			}
		}
		return nil
	})
	return out
}

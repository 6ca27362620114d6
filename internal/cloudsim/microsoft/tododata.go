package microsoft

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// TaskList describes a list of To Do.
type TaskList struct {
	Name string
	// Known is its wellknownListName; empty: none.
	Known string
	// Shared says that others see it too, Foreign that one of them shared it with the user, who does not own it.
	Shared, Foreign bool
}

// todo holds a user's lists of tasks. Those that Exchange makes come first.
type todo struct {
	owner  string
	lists  []*taskList
	serial int
}

type taskList struct {
	collection
	TaskList
}

func (t *todo) init(owner string) {
	t.owner = owner
	t.add(TaskList{Name: "Aufgaben", Known: "defaultList"}) // this mailbox speaks German
	t.add(TaskList{Name: "Gekennzeichnete E-Mail", Known: "flaggedEmails"})
}

func (t *todo) add(add TaskList) *taskList {
	t.serial++
	l := &taskList{TaskList: add}
	l.id = "AQMkADtodo" + base64.URLEncoding.EncodeToString(hashOf(t.owner, "list", fmt.Sprint(t.serial)))
	t.lists = append(t.lists, l)
	return l
}

// find returns a list by its id; the default one by the empty id.
func (t *todo) find(id string) *taskList {
	for _, l := range t.lists {
		if l.id == id || id == "" && l.Known == "defaultList" {
			return l
		}
	}
	return nil
}

func (t *todo) task(id string) *entry {
	for _, l := range t.lists {
		if e := l.find(id); e != nil {
			return e
		}
	}
	return nil
}

func (k *collection) find(id string) *entry {
	for _, e := range k.entries {
		if e.id == id {
			return e
		}
	}
	return nil
}

// AddTaskList adds a list of tasks and gives its id.
func (d *Data) AddTaskList(email string, add TaskList) (id string, err error) {
	err = d.withUser("add task list", email, func(u *user) error {
		id = u.todo.add(add).id
		return nil
	})
	return id, err
}

// ChangeTaskList lets change edit what is said of a list.
func (d *Data) ChangeTaskList(email, id string, change func(*TaskList)) error {
	return d.withTaskList("change task list", email, id, func(_ *todo, l *taskList) error {
		change(&l.TaskList)
		return nil
	})
}

// DeleteTaskList removes a list with its tasks. Those that Exchange made stay.
func (d *Data) DeleteTaskList(email, id string) error {
	return d.withTaskList("delete task list", email, id, func(t *todo, l *taskList) error {
		if l.Known == "defaultList" || l.Known == "flaggedEmails" {
			return fmt.Errorf("it is the %s", l.Known)
		}
		t.lists = slices.DeleteFunc(t.lists, func(x *taskList) bool { return x == l })
		return nil
	})
}

func (d *Data) withTaskList(op, email, id string, do func(*todo, *taskList) error) error {
	return d.withUser(op, email, func(u *user) error {
		l := u.todo.find(id)
		if l == nil {
			return fmt.Errorf("no task list %s", id)
		}
		return do(&u.todo, l)
	})
}

// TaskListInfo is a list of To Do.
type TaskListInfo struct {
	ID string
	TaskList
}

// TaskLists gives a user's lists of tasks: the default one, that of flagged mails, and then the others.
func (d *Data) TaskLists(email string) (out []TaskListInfo) {
	_ = d.withUser("task lists", email, func(u *user) error {
		for _, l := range u.todo.lists {
			out = append(out, TaskListInfo{l.id, l.TaskList})
		}
		return nil
	})
	return out
}

// taskTimes are the members of a task that are a dateTimeTimeZone.
var taskTimes = []string{"startDateTime", "dueDateTime", "reminderDateTime", "completedDateTime"}

// AddTask adds a task as Graph writes it to a list and gives its id; the empty list id is the default list. Its checklistItems and
// linkedResources may be in it. Times are kept in the zone that they name. What every task has and this one lacks is made up.
func (d *Data) AddTask(email, listID string, body json.RawMessage) (id string, err error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return "", fmt.Errorf("add task: %w", err)
	}
	err = d.withUser("add task", email, func(u *user) error {
		l := u.todo.find(listID)
		if l == nil {
			return fmt.Errorf("no task list %s", listID)
		}
		u.todo.serial++
		id = "AAMkADtask" + base64.URLEncoding.EncodeToString(hashOf(u.id, "task", fmt.Sprint(u.todo.serial)))
		e := &entry{id: id, body: o, parts: map[string][]object{}}
		for _, kind := range taskParts {
			parts, _ := o[kind].([]any)
			delete(o, kind)
			for _, part := range parts {
				p, _ := part.(map[string]any)
				e.addPart(kind, p, d.Now())
			}
		}
		if err := completeTask(o, u, d.Now()); err != nil {
			return err
		}
		l.enter(e, u.todo.serial)
		return nil
	})
	return id, err
}

// completeTask adds what Exchange would have added.
func completeTask(o object, u *user, now time.Time) error {
	for _, name := range taskTimes {
		if o[name] == nil {
			delete(o, name)
			continue
		}
		if _, err := momentOf(o.child(name), u.zone()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	defaults := object{"title": "", "body": object{"content": "", "contentType": "text"}, "importance": "normal", "status": "notStarted",
		"isReminderOn": o["reminderDateTime"] != nil, "categories": []any{}, "hasAttachments": false, "createdDateTime": exactly(now),
		"lastModifiedDateTime": exactly(now), "bodyLastModifiedDateTime": exactly(now)}
	for name, value := range defaults {
		if o[name] == nil {
			o[name] = value
		}
	}
	switch done := o.text("status") == "completed"; {
	case done && o["completedDateTime"] == nil:
		o["completedDateTime"] = object{"dateTime": now.UTC().Format("2006-01-02T15:04:05.0000000"), "timeZone": "UTC"}
	case !done:
		delete(o, "completedDateTime")
	}
	return nil
}

// exactly writes a time as To Do does.
func exactly(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// taskParts are what belongs to a task and is in no answer unless it is expanded.
var taskParts = []string{"checklistItems", "linkedResources"}

// addPart adds a checklist item or a linked resource and gives its id.
func (e *entry) addPart(kind string, o object, now time.Time) string {
	n := 0
	if last := len(e.parts[kind]); last > 0 {
		n = e.parts[kind][last-1]["n"].(int) + 1
	}
	part := object{"displayName": "", "id": guid(e.id, kind, fmt.Sprint(n)), "n": n}
	if kind == "checklistItems" {
		part["createdDateTime"], part["isChecked"] = exactly(now), false
	}
	for name, value := range o {
		if name != "id" && name != "n" {
			part[name] = value
		}
	}
	if part["isChecked"] == true && part["checkedDateTime"] == nil {
		part["checkedDateTime"] = exactly(now)
	}
	e.parts[kind] = append(e.parts[kind], part)
	return part.text("id")
}

// partsJSON are the checklist items or linked resources as Graph gives them.
func (e *entry) partsJSON(kind string) []object {
	out := make([]object, len(e.parts[kind]))
	for i, p := range e.parts[kind] {
		out[i] = p.with("n", nil)
		delete(out[i], "n")
	}
	return out
}

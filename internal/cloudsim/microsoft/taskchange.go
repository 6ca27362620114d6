package microsoft

import (
	"encoding/json"
	"fmt"
	"slices"
)

// ChangeTask merges members into a task; null removes one. Completed tasks get the time of it.
func (d *Data) ChangeTask(email, id string, patch json.RawMessage) error {
	return d.withTask("change task", email, id, func(u *user, e *entry) error {
		changed := e.body.with("lastModifiedDateTime", exactly(d.Now()))
		before := string(encode(object{"body": e.body["body"]}))
		if err := merge(changed, patch); err != nil {
			return err
		}
		if string(encode(object{"body": changed["body"]})) != before {
			changed["bodyLastModifiedDateTime"] = exactly(d.Now())
		}
		if err := completeTask(changed, u, d.Now()); err != nil {
			return err
		}
		e.body = changed
		return nil
	})
}

// DeleteTask removes a task for good.
func (d *Data) DeleteTask(email, id string) error {
	return d.withUser("delete task", email, func(u *user) error {
		e := u.todo.task(id)
		if e == nil {
			return fmt.Errorf("no task %s", id)
		}
		e.leave()
		return nil
	})
}

// AddChecklistItem adds an item as Graph writes it to a task and gives its id. The task counts as changed then, as it does when any of
// its items or linked resources changes.
func (d *Data) AddChecklistItem(email, task string, body json.RawMessage) (string, error) {
	return d.addPart(email, task, "checklistItems", body)
}

// AddLinkedResource adds a linked resource as Graph writes it to a task and gives its id.
func (d *Data) AddLinkedResource(email, task string, body json.RawMessage) (string, error) {
	return d.addPart(email, task, "linkedResources", body)
}

// AddTaskAttachment adds a file to a task.
func (d *Data) AddTaskAttachment(email, task string, a Attachment) error {
	return d.withTask("add attachment", email, task, func(_ *user, e *entry) error {
		e.files, e.body["hasAttachments"] = append(e.files, a), true
		return nil
	})
}

func (d *Data) addPart(email, task, kind string, body json.RawMessage) (id string, err error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil {
		return "", fmt.Errorf("add to task: %w", err)
	}
	err = d.withTask("add to task", email, task, func(_ *user, e *entry) error {
		id = e.addPart(kind, o, d.Now())
		return nil
	})
	return id, err
}

// ChangeTaskPart merges members into a checklist item or a linked resource of a task; null removes one.
func (d *Data) ChangeTaskPart(email, task, id string, patch json.RawMessage) error {
	return d.withPart("change part of task", email, task, id, func(e *entry, kind string, i int) error {
		part := e.parts[kind][i].with("id", id)
		if err := merge(part, patch); err != nil {
			return err
		}
		switch {
		case part["isChecked"] != true:
			delete(part, "checkedDateTime")
		case part["checkedDateTime"] == nil:
			part["checkedDateTime"] = exactly(d.Now())
		}
		e.parts[kind][i] = part
		return nil
	})
}

// DeleteTaskPart removes a checklist item or a linked resource of a task.
func (d *Data) DeleteTaskPart(email, task, id string) error {
	return d.withPart("delete part of task", email, task, id, func(e *entry, kind string, i int) error {
		e.parts[kind] = slices.Delete(e.parts[kind], i, i+1)
		return nil
	})
}

func (d *Data) withPart(op, email, task, id string, do func(e *entry, kind string, i int) error) error {
	return d.withTask(op, email, task, func(_ *user, e *entry) error {
		for _, kind := range taskParts {
			if i := slices.IndexFunc(e.parts[kind], func(o object) bool { return o.text("id") == id }); i >= 0 {
				return do(e, kind, i)
			}
		}
		return fmt.Errorf("no part %s", id)
	})
}

// withTask changes a task, and notes it.
func (d *Data) withTask(op, email, id string, do func(*user, *entry) error) error {
	return d.withUser(op, email, func(u *user) error {
		e := u.todo.task(id)
		if e == nil {
			return fmt.Errorf("no task %s", id)
		}
		if err := do(u, e); err != nil {
			return err
		}
		e.body["lastModifiedDateTime"] = exactly(d.Now())
		e.note()
		return nil
	})
}

// TaskInfo is a task of a list. Its Body is as it was set, with what Exchange added.
type TaskInfo struct {
	ID                              string
	Body                            json.RawMessage
	ChecklistItems, LinkedResources []json.RawMessage
}

// Tasks gives the tasks of a list in the order in which they came; the empty id is the default list.
func (d *Data) Tasks(email, listID string) (out []TaskInfo) {
	_ = d.withTaskList("tasks", email, listID, func(_ *todo, l *taskList) error {
		for _, e := range l.entries {
			info := TaskInfo{ID: e.id, Body: encode(e.body)}
			for _, o := range e.partsJSON("checklistItems") {
				info.ChecklistItems = append(info.ChecklistItems, encode(o))
			}
			for _, o := range e.partsJSON("linkedResources") {
				info.LinkedResources = append(info.LinkedResources, encode(o))
			}
			out = append(out, info)
		}
		return nil
	})
	return out
}

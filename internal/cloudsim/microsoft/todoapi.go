package microsoft

import (
	"fmt"
	"slices"
	"strings"
)

// todoLists answers todoLists.list (learn.microsoft.com/graph/api/todo-list-lists).
func todoLists(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	if err := c.needMailbox(); err != nil {
		return err
	}
	all := make([]object, len(c.user.todo.lists))
	for i, l := range c.user.todo.lists {
		all[i] = l.json()
	}
	return c.list(all, 10, 1000)
}

func (l *taskList) json() object {
	known := l.Known
	if known == "" {
		known = "none"
	}
	return object{"id": l.id, "displayName": l.Name, "isOwner": !l.Foreign, "isShared": l.Shared || l.Foreign, "wellknownListName": known}
}

// taskList is that of the path.
func (c *call) taskList() (*taskList, error) {
	if err := c.needMailbox(); err != nil {
		return nil, err
	}
	if l := c.user.todo.find(c.r.PathValue("list")); l != nil {
		return l, nil
	}
	return nil, errOutlookNotFound()
}

func (c *call) task() (*entry, error) {
	l, err := c.taskList()
	if err != nil {
		return nil, err
	}
	if e := l.find(c.r.PathValue("task")); e != nil {
		return e, nil
	}
	return nil, errOutlookNotFound()
}

// expansion reads an $expand of tasks.
func expansion(expand string) ([]string, error) {
	if expand == "" {
		return nil, nil
	}
	parts := strings.Split(expand, ",")
	for _, name := range parts {
		if !slices.Contains(taskParts, name) {
			return nil, errNotSimulated("$expand=" + expand)
		}
	}
	return parts, nil
}

// todoTaskDelta answers todoTask.delta of a list (learn.microsoft.com/graph/api/todotask-delta). It has $top there; with messages that is
// the most that a delta ever gives, so that nobody should rely on it, and it is refused here. Ids of tasks are the same whether immutable
// ones are asked for or not (learn.microsoft.com/graph/outlook-immutable-id does not name them).
func todoTaskDelta(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	l, err := c.taskList()
	if err != nil {
		return err
	}
	p, err := c.deltaPage(&l.collection)
	if err != nil {
		return err
	}
	if _, err := expansion(p.Expand); err != nil {
		return err
	}
	return c.delta(&l.collection, "todoTask", p, c.maxPage(10, 200), true, c.taskJSON)
}

// todoTaskGet answers todoTask.get (learn.microsoft.com/graph/api/todotask-get).
func todoTaskGet(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	e, err := c.task()
	if err != nil {
		return err
	}
	expand := c.query.Get("$expand")
	if _, err := expansion(expand); err != nil {
		return err
	}
	return c.reply(c.taskJSON(e, expand).only(withExpanded(c.selected(), expand)))
}

// taskJSON renders a task (learn.microsoft.com/graph/api/resources/todotask) with its times in UTC, where a day that is due begins when
// it does in the user's zone.
func (c *call) taskJSON(e *entry, expand string) object {
	o := e.body.with("id", e.id)
	o["@odata.etag"] = `W/"` + e.etag() + `"`
	for _, name := range taskTimes {
		if at, err := momentOf(e.body.child(name), c.user.zone()); err == nil {
			o[name] = object{"dateTime": at.UTC().Format("2006-01-02T15:04:05.0000000"), "timeZone": "UTC"}
		}
	}
	parts, _ := expansion(expand) // it was read before
	for _, kind := range parts {
		o[kind] = e.partsJSON(kind)
	}
	return o
}

// checklistItems answers todoTask.checklistItems (learn.microsoft.com/graph/api/todotask-list-checklistitems).
func checklistItems(c *call) error { return c.taskPart("checklistItems") }

// linkedResources answers todoTask.linkedResources (learn.microsoft.com/graph/api/todotask-list-linkedresources).
func linkedResources(c *call) error { return c.taskPart("linkedResources") }

// taskFiles answers todoTask.attachments (learn.microsoft.com/graph/api/todotask-list-attachments), without the bytes.
func taskFiles(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	e, err := c.task()
	if err != nil {
		return err
	}
	all := make([]object, len(e.files))
	for i := range e.files {
		all[i] = e.fileJSON(i)
		delete(all[i], "contentBytes")
	}
	return c.list(all, 10, 1000)
}

// taskFile answers todoTask.attachment with one of them and its bytes (learn.microsoft.com/graph/api/taskfileattachment-get).
func taskFile(c *call) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	e, err := c.task()
	if err != nil {
		return err
	}
	for i := range e.files {
		if o := e.fileJSON(i); o.text("id") == c.r.PathValue("attachment") {
			return c.reply(o)
		}
	}
	return errOutlookNotFound()
}

// fileJSON renders a taskFileAttachment (learn.microsoft.com/graph/api/resources/taskfileattachment).
func (e *entry) fileJSON(i int) object {
	o := e.files[i].json(guid(e.id, "file", fmt.Sprint(i)))
	o["@odata.type"] = "#microsoft.graph.taskFileAttachment"
	delete(o, "isInline")
	return o
}

func (c *call) taskPart(kind string) error {
	c.data.mu.Lock()
	defer c.data.mu.Unlock()
	e, err := c.task()
	if err != nil {
		return err
	}
	return c.list(e.partsJSON(kind), 10, 1000)
}

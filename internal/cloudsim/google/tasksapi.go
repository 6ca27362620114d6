package google

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// taskListsList answers tasklists.list.
// https://developers.google.com/workspace/tasks/reference/rest/v1/tasklists/list
func taskListsList(c *call) error {
	size, err := c.pageSize("maxResults", 1000, 1000, false)
	if err != nil {
		return err
	}
	place, _, err := c.place()
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(place)
	items := []object{}
	c.data.mu.Lock()
	lists := c.user.tasks
	from = min(from, len(lists))
	to := min(from+size, len(lists))
	for _, l := range lists[from:to] {
		items = append(items, l.resource())
	}
	more := to < len(lists)
	c.data.mu.Unlock()
	answer := object{{"kind", "tasks#taskLists"}, {"etag", tagOf(items)}}
	if more {
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(to))})
	}
	return c.reply(append(answer, member{"items", items}))
}

// tagOf makes the tag of a list out of those in it.
func tagOf(items []object) string {
	parts := []string{"tags"}
	for _, item := range items {
		parts = append(parts, item.text("etag"))
	}
	return fmt.Sprintf(`"%x"`, hashOf(parts...)[:8])
}

func (l *taskList) resource() object {
	return object{{"kind", "tasks#taskList"}, {"id", l.id}, {"etag", fmt.Sprintf(`"%x"`, hashOf("list tag", l.id, l.title, stamp(l.updated))[:8])},
		{"title", l.title}, {"updated", stamp(l.updated)}, {"selfLink", "https://www.googleapis.com/tasks/v1/users/@me/lists/" + l.id}}
}

// taskList finds the list of the call. The caller holds data.mu afterwards unless there is an error.
func (c *call) taskList() (*taskList, error) {
	c.data.mu.Lock()
	l, err := c.user.list(c.r.PathValue("tasklist"))
	if err != nil {
		c.data.mu.Unlock()
		return nil, &apiError{code: 404, reason: "notFound", message: "Task list not found."}
	}
	return l, nil
}

func taskListsGet(c *call) error {
	l, err := c.taskList()
	if err != nil {
		return err
	}
	answer := l.resource()
	c.data.mu.Unlock()
	return c.reply(answer)
}

// tasksGet answers tasks.get, for deleted tasks too.
func tasksGet(c *call) error {
	l, err := c.taskList()
	if err != nil {
		return err
	}
	t, err := l.task(c.r.PathValue("task"))
	var body object
	if err == nil {
		body = t.body
	}
	c.data.mu.Unlock()
	if err != nil {
		return &apiError{code: 404, reason: "notFound", message: "Task not found."}
	}
	return c.reply(body)
}

// tasksList answers tasks.list.
// https://developers.google.com/workspace/tasks/reference/rest/v1/tasks/list
func tasksList(c *call) error {
	size, err := c.pageSize("maxResults", 20, 100, false)
	if err != nil {
		return err
	}
	place, _, err := c.place()
	if err != nil {
		return err
	}
	wanted, err := c.wantedTasks()
	if err != nil {
		return err
	}
	from, _ := strconv.Atoi(place)
	items, next := []object{}, 0
	l, err := c.taskList()
	if err != nil {
		return err
	}
	for i := from; i < len(l.tasks) && next == 0; i++ {
		if t := l.tasks[i]; !wanted(t.body) {
			continue
		}
		if len(items) == size {
			next = i
			break
		}
		items = append(items, l.tasks[i].body)
	}
	c.data.mu.Unlock()
	answer := object{{"kind", "tasks#tasks"}, {"etag", tagOf(items)}}
	if next > 0 {
		answer = append(answer, member{"nextPageToken", c.pageToken(strconv.Itoa(next))})
	}
	return c.reply(append(answer, member{"items", items}))
}

// timeBound is a filter of tasks by one of their times; tasks without it do not pass.
type timeBound struct {
	field string
	at    time.Time
	upper bool
}

func (b timeBound) admits(body object) bool {
	at, err := time.Parse(time.RFC3339, body.text(b.field))
	if err != nil {
		return false
	}
	if b.upper {
		return !at.After(b.at)
	}
	return !at.Before(b.at)
}

// wantedTasks gives the filter that the parameters describe.
func (c *call) wantedTasks() (func(object) bool, error) {
	var bounds []timeBound
	for _, p := range []struct{ name, field string }{{"updatedMin", "updated"}, {"completedMin", "completed"}, {"completedMax", "completed"}, {"dueMin", "due"}, {"dueMax", "due"}} {
		v := c.query.Get(p.name)
		if v == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return nil, errInvalid(p.name, "Invalid value for: %s: %q is no time of RFC 3339", p.name, v)
		}
		bounds = append(bounds, timeBound{p.field, at, strings.HasSuffix(p.name, "Max")})
	}
	completed := c.query.Get("showCompleted") != "false"
	return func(body object) bool {
		if body.get("deleted") == true && !c.flag("showDeleted") || body.get("hidden") == true && !c.flag("showHidden") {
			return false
		}
		if body.text("status") == "completed" && !completed || body.get("assignmentInfo") != nil && !c.flag("showAssigned") {
			return false
		}
		for _, b := range bounds {
			if !b.admits(body) {
				return false
			}
		}
		return true
	}, nil
}

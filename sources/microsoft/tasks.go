package microsoft

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"time"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/graphrecur"
	"codeberg.org/repatriate/repatriate/internal/httpx"
	"codeberg.org/repatriate/repatriate/sources"
)

var (
	listTaskLists = method{exchange, "todoLists.list", 1, "Tasks.Read.All"}
	taskDelta     = method{exchange, "todoTask.delta", 1, "Tasks.Read.All"}
	getTask       = method{exchange, "todoTask.get", 1, "Tasks.Read.All"}
	listTaskFiles = method{exchange, "todoTask.attachments.list", 1, "Tasks.Read.All"}
	getTaskFile   = method{exchange, "todoTask.attachment", 1, "Tasks.Read.All"}
)

// TaskLists returns the user's own lists of To Do. The list of flagged mails holds no tasks of its own, and those of others move with
// their owners.
func TaskLists(ctx context.Context, c *Client, user string) ([]sources.Collection, error) {
	zone, err := c.mailboxZone(ctx, user)
	if err != nil {
		return nil, err
	}
	first := c.path(url.Values{"$top": {"100"}}, "users", user, "todo", "lists")
	var own []sources.Collection
	type list struct {
		ID    string `json:"id"`
		Name  string `json:"displayName"`
		Owner bool   `json:"isOwner"`
		Known string `json:"wellknownListName"`
	}
	for l, err := range pages[list](ctx, c, call{method: listTaskLists, of: user, url: first}) {
		if err != nil {
			return nil, err
		}
		if l.ID != "" && l.Owner && l.Known != "flaggedEmails" {
			own = append(own, sources.Collection{ID: l.ID, Name: l.Name, Primary: l.Known == "defaultList", TimeZone: zone})
		}
	}
	return own, nil
}

// Tasks returns the tasks of one list. zone is the IANA name of the mailbox's time zone: To Do keeps days as instants.
func Tasks(c *Client, user, list, zone string) sources.Source[sources.Task] {
	return &taskSource{client: c, user: user, list: list, view: eventView{zone: zone}}
}

type taskSource struct {
	client     *Client
	user, list string
	view       eventView
}

// taskParts are fetched along with a task.
var taskParts = url.Values{"$expand": {"checklistItems,linkedResources"}}

// Changes implements sources.Source.
func (s *taskSource) Changes(ctx context.Context, after sources.Cursor) (sources.Page[sources.Task], error) {
	first := s.client.path(taskParts, "users", s.user, "todo", "lists", s.list, "tasks", "delta")
	k := call{method: taskDelta, of: s.user, header: map[string]string{"Prefer": "odata.maxpagesize=" + strconv.Itoa(deltaSize)}}
	values, page, err := deltaPage[todoTask, sources.Task](ctx, s.client, k, first, after)
	if err != nil {
		return page, err
	}
	for _, v := range values {
		if v.ID == "" {
			return page, fault.New(fault.Retry, fault.SourceBadAnswer, "%s: a task without an id", taskDelta)
		}
	}
	page.Items, err = s.items(ctx, values)
	return page, err
}

// items converts tasks, with their files.
func (s *taskSource) items(ctx context.Context, values []todoTask) ([]sources.Item[sources.Task], error) {
	var ids []string
	for _, v := range values {
		if v.Attachments && v.Removed == nil {
			ids = append(ids, v.ID)
		}
	}
	files, err := s.client.files(ctx, s.user, s.filesAt(), ids)
	if err != nil {
		return nil, err
	}
	items := make([]sources.Item[sources.Task], len(values))
	for i, v := range values {
		items[i] = s.item(v)
		items[i].Content.Attachments = files[v.ID]
	}
	return items, nil
}

// filesAt says where the files of tasks are (learn.microsoft.com/graph/api/todotask-list-attachments, taskfileattachment-get).
func (s *taskSource) filesAt() filesOf {
	return filesOf{list: listTaskFiles, get: getTaskFile, kind: "#microsoft.graph.taskFileAttachment", options: url.Values{"$top": {"100"}},
		at: func(id string) []string { return []string{"users", s.user, "todo", "lists", s.list, "tasks", id} }}
}

// Fetch implements sources.Source.
func (s *taskSource) Fetch(ctx context.Context, id string) (sources.Item[sources.Task], error) {
	var v todoTask
	at := s.client.path(taskParts, "users", s.user, "todo", "lists", s.list, "tasks", id)
	if err := s.client.get(ctx, call{method: getTask, of: s.user, url: at}, &v); err != nil {
		return sources.Item[sources.Task]{}, err
	}
	v.ID = id
	items, err := s.items(ctx, []todoTask{v})
	if err != nil {
		return sources.Item[sources.Task]{}, err
	}
	return items[0], nil
}

// todoTask is Graph's todoTask (learn.microsoft.com/graph/api/resources/todotask).
type todoTask struct {
	ID           string      `json:"id"`
	Removed      *removed    `json:"@removed"`
	ETag         string      `json:"@odata.etag"`
	Title        string      `json:"title"`
	Importance   string      `json:"importance"`
	Status       string      `json:"status"`
	Categories   []string    `json:"categories"`
	Created      string      `json:"createdDateTime"`
	Modified     string      `json:"lastModifiedDateTime"`
	BodyModified string      `json:"bodyLastModifiedDateTime"`
	Start        *dateTime   `json:"startDateTime"`
	Due          *dateTime   `json:"dueDateTime"`
	Completed    *dateTime   `json:"completedDateTime"`
	Reminder     *dateTime   `json:"reminderDateTime"`
	ReminderOn   bool        `json:"isReminderOn"`
	Recurrence   *recurrence `json:"recurrence"`
	Attachments  bool        `json:"hasAttachments"`
	Body         struct {
		Content string `json:"content"`
		Type    string `json:"contentType"`
	} `json:"body"`
	Checklist []struct {
		Name    string `json:"displayName"`
		Checked bool   `json:"isChecked"`
		Created string `json:"createdDateTime"`
	} `json:"checklistItems"`
	Links []struct {
		Name        string `json:"displayName"`
		Application string `json:"applicationName"`
		URL         string `json:"webUrl"`
		External    string `json:"externalId"`
	} `json:"linkedResources"`
}

// version changes with the task and with its steps and links: whether these change the task is not documented.
func (v todoTask) version() string {
	parts := []any{v.ETag, v.Modified, v.BodyModified}
	for _, c := range v.Checklist {
		parts = append(parts, c.Name, c.Created, map[bool]string{true: "done"}[c.Checked])
	}
	for _, l := range v.Links {
		parts = append(parts, l.Name, l.Application, l.URL, l.External)
	}
	return digestOf(parts...)
}

// taskStates are the words for Graph's status.
var taskStates = map[string]string{"notStarted": "needsAction", "inProgress": "inProcess", "waitingOnOthers": "waiting", "deferred": "deferred"}

func (s *taskSource) item(v todoTask) sources.Item[sources.Task] {
	it := sources.Item[sources.Task]{ID: v.ID, Version: v.version(), Title: httpx.OneLine(v.Title), Deleted: v.Removed != nil}
	if it.Deleted {
		return it
	}
	t := sources.Task{
		ID: v.ID, Title: v.Title, Notes: v.Body.Content, NotesHTML: v.Body.Type == "html", Done: v.Status == "completed",
		Status: cmp.Or(taskStates[v.Status], "needsAction"), Importance: v.Importance, Categories: v.Categories,
		Created: timeOf(v.Created), Updated: timeOf(v.Modified),
	}
	for _, c := range v.Checklist {
		t.Checklist = append(t.Checklist, sources.ChecklistItem{Title: c.Name, Done: c.Checked})
	}
	for _, l := range v.Links {
		name := cmp.Or(l.Name, l.Application)
		if l.Application != "" && l.Name != "" {
			name += " (" + l.Application + ")"
		}
		t.Links = append(t.Links, sources.TaskLink{Title: name, URL: cmp.Or(l.URL, l.External)})
	}
	if err := s.times(v, &t); err != nil {
		it.Problem = fault.New(fault.FailItem, fault.SourceUnreadable, "%w", err)
	}
	it.Content = t
	return it
}

// times reads days and instants. Start and due are days, which To Do keeps as midnight of the user's zone.
func (s *taskSource) times(v todoTask, t *sources.Task) error {
	for _, p := range []struct {
		from *dateTime
		to   *sources.EventTime
		day  bool
	}{{v.Start, &t.Start, true}, {v.Due, &t.Due, true}, {v.Reminder, &t.Reminder, false}} {
		if p.from == nil || p.from.DateTime == "" {
			continue
		}
		at, err := p.from.instant()
		if err != nil {
			return err
		}
		*p.to = s.view.moment(at, p.day, s.view.zone)
	}
	if !v.ReminderOn {
		t.Reminder = sources.EventTime{}
	}
	if v.Completed != nil && v.Completed.DateTime != "" {
		at, err := v.Completed.instant()
		if err != nil {
			return err
		}
		t.Completed = at
	}
	if v.Recurrence == nil {
		return nil
	}
	rule, err := graphrecur.Rule(graphrecur.Recurrence{Pattern: v.Recurrence.Pattern, Range: v.Recurrence.Range.Range}, time.UTC, true)
	if err != nil {
		return err
	}
	t.Recurrence = []string{"RRULE:" + rule}
	if _, err := time.Parse(time.DateOnly, v.Recurrence.Range.StartDate); err == nil && t.Start.IsZero() && t.Due.IsZero() {
		t.Start.Date = v.Recurrence.Range.StartDate // a rule needs a day to begin with
	}
	return nil
}

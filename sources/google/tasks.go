package google

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/api/tasks/v1"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/sources"
)

// tasksPage is the most tasks that Google gives at once (the default is 20), and taskLists the most lists.
const (
	tasksPage = 100
	taskLists = 1000
)

// TaskLists returns the user's task lists. The first is the default one.
func TaskLists(ctx context.Context, c *Client, user string) ([]sources.Collection, error) {
	var out []sources.Collection
	for token := ""; ; {
		var answer *tasks.TaskLists
		err := c.asTaskUser(ctx, user, tasksListsList, func(svc *tasks.Service) (err error) {
			call := svc.Tasklists.List().MaxResults(taskLists).Context(ctx)
			if token != "" {
				call.PageToken(token)
			}
			answer, err = call.Do()
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, l := range answer.Items {
			if l != nil && l.Id != "" {
				out = append(out, sources.Collection{ID: l.Id, Name: l.Title, Primary: len(out) == 0})
			}
		}
		if answer.NextPageToken == "" || answer.NextPageToken == token {
			return out, nil
		}
		token = answer.NextPageToken
	}
}

func (c *Client) asTaskUser(ctx context.Context, user string, m method, fn func(*tasks.Service) error) error {
	return as(ctx, c, user, m, c.tasks, fn)
}

// Tasks returns the tasks of one list: completed, hidden and assigned ones too.
func Tasks(c *Client, user, list string) sources.Source[sources.Task] {
	return &taskSource{client: c, user: user, list: list, now: time.Now}
}

type taskSource struct {
	client     *Client
	user, list string
	now        func() time.Time
}

// taskCursor is the place in the changes of a list. Google Tasks has no sync tokens: later passes ask for what was updated since the
// latest change that was seen, by Google's clock, and a little before.
type taskCursor struct {
	// Since is the latest change that the last complete reading saw; zero in a full listing. Latest is the same of the present one.
	Since  time.Time `json:"since,omitzero"`
	Latest time.Time `json:"latest,omitzero"`
	// Seen are digests of the versions that were changed shortly before Latest, with the times of these changes.
	Seen map[string]time.Time `json:"seen,omitempty"`
	Page string               `json:"page,omitempty"`
	// Begun is when the first page of the present reading was read, by Google's clock, as far as that is known: what changes on a page
	// after it was read is later. Again counts the readings before the present one that it follows at once.
	Begun time.Time `json:"begun,omitzero"`
	Again int       `json:"again,omitempty"`
	// Day is when the last complete reading was made.
	Day string `json:"day,omitempty"`
}

// taskOverlap is how much of the past each pass reads again, for changes that become visible late; of so many changes it is told which
// were seen already.
const (
	taskOverlap = 2 * time.Minute
	taskTick    = 2 * time.Second // by which the clocks of Google's servers may differ
	taskSeen    = 1000
)

// forgets is how long a list remembers what was deleted, by the safe reading: Google documents no time.
const forgets = 25 * 24 * time.Hour

// Changes implements sources.Source.
func (s *taskSource) Changes(ctx context.Context, after sources.Cursor) (page sources.Page[sources.Task], err error) {
	cur, err := s.cursor(after)
	if err != nil {
		return page, err
	}
	answer, err := s.changed(ctx, cur)
	if err != nil {
		return page, expired(err, cur.Page)
	}
	if answer.NextPageToken != "" && answer.NextPageToken == cur.Page {
		return page, fault.New(fault.Retry, fault.SourceBadAnswer, "Tasks tasks.list: a page that is its own next one")
	}
	page.Listing = cur.Since.IsZero()
	first, before := cur.Page == "", cur.Seen
	cur.Seen = maps.Clone(cur.Seen)
	for _, t := range answer.Items {
		if t == nil || t.Id == "" {
			continue
		}
		it := taskItem(t)
		if _, known := before[seenAs(it)]; !known || page.Listing {
			page.Items = append(page.Items, it)
		}
		cur.see(it)
	}
	if first {
		cur.Begun = servedAt(answer, cur.Latest)
	}
	cur.Page = answer.NextPageToken
	if page.More = cur.Page != ""; !page.More {
		page.ListingDone = page.Listing
		page.More = cur.done(!first)
		cur.Day = s.now().UTC().Format(time.DateOnly)
	}
	raw, err := json.Marshal(cur)
	page.Next = sources.Cursor(raw)
	return page, err
}

// mostAgain bounds the readings at once of a list in which much changes all the time; the next pass goes on.
const mostAgain = 5

// done ends a reading, and reports whether another one follows at once: one of several pages may have missed what changed meanwhile on a
// page that was read already.
func (c *taskCursor) done(several bool) bool {
	c.Since = c.Latest
	if several && c.Begun.Before(c.Latest) {
		c.Since = c.Begun
	}
	c.Begun = time.Time{}
	if c.Again++; !several || c.Again > mostAgain {
		c.Again = 0
	}
	return c.Again > 0
}

// from is since when changes are asked for. A reading that follows another one at once looks for what changed during it; what becomes
// visible late is left to the next pass.
func (c *taskCursor) from() time.Time {
	if c.Again > 0 {
		return c.Since.Add(-taskTick)
	}
	return c.Since.Add(-taskOverlap)
}

// servedAt is when an answer was made, by Google's clock; latest, which is no later, where it does not say.
func servedAt(answer *tasks.Tasks, latest time.Time) time.Time {
	at, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return latest
	}
	return at
}

func (s *taskSource) cursor(after sources.Cursor) (cur taskCursor, err error) {
	if after == "" {
		return cur, nil
	}
	if err := json.Unmarshal([]byte(after), &cur); err != nil || cur.Day == "" && cur.Page == "" {
		return cur, fmt.Errorf("google: cursor of tasks: %w", sources.ErrCursorExpired)
	}
	if day, err := time.Parse(time.DateOnly, cur.Day); cur.Page == "" && (err != nil || s.now().Sub(day) > forgets) {
		return cur, fmt.Errorf("google: the last pass over the tasks is too long ago to tell what was deleted: %w", sources.ErrCursorExpired)
	}
	return cur, nil
}

func (s *taskSource) changed(ctx context.Context, cur taskCursor) (answer *tasks.Tasks, err error) {
	err = s.client.asTaskUser(ctx, s.user, tasksList, func(svc *tasks.Service) (err error) {
		call := svc.Tasks.List(s.list).MaxResults(tasksPage).ShowCompleted(true).ShowHidden(true).ShowAssigned(true).ShowDeleted(!cur.Since.IsZero()).Context(ctx)
		if !cur.Since.IsZero() {
			call.UpdatedMin(cur.from().Format(time.RFC3339Nano))
		}
		if cur.Page != "" {
			call.PageToken(cur.Page)
		}
		answer, err = call.Do()
		return err
	})
	return answer, err
}

// see notes a task that was read.
func (c *taskCursor) see(it sources.Item[sources.Task]) {
	at := it.Content.Updated
	if at.After(c.Latest) {
		c.Latest = at
	}
	if c.Seen == nil {
		c.Seen = map[string]time.Time{}
	}
	c.Seen[seenAs(it)] = at
	if len(c.Seen) > 1 {
		maps.DeleteFunc(c.Seen, func(_ string, at time.Time) bool { return at.Before(c.Latest.Add(-taskOverlap)) })
	}
	if len(c.Seen) > taskSeen { // what is read again is known by its version
		clear(c.Seen)
	}
}

func seenAs(it sources.Item[sources.Task]) string {
	sum := sha256.Sum256([]byte(it.ID + " " + it.Version + " " + strconv.FormatBool(it.Deleted)))
	return hex.EncodeToString(sum[:8])
}

// Fetch implements sources.Source.
func (s *taskSource) Fetch(ctx context.Context, id string) (item sources.Item[sources.Task], err error) {
	var t *tasks.Task
	err = s.client.asTaskUser(ctx, s.user, tasksGet, func(svc *tasks.Service) (err error) {
		t, err = svc.Tasks.Get(s.list, id).Context(ctx).Do()
		return err
	})
	if err != nil {
		return item, err
	}
	if item = taskItem(t); item.Deleted {
		return item, fault.New(fault.Skip, fault.SourceDeleted, "the task was deleted: %w", sources.ErrGone)
	}
	return item, nil
}

// taskItem reads a task (developers.google.com/workspace/tasks/reference/rest/v1/tasks). The due date is one: Google discards the time.
func taskItem(t *tasks.Task) sources.Item[sources.Task] {
	it := sources.Item[sources.Task]{ID: t.Id, Version: t.Etag, Title: t.Title, Link: t.WebViewLink, Deleted: t.Deleted}
	if it.Version == "" {
		it.Version = t.Updated
	}
	c := sources.Task{
		ID: t.Id, ParentID: t.Parent, Position: t.Position, Title: t.Title, Notes: t.Notes, Done: t.Status == "completed", Status: "needsAction",
		Link: t.WebViewLink,
	}
	if len(t.Due) >= len(time.DateOnly) {
		c.Due.Date = t.Due[:len(time.DateOnly)]
	}
	if t.Completed != nil {
		c.Completed, _ = time.Parse(time.RFC3339, *t.Completed)
	}
	c.Updated, _ = time.Parse(time.RFC3339, t.Updated)
	for _, l := range t.Links {
		title := cmp.Or(l.Description, l.Type)
		if l.Description != "" && l.Type != "" {
			title += " (" + l.Type + ")"
		}
		c.Links = append(c.Links, sources.TaskLink{Title: title, URL: l.Link})
	}
	if a := t.AssignmentInfo; a != nil {
		c.Links = append(c.Links, sources.TaskLink{Title: "Assigned in " + a.SurfaceType, URL: a.LinkToTask})
	}
	it.Content = c
	return it
}

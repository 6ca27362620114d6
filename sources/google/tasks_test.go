package google

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"codeberg.org/repatriate/repatriate/sources"
)

// TestTaskEditedOnAPageThatWasRead: a listing takes several pages, and while it is under way a task of its first page is edited, and much
// later one of its last. Both edits come with this reading, whichever process goes on with it.
func TestTaskEditedOnAPageThatWasRead(t *testing.T) {
	p := newProvider(t, false)
	now := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	p.data.Now = func() time.Time { return now }
	lists, err := TaskLists(t.Context(), p.client(t), alice)
	must(t, err)
	list := lists[0].ID
	for i := range 10 {
		_, err := p.data.AddTask(alice, list, json.RawMessage(fmt.Sprintf(`{"title": "task %d"}`, i)))
		must(t, err)
		now = now.Add(time.Minute)
	}
	notes := map[string]string{}
	read := func(cursor sources.Cursor) sources.Page[sources.Task] {
		page, err := Tasks(p.client(t), alice, list).Changes(t.Context(), cursor)
		must(t, err)
		for _, it := range page.Items {
			notes[it.ID] = it.Content.Notes
		}
		return page
	}
	page := read("")
	if !page.More || !page.Listing {
		t.Fatal("the listing has one page")
	}
	edited := page.Items[0].ID
	edit := func(id string) { must(t, p.data.UpdateTask(alice, list, id, json.RawMessage(`{"notes": "edited"}`))) }
	now = now.Add(time.Second)
	edit(edited)
	now = now.Add(10 * time.Minute)
	last := ""
	for _, raw := range p.data.Tasks(alice, list) {
		var task struct{ ID string }
		must(t, json.Unmarshal(raw, &task))
		if _, seen := notes[task.ID]; !seen {
			last = task.ID
		}
	}
	edit(last)
	listings, pages := 0, 0
	for ; page.More; pages++ {
		if page = read(page.Next); page.ListingDone {
			listings++
		}
	}
	if notes[edited] != "edited" || notes[last] != "edited" {
		t.Errorf("the task of the first page has the notes %q, that of the last one %q", notes[edited], notes[last])
	}
	if listings != 1 || pages > 4 {
		t.Errorf("%d listings ended, in %d further pages", listings, pages)
	}
	if again := read(page.Next); again.More || len(again.Items) > 0 {
		t.Errorf("a pass without changes yields %d items", len(again.Items))
	}
}

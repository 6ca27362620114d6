package microsoft

import (
	"fmt"
	"testing"

	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// TestFilesOfTasks are read with the listing and with one task: small ones with their bytes, others and those beyond a page by name alone.
func TestFilesOfTasks(t *testing.T) {
	p := newProvider(t)
	p.serve(t, sim.Options{PageSize: 4, Strict: graphSchema(t)})
	id := added(t)(p.data.AddTask(alice, "", []byte(`{"title": "with files"}`)))
	added(t)(p.data.AddTask(alice, "", []byte(`{"title": "without"}`)))
	sizes := []int{5, 0, inlineFile, inlineFile + 1, 10}
	for i, size := range sizes {
		must(t, p.data.AddTaskAttachment(alice, id, sim.Attachment{Name: fmt.Sprint(i, ".txt"), MimeType: "text/plain", Content: make([]byte, size)}))
	}
	s := Tasks(p.client(t), alice, p.data.TaskLists(alice)[0].ID, "Europe/Berlin")
	page, err := s.Changes(t.Context(), "")
	must(t, err)
	one, err := s.Fetch(t.Context(), id)
	must(t, err)
	for _, it := range append(page.Items, one) {
		got := ""
		for _, a := range it.Content.Attachments {
			got += fmt.Sprintf("%s %s %d %v; ", a.Title, a.MediaType, len(a.Data), a.Data != nil)
		}
		want := ""
		if it.ID == id {
			want = "0.txt text/plain 5 true; 1.txt text/plain 0 true; 2.txt text/plain 102400 true; 3.txt text/plain 0 false; further files  0 false; "
		}
		if got != want {
			t.Errorf("%s: %s", it.Title, got)
		}
	}
	if len(page.Items) != 2 {
		t.Errorf("%d tasks", len(page.Items))
	}
}

package e2e

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// TestSmallAttachmentsComeAlong within their events and tasks, and large ones are named as left behind.
func TestSmallAttachmentsComeAlong(t *testing.T) {
	const anna = "anna@example.org"
	small, large := bytes.Repeat([]byte{0, 1, 2, 250}, 5000), make([]byte, 200<<10)
	files := []graph.Attachment{{Name: `Pläne; "neu".bin`, MimeType: "application/octet-stream", Content: small}, {Name: "large.bin", MimeType: "application/octet-stream", Content: large}}
	for name, server := range peopleServers(t) {
		t.Run(name, func(t *testing.T) {
			data := graphUsers(t, anna)
			event := value(data.AddEvent(anna, "", []byte(`{"subject": "With files", "start": {"dateTime": "2026-07-01T10:00:00", "timeZone": "UTC"},
				"end": {"dateTime": "2026-07-01T11:00:00", "timeZone": "UTC"}}`)))(t)
			task := value(data.AddTask(anna, "", []byte(`{"title": "With files"}`)))(t)
			for _, f := range files {
				must(t, data.AddAttachment(anna, event, f))
				must(t, data.AddTaskAttachment(anna, task, f))
			}
			user := server.User(3).User
			home := server.CalendarsURL("{user}")
			w, _ := newTenant(t, data, graph.Options{Strict: graphSchema(t)}, urls{calendar: home, tasks: home}, person{source: anna, target: user, kinds: "calendar tasks"})
			r := w.run(0)
			if n := r.report.Totals.CopiedWithLosses; n != 2 {
				t.Errorf("%d items lost something, want the event and the task with a large file", n)
			}
			status := w.start("status", w.job()).wait()
			for _, loss := range []string{"event.attachment_left", "task.attachment"} {
				if !strings.Contains(status.stdout, loss) || !strings.Contains(status.stdout, "large.bin") {
					t.Errorf("%s: the large file is not named:\n%s", loss, status.stdout)
				}
			}
			if found := holders(t, server.CalendarsURL(user), user, small); strings.Join(found, " ") != "VEVENT VTODO" {
				t.Errorf("the small file is in %q", found)
			}
			settledInFew(t, w, r)
			silent(t, w.verify(), r)
		})
	}
}

// holders returns the components of a user's objects that hold a file.
func holders(t *testing.T, home, user string, file []byte) (found []string) {
	t.Helper()
	for _, collection := range hrefs(t, home, user) {
		if strings.Contains(collection, "/Inbox") || strings.Contains(collection, "/Outbox") || strings.Contains(collection, "/Attachments") {
			continue
		}
		for _, object := range hrefs(t, collection, user) {
			raw := strings.ReplaceAll(fetch(t, http.MethodGet, object, user, ""), "\r\n ", "")
			if !strings.Contains(raw, ":"+base64.StdEncoding.EncodeToString(file)+"\r\n") || !strings.Contains(raw, "Pläne") {
				continue
			}
			for _, component := range []string{"VEVENT", "VTODO"} {
				if strings.Contains(raw, "BEGIN:"+component) {
					found = append(found, component)
				}
			}
		}
	}
	slices.Sort(found)
	return found
}

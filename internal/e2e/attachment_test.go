package e2e

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	graph "codeberg.org/repatriate/repatriate/internal/cloudsim/microsoft"
)

// TestSmallAttachmentsComeAlong within their events, and large ones are named as left behind.
func TestSmallAttachmentsComeAlong(t *testing.T) {
	small, large := bytes.Repeat([]byte{0, 1, 2, 250}, 5000), make([]byte, 200<<10)
	for name, server := range peopleServers(t) {
		t.Run(name, func(t *testing.T) {
			data := graphUsers(t, "anna@example.org")
			id := value(data.AddEvent("anna@example.org", "", []byte(`{"subject": "With files", "start": {"dateTime": "2026-07-01T10:00:00", "timeZone": "UTC"},
				"end": {"dateTime": "2026-07-01T11:00:00", "timeZone": "UTC"}}`)))(t)
			must(t, data.AddAttachment("anna@example.org", id, graph.Attachment{Name: `Pläne; "neu".bin`, MimeType: "application/octet-stream", Content: small}))
			must(t, data.AddAttachment("anna@example.org", id, graph.Attachment{Name: "large.bin", MimeType: "application/octet-stream", Content: large}))
			user := server.User(3).User
			w, _ := newTenant(t, data, graph.Options{Strict: graphSchema(t)}, urls{calendar: server.CalendarsURL("{user}")}, person{source: "anna@example.org", target: user})
			r := w.run(0)
			if n := r.report.Totals.CopiedWithLosses; n != 1 {
				t.Errorf("%d events lost something, want the one with a large file", n)
			}
			status := w.start("status", w.job()).wait()
			if !strings.Contains(status.stdout, "large.bin") {
				t.Errorf("the large file is not named:\n%s", status.stdout)
			}
			found := false
			for _, collection := range hrefs(t, server.CalendarsURL(user), user) {
				if strings.Contains(collection, "/Inbox") || strings.Contains(collection, "/Outbox") || strings.Contains(collection, "/Attachments") {
					continue
				}
				for _, object := range hrefs(t, collection, user) {
					raw := strings.ReplaceAll(fetch(t, http.MethodGet, object, user, ""), "\r\n ", "")
					found = found || strings.Contains(raw, ":"+base64.StdEncoding.EncodeToString(small)+"\r\n") && strings.Contains(raw, "Pläne")
				}
			}
			if !found {
				t.Error("the small file is not on the target")
			}
			settledInFew(t, w, r)
		})
	}
}

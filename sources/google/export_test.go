package google

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"codeberg.org/repatriate/repatriate/fault"
	"codeberg.org/repatriate/repatriate/internal/cloudsim"
	sim "codeberg.org/repatriate/repatriate/internal/cloudsim/google"
)

func TestDriveExports(t *testing.T) {
	d := tenantData(t)
	add := added(t)
	large := noise(300_000)
	for _, name := range []string{"large", "named.docx"} {
		add(d.AddFile(alice, sim.File{Name: name, MimeType: sim.MimeDocument, Exports: map[string]cloudsim.Content{docx: cloudsim.Bytes(large)}}))
	}
	add(d.AddFile(alice, sim.File{Name: "sheet", MimeType: googleApps + "spreadsheet"}))
	c, server := simulated(t, d, sim.Options{ExportLimit: 100_000})

	items, _ := pass(t, Drive(c, alice, DriveOptions{}), "")
	b, err := body(t, byTitle(t, items, "large"))
	if err != nil || !bytes.Equal(b, large) || server.Counts()["drive.exportLinks"] != 1 {
		t.Errorf("got %d bytes of a large document, %v, by %v", len(b), err, server.Counts())
	}
	if it := byTitle(t, items, "named.docx"); it.Content.Extension != "" || it.Content.ExportType != docx {
		t.Errorf("a name with the extension: %+v", it.Content)
	}

	open, err := ParseFormats("opendocument", map[string]string{"document": "pdf"})
	must(t, err)
	changed, _ := pass(t, Drive(c, alice, DriveOptions{Formats: open}), "")
	sheet, doc := byTitle(t, changed, "sheet"), byTitle(t, changed, "large")
	if sheet.Content.Extension != ".ods" || doc.Content.Extension != ".pdf" {
		t.Errorf("extensions %q and %q", sheet.Content.Extension, doc.Content.Extension)
	}
	if doc.Version == byTitle(t, items, "large").Version {
		t.Error("another format is no new version")
	}
	odd, _ := pass(t, Drive(c, alice, DriveOptions{Formats: Formats{"document": "xlsx"}}), "")
	if it := byTitle(t, odd, "large"); reasonOf(it.Problem) != fault.SourceNoExport {
		t.Errorf("a format that Google does not offer: %v", it.Problem)
	}
}

// answering replaces the answers to some requests.
type answering struct {
	next   http.RoundTripper
	answer func(*http.Request) (contentType, body string, ok bool)
	hosts  map[string]bool
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.hosts[r.URL.Host] = true
	contentType, body, ok := a.answer(r)
	if !ok {
		return a.next.RoundTrip(r)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestDriveExportLinkIsNotTrusted(t *testing.T) {
	tests := []struct {
		name, link string // {} stands for the endpoint
		reason     fault.Reason
	}{
		{"another host", "https://evil.example/export", fault.SourceBadAnswer},
		{"this machine", "http://127.0.0.1:1/export", fault.SourceBadAnswer},
		{"no URL", "://", fault.SourceBadAnswer},
		{"a page to log in", "{}login", fault.SourceBadAnswer},
		{"none", "", fault.SourceExportSize},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := tenantData(t)
			id := added(t)(d.AddFile(alice, sim.File{Name: "large", MimeType: sim.MimeDocument}))
			c, _ := simulated(t, d, sim.Options{ExportLimit: 1})
			a := &answering{next: c.base, hosts: map[string]bool{}, answer: func(r *http.Request) (string, string, bool) {
				if strings.HasSuffix(r.URL.Path, "/login") {
					return "text/html; charset=utf-8", "<html>", true
				}
				link := strings.Replace(tt.link, "{}", c.root.String(), 1)
				return "application/json", fmt.Sprintf(`{"exportLinks":{%q:%q}}`, docx, link), r.URL.Query().Get("fields") == "exportLinks"
			}}
			c.base = a
			it, err := Drive(c, alice, DriveOptions{}).Fetch(t.Context(), id)
			must(t, err)
			if _, err := body(t, it); reasonOf(err) != tt.reason {
				t.Errorf("error %v", err)
			}
			if len(a.hosts) != 1 {
				t.Errorf("requests went to %v", a.hosts)
			}
		})
	}
}

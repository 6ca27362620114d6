package google

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"codeberg.org/repatriate/repatriate/internal/cloudsim"
)

type exportFormat struct{ mime, name string }

// exportKinds are the kinds of documents that can be exported.
func exportKinds() []string {
	return []string{"document", "spreadsheet", "presentation", "drawing", "script"}
}

// exportFormats gives what a kind of document can be exported to.
// https://developers.google.com/workspace/drive/api/guides/ref-export-formats
func exportFormats(mime string) []exportFormat {
	const ooxml, odf = "application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument."
	switch strings.TrimPrefix(mime, googleApps) {
	case "document":
		return []exportFormat{{ooxml + "wordprocessingml.document", "docx"}, {odf + "text", "odt"}, {"application/rtf", "rtf"}, {"application/pdf", "pdf"},
			{"text/plain", "txt"}, {"text/html", "html"}, {"application/zip", "zip"}, {"application/epub+zip", "epub"}, {"text/markdown", "md"}}
	case "spreadsheet":
		return []exportFormat{{ooxml + "spreadsheetml.sheet", "xlsx"}, {"application/x-vnd.oasis.opendocument.spreadsheet", "ods"}, {odf + "spreadsheet", "ods"}, {"application/pdf", "pdf"},
			{"text/csv", "csv"}, {"text/tab-separated-values", "tsv"}, {"application/zip", "zip"}}
	case "presentation":
		return []exportFormat{{ooxml + "presentationml.presentation", "pptx"}, {odf + "presentation", "odp"}, {"application/pdf", "pdf"}, {"text/plain", "txt"}}
	case "drawing":
		return []exportFormat{{"image/svg+xml", "svg"}, {"image/png", "png"}, {"image/jpeg", "jpg"}, {"application/pdf", "pdf"}}
	case "script":
		return []exportFormat{{"application/vnd.google-apps.script+json", "json"}}
	}
	return nil
}

// exportLinks is nil for a kind that cannot be exported. Its addresses are on this server.
func (v *fileView) exportLinks() any {
	o := object{}
	kind := strings.TrimPrefix(v.MimeType, googleApps)
	for _, f := range exportFormats(v.MimeType) {
		if kind == "script" {
			return nil
		}
		q := url.Values{"id": {v.ID}, "exportFormat": {f.name}}
		o = append(o, member{f.mime, v.host + "/feeds/download/" + kind + "s/Export?" + q.Encode()})
	}
	if len(o) == 0 {
		return nil
	}
	return o
}

// export gives the document in a format, and false for one that its kind does not have.
func (v *fileView) export(mime string) (cloudsim.Content, bool) {
	formats := exportFormats(v.MimeType)
	i := slices.IndexFunc(formats, func(f exportFormat) bool { return f.mime == mime })
	if i < 0 {
		return nil, false
	}
	if body := v.Exports[mime]; body != nil {
		return body, true
	}
	return cloudsim.Bytes(madeUp(formats[i], v.Name, v.version)), true
}

// madeUp writes a small document: a real archive where the format is one, so that tools that look at the first bytes
// are content.
func madeUp(f exportFormat, title string, version int64) []byte {
	text := fmt.Sprintf("%s\nversion %d\n", title, version)
	switch f.name {
	case "docx", "xlsx", "pptx", "odt", "ods", "odp", "zip", "epub":
		return archive(f.mime, text)
	case "svg":
		return fmt.Appendf(nil, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"40\"><!-- %x --></svg>\n", text)
	case "pdf":
		return []byte("%PDF-1.4\n% " + text + "%%EOF\n")
	case "json":
		return appendObject(nil, object{{"files", []object{{{"name", "Code"}, {"type", "server_js"}, {"source", text}}}}}, nil)
	}
	return []byte(text)
}

func archive(mime, text string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, entry := range [][2]string{{"mimetype", mime}, {"content.txt", text}} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entry[0], Method: zip.Store})
		if err == nil {
			_, _ = w.Write([]byte(entry[1]))
		}
	}
	_ = z.Close()
	return b.Bytes()
}

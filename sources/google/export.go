package google

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// googleApps begins the media types of Google's own kinds of files.
const googleApps = "application/vnd.google-apps."

// Formats says in which format Google's documents are exported: from the last part of their media type ("document")
// to the format's file extension ("docx"). What stands in no entry is not exported.
type Formats map[string]string

// DefaultFormats are those of Office Open XML, and SVG for drawings.
func DefaultFormats() Formats {
	return Formats{"document": "docx", "spreadsheet": "xlsx", "presentation": "pptx", "drawing": "svg"}
}

// OpenDocumentFormats are those of ISO/IEC 26300, and SVG for drawings, which Google does not export as ODG.
func OpenDocumentFormats() Formats {
	return Formats{"document": "odt", "spreadsheet": "ods", "presentation": "odp", "drawing": "svg"}
}

// ParseFormats returns the formats of a word, "office" or "opendocument", changed by pairs such as "document": "pdf".
// The empty word is "office".
func ParseFormats(word string, changes map[string]string) (Formats, error) {
	var f Formats
	switch strings.ToLower(word) {
	case "", "office":
		f = DefaultFormats()
	case "opendocument":
		f = OpenDocumentFormats()
	default:
		return nil, fmt.Errorf("export formats %q are none of office, opendocument", word)
	}
	maps.Copy(f, changes)
	return f, f.check()
}

func (f Formats) check() error {
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(f)) {
		if exportTypes[f[kind]] == "" {
			errs = append(errs, fmt.Errorf("export format %q of %q is none of %s", f[kind], kind, strings.Join(slices.Sorted(maps.Keys(exportTypes)), ", ")))
		}
	}
	return errors.Join(errs...)
}

// exportTypes are the media types of the formats by extension.
// https://developers.google.com/workspace/drive/api/guides/ref-export-formats
var exportTypes = map[string]string{
	"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"odt":  "application/vnd.oasis.opendocument.text",
	"ods":  "application/vnd.oasis.opendocument.spreadsheet",
	"odp":  "application/vnd.oasis.opendocument.presentation",
	"pdf":  "application/pdf",
	"rtf":  "application/rtf",
	"txt":  "text/plain",
	"md":   "text/markdown",
	"html": "text/html",
	"zip":  "application/zip",
	"epub": "application/epub+zip",
	"csv":  "text/csv",
	"tsv":  "text/tab-separated-values",
	"svg":  "image/svg+xml",
	"png":  "image/png",
	"jpg":  "image/jpeg",
	"json": "application/vnd.google-apps.script+json",
}

// exportAliases are further names that Google has for formats.
var exportAliases = map[string]string{
	exportTypes["ods"]: "application/x-vnd.oasis.opendocument.spreadsheet",
}

// of returns the export format of a media type: the media type of the export and its extension with the dot.
func (f Formats) of(mediaType string) (export, extension string, ok bool) {
	kind, ok := strings.CutPrefix(mediaType, googleApps)
	if !ok {
		return "", "", false
	}
	ext, ok := f[kind]
	if !ok || exportTypes[ext] == "" {
		return "", "", false
	}
	return exportTypes[ext], "." + ext, true
}

package htmlreport

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"sync"

	"codeberg.org/repatriate/repatriate/internal/report"
)

//go:embed pages
var files embed.FS

// mustRead returns an embedded file.
func mustRead(name string) string {
	b, err := files.ReadFile("pages/" + name)
	if err != nil {
		panic(err) // it is part of the binary
	}
	return string(b)
}

// templates are those of all pages. The style and the script are part of the program, and stand in the page as they are.
var templates = sync.OnceValue(func() *template.Template {
	script := template.JS(mustRead("script.js")) //nolint:gosec // the program's own
	t := template.New("").Funcs(template.FuncMap{"script": func() template.JS { return script }})
	return template.Must(t.ParseFS(files, "pages/*.tmpl"))
})

// policy returns a Content-Security-Policy by which a page loads nothing and runs the given style and script only.
func policy(style, script string) string {
	hash := func(text string) string {
		if text == "" {
			return "'none'"
		}
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'"
}

// Bounds of what pages show of texts, in runes.
const (
	longName   = 200
	longDetail = 500
)

// clean returns a name that may be shown.
func clean(s string) string { return report.Clean(s, longName) }

// said returns what was said of an item, without the name of the reason that stands beside it.
func said(i Item) string {
	s := report.WithoutReason(i.Detail, i.Reason)
	if s == i.Title {
		return ""
	}
	return report.Clean(s, longDetail)
}
